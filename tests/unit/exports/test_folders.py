"""`caduceus export`: nothing in a log can hurt, and a bad run costs no other."""

import base64
import hashlib
import json
import multiprocessing
import os
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from caduceus.__main__ import main
from caduceus.exports import folders
from caduceus.io.files import files_below, is_file
from caduceus.io.names import is_safe_name
from caduceus.runs.files.export import Manifest
from caduceus.wandb_log.records import HISTORY
from caduceus.wandb_log.wire import encode
from caduceus.wandb_log.writing import ARTIFACT, EXIT, RUN, LogWriter, write_items

Files = Mapping[str, Path | str]  # of an artifact: the place of each, by its name inside


def write_log(
    logs: Path,
    run_id: str,
    artifacts: Mapping[str, Files] | None = None,
    folder: str = "",
    started: int = 1,
    group: str = "",
) -> Path:
    """A log of one row, as a process of wandb leaves it; return its folder."""
    place = logs / f"offline-run-{folder or run_id}"
    place.mkdir(parents=True)
    about = {"run_id": run_id, "start_time": {"seconds": started, "nanos": 0}, "run_group": group}
    with LogWriter(place / "run-x.wandb") as writer:
        writer.append(RUN, encode("Run", about))
        writer.append(HISTORY, write_items([(("_step",), "0"), (("loss",), "0.5")]))
        for name, files in (artifacts or {}).items():
            contents = [
                {"path": inside, "digest": md5(Path(path)), "size": 1, "local_path": str(path)}
                for inside, path in files.items()
            ]
            told = {"name": name, "type": "t", "digest": "d", "manifest": {"contents": contents}}
            writer.append(ARTIFACT, encode("Artifact", told))
        writer.append(EXIT, encode("Exit", {"exit_code": 0}))
    return place


def md5(path: Path) -> str:
    if not is_file(path):
        return "unknown"
    return base64.b64encode(hashlib.md5(path.read_bytes()).digest()).decode()


def export(tmp_path: Path, *more: str) -> int:
    words = ["export", str(tmp_path / "logs"), "--out", str(tmp_path / "out"), "--jobs", "1"]
    return main([*words, *more])


def exported(tmp_path: Path, run: str) -> list[str]:
    """Return the paths of the media and artifacts in a run's export."""
    folder = tmp_path / "out/runs" / run
    found = [file for name in ("media", "artifacts") for file in files_below(folder / name)]
    return [file.relative_to(folder).as_posix() for file in found]


BAD_IDS = ["..", ".", "a\0b", "a\nb", "x" * 300, "CON", "nul.txt", "\x1b[2J"]


@pytest.mark.parametrize("run_id", BAD_IDS)
@pytest.mark.parametrize("is_alone", [True, False])
def test_an_id_that_can_name_no_folder_is_refused_by_name(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], run_id: str, is_alone: bool
) -> None:
    mine = [tmp_path / "out" / name for name in ("artifacts/model.bin", "media/me.png", "a.csv")]
    for path in mine:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("mine")
    write_log(tmp_path / "logs", run_id, folder="bad")
    if not is_alone:
        write_log(tmp_path / "logs", "good")
    assert export(tmp_path, "--groups") == 3
    said = capfd.readouterr()
    shown = ascii(run_id if len(run_id) < 60 else f"{run_id[:60]}...")
    assert f"offline-run-bad/run-x.wandb: not exported, as its id {shown} can't be a" in said.err
    assert f"exported runs: {0 if is_alone else 1}, to" in said.out
    assert all(path.read_text() == "mine" for path in mine)
    runs = tmp_path / "out/runs"
    assert [path.name for path in runs.glob("*")] == ([] if is_alone else ["good"])


def test_an_empty_id_is_refused(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", "", folder="bad")
    assert export(tmp_path) == 3
    assert not (tmp_path / "out/runs").exists()


BAD_FILES = [
    "../../up.txt",
    "/abs.txt",
    "a/../../up.txt",
    "a//b",
    "",
    ".",
    "a\0b",
    "x" * 300,
    "a\nb",
]


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_of_an_artifact_is_refused_by_name_and_the_others_are_exported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "source").write_text("content")
    files: Files = {name: tmp_path / "source", "good/x.txt": tmp_path / "source"}
    write_log(tmp_path / "logs", "abc", {"data": files, "more": {"y.txt": tmp_path / "source"}})
    before = sorted(tmp_path.rglob("*"))
    assert export(tmp_path) == 3
    shown = ascii(name if len(name) < 60 else f"{name[:60]}...")
    problem = f"artifact data: the name {shown} can't be a file's"
    assert capfd.readouterr().err == f"caduceus export: abc: {problem}\n"
    assert exported(tmp_path, "abc") == ["artifacts/data/good/x.txt", "artifacts/more/y.txt"]
    new = [path for path in tmp_path.rglob("*") if path not in before]
    assert all(path.is_relative_to(tmp_path / "out/runs/abc") for path in new[2:])
    manifest = json.loads((tmp_path / "out/runs/abc/manifest.json").read_text())
    assert manifest["left_out"] == [problem]


