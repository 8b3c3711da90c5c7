"""The exit status of a sweep that has run."""

from pathlib import Path

import pytest
from caduceus.io.failed_entries import Entry
from caduceus.project.sweep_targets import failure_status


def test_a_failed_sweep_has_status_1_and_says_why(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert failure_status("tune-1", tmp_path, []) == 0
    with Entry("sweeps/tune-1", tmp_path).costs_only_itself(lambda error: None) as errors:
        errors.append("all 2 trials failed")
    capsys.readouterr()
    assert failure_status("tune-1", tmp_path, []) == 1
    assert capsys.readouterr().err == "caduceus sweep: all 2 trials failed\n"
    assert failure_status("tune-2", tmp_path, []) == 0
