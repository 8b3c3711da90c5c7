"""A number that isn't in its shortest form is exported alike by both readers of a log."""

import csv
import json
import random
import sys
from pathlib import Path

import pytest
from caduceus.exports import history as exports_history
from caduceus.wandb_log import stitch
from wandb_logs import framed, history

CELLS = {
    **{"1.50": "1.5", "0.10": "0.1", "-2.500": "-2.5", "10.0": "10", "100.00": "100", "0.0": "0"},
    **{"1e2": "100", "1E2": "100", "1e+2": "100", "1e+02": "100", "1.5e2": "150", "-1e2": "-100"},
    **{"1.50e+01": "15", "1.250e+01": "12.5", "1.25e+01": "12.5", "1.25e+00": "1.25"},
    **{"1e-3": "0.001", "1e-03": "0.001", "1.5e-04": "0.00015", "1e-05": "1e-05", "1e-5": "1e-05"},
    **{"0.00001": "1e-05", "12.5e-07": "1.25e-06", "0.5e-07": "5e-08", "1.50e-07": "1.5e-07"},
    **{"10e-07": "1e-06", "1.0e-07": "1e-07", "1e-007": "1e-07", "1e-0007": "1e-07"},
    **{"1.5e-10": "1.5e-10", "1.2345e+10": "12345000000", "1e+20": "1e+20", "1e20": "1e+20"},
    **{"1.50e+20": "1.5e+20", "0e+20": "0", "1e100": "1e+100", "1.0e+100": "1e+100"},
    **{"1e+400": "Infinity", "-1e+400": "-Infinity", "1e-400": "0"},
    **{"0.10000000000000001": "0.1", "0.30000000000000004": "0.30000000000000004"},
    **{"0.1000000000000000055511151231257827": "0.1", "9007199254740993.5": "9007199254740994.0"},
    **{"123456789012345678901": "123456789012345678901", "-0": "0", "-0.0": "0", "100": "100"},
    **{"NaN": "NaN", "-Infinity": "-Infinity", "true": "true", "null": "null", '"1.50"': '"1.50"'},
    "[0.10,1e2]": "[0.1,100]",
}
BOTH = pytest.mark.parametrize("large_from", [sys.maxsize, 0])  # both ways to read a log


def exported(folder: Path, texts: list[str]) -> list[str]:
    """The cells of a metric that is logged as these texts."""
    log = folder / "run-a.wandb"
    rows = [{("_step",): str(step), ("x",): text} for step, text in enumerate(texts)]
    log.write_bytes(framed(history(number, row) for number, row in enumerate(rows, 1)))
    exports_history.export_history(stitch([log]), folder)
    with (folder / "metrics_history.csv").open(newline="") as stream:
        return [row["x"] for row in csv.DictReader(stream)]


@BOTH
def test_each_form_is_the_canonical_cell(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_from: int
) -> None:
    monkeypatch.setattr(exports_history, "_LARGE_LOG", large_from)
    assert dict(zip(CELLS, exported(tmp_path, [*CELLS]), strict=True)) == CELLS


FORMS = ("{!r}", "{:.17g}", "{:.20f}", "{:.3e}", "{:.16e}", "{:.2f}", "{:g}", "{:.6f}", "{:E}")


@BOTH
@pytest.mark.parametrize("form", FORMS)
def test_a_program_that_writes_all_numbers_by_its_own_form(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large_from: int, form: str
) -> None:
    monkeypatch.setattr(exports_history, "_LARGE_LOG", large_from)
    source = random.Random(form)
    values = [source.gauss(0, 1) * 10.0 ** source.randint(-12, 25) for _ in range(300)]
    texts = list(map(form.format, values))
    expected = [
        str(int(value)) if value == int(value) and abs(value) < 2**53 else repr(value)
        for value in map(json.loads, texts)  # whole numbers or floats
    ]
    assert exported(tmp_path, texts) == expected