@pytest.mark.parametrize("name", ["..", "../../x", "", ".", "a/b", "a\0b", "x" * 300, "prn"])
def test_an_artifact_is_refused_by_name_and_the_others_are_exported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str
) -> None:
    (tmp_path / "source").write_text("content")
    files: Files = {"x.txt": tmp_path / "source"}
    write_log(tmp_path / "logs", "abc", {name: files, "good": files})
    assert export(tmp_path) == 3
    shown = ascii(name if len(name) < 60 else f"{name[:60]}...")
    assert f"abc: artifact {shown}: its name can't be a folder's\n" in capfd.readouterr().err
    assert exported(tmp_path, "abc") == ["artifacts/good/x.txt"]


@pytest.mark.parametrize("place", ["/gone", f"/{'x' * 300}", "/a\0b", "/dev/zero", "/", "~", ""])
@pytest.mark.parametrize("is_moved", [False, True])
def test_a_file_that_is_nowhere_costs_itself_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], place: str, is_moved: bool
) -> None:
    (tmp_path / "source").write_text("content")
    lost = f"/elsewhere/offline-run-abc{place}" if is_moved else place
    files: Files = {"lost": lost, "good": tmp_path / "source"}
    write_log(tmp_path / "logs", "abc", {"data": files})
    assert export(tmp_path) == (3 if lost else 0)
    said = capfd.readouterr().err
    assert ("abc: artifact data, file lost: " in said and "is missing" in said) == bool(lost)
    assert exported(tmp_path, "abc") == ["artifacts/data/good"]


def test_a_file_beside_a_folder_of_its_name_costs_itself_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "source").write_text("content")
    files: Files = dict.fromkeys(("a", "a/b", "c"), tmp_path / "source")
    write_log(tmp_path / "logs", "abc", {"data": files})
    assert export(tmp_path) == 3
    assert "artifact data, file a/b: another file has the name" in capfd.readouterr().err
    assert exported(tmp_path, "abc") == ["artifacts/data/a", "artifacts/data/c"]


def test_links_among_media_are_followed_inside_the_run_only(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    secret = tmp_path / "home/secret.txt"
    secret.parent.mkdir()
    secret.write_text("secret")
    files = write_log(tmp_path / "logs", "abc") / "files"
    (files / "media/images").mkdir(parents=True)
    (files / "media/images/real.png").write_text("picture")
    (files / "config.yaml").write_text("kept")
    links = {"near.png": "real.png", "far.txt": secret, "gone.png": "nothing.png"}
    links |= {"inside.yaml": "../../config.yaml", "up": "..", "home": secret.parent}
    for name, target in links.items():
        (files / "media/images" / name).symlink_to(target)
    assert export(tmp_path) == 3
    said = capfd.readouterr().err
    for name in ("far.txt", "gone.png", "home", "up/images/up"):
        shown = f"images/{name}"
        assert f"abc: media: '{shown}' isn't a file of the run\n" in said, name
    found = exported(tmp_path, "abc")
    media = ["images/inside.yaml", "images/near.png", "images/real.png"]
    assert found[:3] == [f"media/{name}" for name in media]
    assert all(name.startswith("media/images/up/images/") for name in found[3:])
    out = tmp_path / "out/runs/abc/media/images"
    assert (out / "near.png").read_text() == "picture"
    assert not any(path.is_symlink() for path in out.rglob("*"))
    assert "secret" not in [path.read_text() for path in files_below(tmp_path / "out")]


@pytest.mark.parametrize("link", ["files", "files/media"])
def test_a_folder_of_media_that_lies_elsewhere_is_not_exported(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], link: str
) -> None:
    (tmp_path / "home/media").mkdir(parents=True)
    (tmp_path / "home/media/secret.txt").write_text("secret")
    place = write_log(tmp_path / "logs", "abc") / link
    place.parent.mkdir(exist_ok=True)
    place.symlink_to(tmp_path / ("home" if link == "files" else "home/media"))
    assert export(tmp_path) == 3
    assert "files/media leads out of the run's files\n" in capfd.readouterr().err
    assert exported(tmp_path, "abc") == []


