"""Only rows before the last one of a server are lost; later ones are sent by the next sync."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from caduceus.server.lost_rows import lost_rows


def export(folder: Path, steps: Sequence[int]) -> Path:
    folder.mkdir()
    lines = ["_step,loss", *(f"{step},0.5" for step in steps)]
    (folder / "metrics_history.csv").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.parametrize(
    ("here", "there", "said"),
    [
        (range(5), range(5), ""),
        (range(5), [], ""),
        (range(5), range(3), ""),
        (range(3), range(5), ""),
        (range(5), [3, 4], "3 rows of abc, from _step 0 to 2,"),
        (range(5), [0, 1, 3], "1 row of abc, from _step 2 to 2,"),
        ([0, 1, 1, 2], [0, 1, 2], "1 row of abc, from _step 1 to 1,"),
    ],
)
def test_rows_that_no_sync_sends_are_named(
    tmp_path: Path, here: Sequence[int], there: Sequence[int], said: str
) -> None:
    own, other = export(tmp_path / "here", here), export(tmp_path / "there", there)
    found = "".join(lost_rows(own, other, "abc", "http://server/e/p/runs/abc"))
    assert bool(found) == bool(said)
    assert said in found
