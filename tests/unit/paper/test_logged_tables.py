"""Tables with pictures in the report: a picture stands beside its row."""

import base64
from pathlib import Path
from typing import Any

import pytest
from caduceus.io.files import write_json
from caduceus.paper.report.contents import Sources, read_contents
from caduceus.paper.report.logged_tables import logged_table_section
from caduceus.paper.report.page import write_page
from caduceus.statistics.settings import Methods
from run_files import plan, summary

PNG = b"\x89PNG"
SOURCE = f"data:image/png;base64,{base64.b64encode(PNG).decode()}"
FILE = "media/table/predictions_3.table.json"


def picture(path: str, **more: Any) -> dict[str, Any]:
    return {"_type": "image-file", "path": path, **more}


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """An experiment of two seeds that have logged predictions below `val`, and a table of text."""
    results = tmp_path / "results"
    plan({"toy-s0": None, "toy-s1": None}).write(results / "experiments/toy.json")
    rows = [[n, picture("media/images/a.png", caption=f"<b>{n}"), "x" * 300] for n in range(10)]
    rows[1][1] = picture("media/../../../a.png")
    rows[2][1] = picture("media/images/large.png")
    logged = {
        "val": {"predictions": {"_type": "table-file", "path": FILE}},
        "text": {"_type": "table-file", "path": "media/table/text.table.json"},
        "outside": {"_type": "table-file", "path": "../../../secret.json"},
        "loss": 1,
    }
    for run in ("toy-s0", "toy-s1"):
        folder = results / "runs" / run
        of_run = summary(run, experiment="toy", variant="rate=1", summary=logged)
        of_run.write(folder / "run_summary.json")
        write_json(folder / FILE, {"columns": ["id", "image", "<i>note"], "data": rows})
        write_json(folder / "media/table/text.table.json", {"columns": ["a"], "data": [["Image"]]})
        (folder / "media/images").mkdir()
        (folder / "media/images/a.png").write_bytes(PNG)
        (folder / "media/images/large.png").write_bytes(PNG + bytes(300_000))
    return results


def test_the_first_run_of_a_variant_shows_its_pictures_beside_their_rows(results: Path) -> None:
    (table,) = logged_table_section([results / "experiments/toy.json"]).tables
    assert (table["run"], table["title"]) == ("toy-s0", "val.predictions · toy · rate=1")
    assert (len(table["rows"]), table["more"]) == (8, 2)
    assert table["file"].endswith(f"runs/toy-s0/{FILE}")
    assert table["rows"][0][:2] == [{"text": "0"}, {"text": "<b>0", "source": SOURCE}]
    assert table["rows"][0][2]["text"] == "x" * 200 + "…"


def test_a_table_that_an_archive_left_out_is_not_shown(results: Path) -> None:
    (results / "runs/toy-s0" / FILE).unlink()
    assert logged_table_section([results / "experiments/toy.json"]).tables == []


def test_a_large_picture_and_one_outside_of_the_run_are_named_only(results: Path) -> None:
    (results.parent / "a.png").write_bytes(PNG)
    (table,) = logged_table_section([results / "experiments/toy.json"]).tables
    assert [table["rows"][row][1] for row in (1, 2)] == [
        {"text": "media/../../../a.png"},
        {"text": "media/images/large.png"},
    ]


def test_tables_beyond_the_room_for_pictures_are_counted(results: Path) -> None:
    runs = ("toy-s0", "toy-s1")
    for run in runs:
        folder = results / "runs" / run
        logged = {"val": {"predictions": {"_type": "table-file", "path": FILE}}}
        summary(run, experiment="toy", variant=run, summary=logged).write(
            folder / "run_summary.json"
        )
    plans = [results / "experiments/toy.json"]
    assert [table["run"] for table in logged_table_section(plans).tables] == list(runs)
    found = logged_table_section(plans, most=len(SOURCE))
    assert ([table["run"] for table in found.tables], found.left_out) == (["toy-s0"], 1)


def test_the_page_has_the_pictures_and_escapes_what_was_logged(results: Path) -> None:
    sources = Sources(groups=[], plans=[results / "experiments/toy.json"])
    write_page(read_contents("toys", sources, Methods(resamples=99)), results / "index.html")
    page = (results / "index.html").read_text()
    assert f'<td>0</td><td><img src="{SOURCE}" alt="&lt;b&gt;0"' in page
    assert "<th>&lt;i&gt;note</th>" in page
    assert '<a href="#logged">Logged tables</a>' in page