def test_what_a_program_may_go_on_writing_is_copied_and_a_link_is_what_it_leads_to(
    tmp_path: Path,
) -> None:
    staged = tmp_path / "logs/artifacts/staging/tmp1"
    mine, link = tmp_path / "work/model.bin", tmp_path / "work/link.bin"
    for path in (staged, mine):
        path.parent.mkdir(parents=True)
        path.write_text("weights")
    link.symlink_to("model.bin")
    write_log(tmp_path / "logs", "abc", {"model": {"s": staged, "m": mine, "l": link}})
    assert export(tmp_path) == 0
    out = tmp_path / "out/runs/abc/artifacts/model"
    assert (out / "s").samefile(staged)
    assert not (out / "m").samefile(mine)
    mine.write_text("changed")
    assert {name: (out / name).read_text() for name in "sml"} == dict.fromkeys("sml", "weights")
    assert not (out / "l").is_symlink()


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_bad_run_or_group_costs_no_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], jobs: str
) -> None:
    for name in ("one", "two"):
        write_log(tmp_path / "logs", name, group="g")
    write_log(tmp_path / "logs", "late", started=10**12)  # a year that Python doesn't have
    write_log(tmp_path / "logs", "taken")
    write_log(tmp_path / "logs", "alone", group="h")
    (tmp_path / "out/runs").mkdir(parents=True)
    (tmp_path / "out/runs/taken").write_text("a file of mine")
    (tmp_path / "out/groups").mkdir()
    (tmp_path / "out/groups/g").write_text("another")
    assert export(tmp_path, "--groups", "--jobs", jobs) == 3
    said = capfd.readouterr()
    assert "exported runs: 3, to" in said.out
    assert "caduceus export: late: not exported: ValueError('year 33658 is out of" in said.err
    assert "caduceus export: taken: not exported: [Errno 17] File exists: " in said.err
    assert "caduceus export: group g: not exported: " in said.err
    for name in ("one", "two", "alone"):
        assert (tmp_path / f"out/runs/{name}/manifest.json").exists()
    assert (tmp_path / "out/groups/h/runs.csv").exists()
    assert (tmp_path / "out/runs/taken").read_text() == "a file of mine"


def test_a_run_whose_process_is_killed_costs_no_other(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    if multiprocessing.get_start_method() != "fork":
        pytest.skip("only forked processes have the function that this test patches")
    for name in ("one", "bad", "two", "three"):
        write_log(tmp_path / "logs", name)
    really = folders.export_logs

    def export_logs(logs: Sequence[Path], folder: Path) -> Manifest:
        if folder.name == "bad":
            os.kill(os.getpid(), signal.SIGKILL)
        return really(logs, folder)

    monkeypatch.setattr(folders, "export_logs", export_logs)
    assert export(tmp_path, "--jobs", "2") == 3
    said = capfd.readouterr()
    assert "exported runs: 3, to" in said.out
    problem = "not exported: its process was killed; is memory short?"
    lines = [line for line in said.err.splitlines() if line.startswith("caduceus export: ")]
    assert lines == [f"caduceus export: bad: {problem}"]


GROUPS = [
    "x" * 300,
    "y" * 255,
    "CON",
    "con.x",
    "..",
    ".",
    "a\0b",
    "a/b",
    "a_b",
    "ungrouped",
    "",
    "ä",
]


def test_every_group_gets_a_folder_of_its_own(tmp_path: Path) -> None:
    for number, group in enumerate(GROUPS):
        write_log(tmp_path / "logs", f"run{number}", group=group)
    assert export(tmp_path, "--groups") == 0
    made = [path.parent for path in (tmp_path / "out").rglob("runs.csv")]
    assert len(made) == len(GROUPS)
    assert all(path.parent == tmp_path / "out/groups" for path in made)
    assert all(is_safe_name(path.name) for path in made)


def test_a_log_that_is_no_file_is_named_and_not_waited_for(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    write_log(tmp_path / "logs", "good")
    os.mkfifo(tmp_path / "logs/pipe.wandb")
    (tmp_path / "logs/zeros.wandb").symlink_to("/dev/zero")
    (tmp_path / "logs/folder.wandb").mkdir()
    (tmp_path / "logs/gone.wandb").symlink_to("nothing")
    assert export(tmp_path) == 3
    said = capfd.readouterr()
    assert "exported runs: 1, to" in said.out
    for name in ("pipe", "zeros", "folder", "gone"):
        assert f"caduceus export: {tmp_path}/logs/{name}.wandb: " in said.err


def test_a_run_that_fails_leaves_no_manifest_of_an_earlier_export(tmp_path: Path) -> None:
    write_log(tmp_path / "logs", "abc")
    assert export(tmp_path) == 0
    (tmp_path / "logs/offline-run-abc/run-x.wandb").unlink()
    write_log(tmp_path / "logs", "abc", folder="again", started=10**12)
    assert export(tmp_path) == 3
    assert not (tmp_path / "out/runs/abc/manifest.json").exists()
