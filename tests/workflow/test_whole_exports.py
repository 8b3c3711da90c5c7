"""Everything that a program logged is in its export, and the same from a log and a server."""

import csv
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
from both_exports import Exports, connect, export_from_server, log_and_export
from caduceus.exports import history, table_media
from caduceus.exports.equality import differences
from caduceus.exports.run import export_logs
from caduceus.io.files import files_below, read_json
from caduceus.runs.files.export import Manifest
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.artifacts import read_artifacts
from caduceus.server.staging import held_artifacts
from caduceus.wandb_log import read_log
from wandb_server import WandbServer

PROGRAM = """
from pathlib import Path
import numpy, wandb

def log_text(run, text, aliases):
    artifact = wandb.Artifact("best-model", "model", description="the best so far")
    with artifact.new_file("model.txt") as stream:
        stream.write(text)
    run.log_artifact(artifact, aliases=aliases)

with wandb.init(mode="offline", project="p", entity="alice", id="abc", name="one") as run:
    log_text(run, "one", ["best"])
    log_text(run, "two", ["latest"])
    log_text(run, "one", ["best", "latest"])  # the second was worse: back to the first
    data = wandb.Artifact("data", "dataset", description="links, äöü")
    Path("local.txt").write_text("by reference")
    data.add_reference("https://example.org/weights?version=7", name="unchecked", checksum=False)
    data.add_reference(Path("local.txt").absolute().as_uri(), name="checked.txt")
    run.log_artifact(data)
    run.log({"loss": 1})
    for step in range(3):  # in the last step the pictures of the first
        table = wandb.Table(columns=["id", "image", "text"])
        for index in range(2):
            pixels = numpy.full((4, 4, 3), 100 * index + step % 2, numpy.uint8)
            mask = {"mask_data": numpy.full((4, 4), index), "class_labels": {0: "a", 1: "b"}}
            picture = wandb.Image(pixels, caption=f"c{index}", masks={"truth": mask})
            table.add_data(index, picture, wandb.Html(f"<b>{index}</b>"))
        run.log({"deep": {"predictions": table}})
    run.log({"plain": wandb.Table(columns=["a"], data=[["Image"], [float("nan")]])})
    run.log({"long": wandb.Table(columns=["a"], data=[[index] for index in range(10_050)])})
    saved = {"model.h5": "model", "below/x.txt": "x", "now.txt": "now", ".hidden": "secret"}
    Path("below").mkdir()
    for name, text in saved.items():
        Path(name).write_text(text)
    run.save("model.h5")
    run.save("below/*.txt")
    run.save("now.txt", policy="now")
    Path("model.h5").write_text("model, at the end")
    Path(run.dir, "own").mkdir()
    Path(run.dir, "own/notes.txt").write_text("notes")
    Path(run.dir, "logs").mkdir()
    Path(run.dir, "logs/train.log").write_text("log")
    Path(run.dir, "code").mkdir(exist_ok=True)
    Path(run.dir, "code/train.py").write_text("print()")  # as `save_code` keeps it
    run.summary["best"] = wandb.Table(columns=["image"], data=[[wandb.Image(pixels)]])
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    with WandbServer() as server:
        yield log_and_export(server, tmp_path_factory.mktemp("whole"), PROGRAM)
        assert (server.problems, server.doubled) == ([], [])


def test_both_exports_are_equal(exports: Exports) -> None:
    assert differences(*exports.both) == []


def test_an_artifact_that_went_back_to_an_earlier_content_has_that_content(
    exports: Exports,
) -> None:
    for folder, summary in zip(exports.both, exports.summaries(), strict=True):
        assert (folder / "artifacts/best-model/model.txt").read_text() == "one"
        *_, last = (each for each in summary.artifacts if each.name == "best-model")
        first, *_ = (each for each in summary.artifacts if each.name == "best-model")
        assert {"best", "latest"} <= set(last.aliases)
        assert not {"best", "latest"} & set(first.aliases)


def test_a_server_that_lists_versions_by_age_gives_the_last_content(
    exports: Exports, tmp_path: Path
) -> None:
    run = exports.server.run("abc")
    run.logged.sort(key=lambda artifact: artifact.version_index or 0)
    folder = export_from_server(exports.server, tmp_path)
    assert (folder / "artifacts/best-model/model.txt").read_text() == "one"


def test_an_earlier_content_that_a_server_holds_is_uploaded_again_to_be_the_latest(
    exports: Exports,
) -> None:
    found = read_artifacts(connect(exports.server), RunPath("alice", "p", "abc"))
    names = {(artifact.name, artifact.digest) for artifact in found}
    assert held_artifacts(found, [exports.log]) == names
    first, second = sorted(
        (each for each in found if each.name == "best-model"), key=lambda each: each.aliases
    )
    stale = [
        replace(first, aliases=second.aliases),
        replace(second, aliases=()),
        *(each for each in found if each.name != "best-model"),
    ]
    assert held_artifacts(stale, [exports.log]) == names - {(second.name, second.digest)}


def test_references_keep_their_address_and_artifacts_their_description(exports: Exports) -> None:
    for summary in exports.summaries():
        (data,) = (artifact for artifact in summary.artifacts if artifact.name == "data")
        assert data.description == "links, äöü"
        address = "https://example.org/weights?version=7"
        assert (data.files["unchecked"].ref, data.files["unchecked"].md5) == (address, address)
        local = data.files["checked.txt"]
        assert (local.ref or "").startswith("file:///")
        assert local.bytes == len("by reference")
        (model, *_) = (each for each in summary.artifacts if each.name == "best-model")
        assert model.files["model.txt"].ref is None
        assert "ref" not in model.to_json()["files"]["model.txt"]


def tables(folder: Path, key: str) -> list[list[list[Any]]]:
    """Return the rows of each logged table."""
    with (folder / "metrics_history.csv").open(newline="") as stream:
        cells = [row[key] for row in csv.DictReader(stream) if row.get(key)]
    paths = [folder / json.loads(cell)["path"] for cell in cells]
    return [json.loads(path.read_text())["data"] for path in paths]


def test_cells_of_tables_name_their_pictures_which_are_in_the_export(exports: Exports) -> None:
    for folder in exports.both:
        found = tables(folder, "deep.predictions")
        assert len(found) == 3
        for step, rows in enumerate(found):
            for index, (number, picture, page) in enumerate(rows):
                assert (number, picture["caption"]) == (index, f"c{index}")
                with PIL.Image.open(folder / picture["path"]) as image:
                    assert image.getpixel((0, 0)) == (100 * index + step % 2,) * 3
                with PIL.Image.open(folder / picture["masks"]["truth"]["path"]) as mask:
                    assert mask.getpixel((0, 0)) == index
                assert f"<b>{index}</b>" in (folder / page["path"]).read_text()
        manifest = Manifest.read(folder / "manifest.json")
        assert {cell["path"] for rows in found for row in rows for cell in row[1:]} <= set(
            manifest.files
        )


def test_tables_without_media_are_as_logged_and_whole(exports: Exports) -> None:
    for folder in exports.both:
        [[[word], [number]]] = tables(folder, "plain")
        assert (word, str(number)) == ("Image", "nan")
        assert tables(folder, "long") == [[[index] for index in range(10_050)]]
        summary = read_json(folder / "run_summary.json")["summary"]
        [[picture]] = json.loads((folder / summary["best"]["path"]).read_text())["data"]
        assert (folder / picture["path"]).is_file()


@pytest.mark.parametrize("limit", [0, 1 << 40])
def test_the_size_of_a_log_decides_nothing(
    exports: Exports, tmp_path: Path, limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_LARGE_LOG", limit)  # read by numpy, or row by row
    export_logs([exports.log], tmp_path)
    assert differences(tmp_path, exports.there) == []


def test_a_lost_picture_of_a_table_is_named(exports: Exports, tmp_path: Path) -> None:
    artifacts = read_log(exports.log).artifacts
    used = next(found for found in artifacts if "predictions" in found.name)
    name = next(name for name in used.files if name.endswith(".html"))
    path = used.files[name].path
    assert path is not None
    content = path.read_bytes()
    path.unlink()
    try:
        missing = export_logs([exports.log], tmp_path).missing or ()
    finally:
        path.write_bytes(content)
    assert f"table {used.name}, file {name}: {path} is missing" in missing


def test_files_that_were_saved_are_in_the_export(exports: Exports) -> None:
    saved = {
        "model.h5": "model, at the end",
        "below/x.txt": "x",
        "now.txt": "now",
        "own/notes.txt": "notes",
        "logs/train.log": "log",
        "code/train.py": "print()",
    }
    for folder in exports.both:
        files = files_below(folder / "files")
        assert {
            str(path.relative_to(folder / "files")): path.read_text() for path in files
        } == saved
        manifest = Manifest.read(folder / "manifest.json")
        assert {f"files/{name}" for name in saved} <= manifest.files.keys()
        assert not any(path.is_symlink() for path in files)


def test_tables_of_old_versions_whose_rows_name_no_artifact_are_found_by_their_order(
    exports: Exports, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_media, "CLIENT", "no row has this before an id://")
    export_logs([exports.log], tmp_path)
    assert differences(tmp_path, exports.here) == []
