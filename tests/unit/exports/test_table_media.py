"""A table whose pictures the log doesn't have is said to have none."""

import json
from pathlib import Path
from typing import Any

import pytest
from caduceus.exports.table_media import unlogged_tables
from caduceus.wandb_log import Artifact, Segment

FILE = "media/table/t_0_ab.table.json"


def segment(path: Path, client_id: str = "", summary: Any = None) -> Segment:
    logged = Artifact("run-abc-t", "run_table", "digest", (), None, False, {}, "", client_id)
    return Segment(path, artifacts=[logged] if client_id else [], summary=summary or {})


@pytest.mark.parametrize(
    ("cell", "client_id", "is_said"),
    [("Image", "", True), ("Image", "other", True), ("Image", "ab", False), ("text", "", False)],
)
@pytest.mark.parametrize("place", ["row", "summary"])
def test_only_pictures_that_no_artifact_of_the_log_has_are_said(
    tmp_path: Path, cell: str, client_id: str, is_said: bool, place: str
) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(json.dumps({"columns": ["a"], "data": [[1], [cell]]}))
    summary = {"t": {"artifact_path": "wandb-client-artifact://ab/t.table.json", "path": FILE}}
    known = [segment(tmp_path / "x.wandb", client_id, summary if place == "summary" else None)]
    tables = {"ab/t.table.json": FILE} if place == "row" else {}
    found = list(unlogged_tables(known, tables, tmp_path))
    assert [
        line.startswith(f"tables: the log has no pictures and the like of {FILE}, as the run")
        for line in found
    ] == [True] * is_said


@pytest.mark.parametrize("text", ["", "[]", '{"data": 5}', '{"data": [5]}', "[" * 100_000])
def test_what_is_no_table_is_not_said(tmp_path: Path, text: str) -> None:
    (tmp_path / FILE).parent.mkdir(parents=True)
    (tmp_path / FILE).write_text(text)
    assert list(unlogged_tables([], {"ab/t.table.json": FILE, "c/d": "../x"}, tmp_path)) == []
