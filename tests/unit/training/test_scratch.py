"""W&B's folder on a disk of the host: at home while it grows, and all of it at the end."""

import shutil
from pathlib import Path

import pytest
from caduceus.errors import ResourceError, ResultError
from caduceus.io.files import files_below
from caduceus.training.scratch import Mirror, open_scratch, recover


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    (tmp_path / "disk").mkdir()
    return tmp_path / "disk"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "results/runs/toy/work/wandb/1"
    home.mkdir(parents=True)
    return home


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def contents(folder: Path) -> dict[str, str]:
    return {path.relative_to(folder).as_posix(): path.read_text() for path in files_below(folder)}


def runs_of(home: Path) -> Path:
    return home.parents[3]


def test_what_grows_is_appended_and_what_changes_replaced(disk: Path, home: Path) -> None:
    log = write(disk / "wandb/run/run.wandb", "abc")
    other = write(disk / "wandb/run/files/config.yaml", "1")
    (disk / "wandb/latest-run").symlink_to("run")
    mirror = Mirror(disk, home, every_s=0, step_s=600)
    mirror.step()
    at_home = home / "wandb/run/run.wandb"
    number = at_home.stat().st_ino
    at_home.write_text("ABC")  # by which a second copy of the whole would show

    with log.open("a") as stream:
        stream.write("def")
    other.write_text("22")
    write(disk / "data/artifacts/staging/x", "new")
    mirror.step()
    assert at_home.read_text() == "ABCdef"
    assert at_home.stat().st_ino == number
    assert (home / "wandb/latest-run").readlink() == Path("run")
    assert contents(home / "wandb/run/files") == {"config.yaml": "22"}
    assert contents(home / "data") == {"artifacts/staging/x": "new"}

    (disk / "data/artifacts/staging/x").unlink()
    log.write_text("z")  # another log under the name
    mirror.finish(lambda: None)
    assert at_home.read_text() == "z"
    assert contents(home / "data") == {}


def test_a_log_at_home_names_no_file_that_is_not_there(disk: Path, home: Path) -> None:
    log = write(disk / "run.wandb", "a" * 10)
    write(disk / "media/one.png", "1")
    mirror = Mirror(disk, home, every_s=0, step_s=600)
    copying = mirror._copy()
    next(copying)  # the files are known by now
    log.write_text("a" * 20)
    for _ in copying:
        pass
    assert contents(home) == {"media/one.png": "1", "run.wandb": "a" * 10}


def test_a_large_file_is_copied_a_little_at_a_time(disk: Path, home: Path) -> None:
    write(disk / "model", "m" * 35)
    write(disk / "run.wandb", "w" * 35)
    mirror = Mirror(disk, home, every_s=0, step_s=-1, chunk_bytes=10)
    for copied in (0, 0, 0, 0, 10, 20, 30, 35):
        mirror.step()
        log = home / "run.wandb"
        assert (log.stat().st_size if log.exists() else 0) == copied
    assert (home / "model").read_text() == "m" * 35
    assert sorted(contents(home)) == ["model", "run.wandb"]


def test_a_copy_that_was_broken_off_leaves_nothing(disk: Path, home: Path) -> None:
    model = write(disk / "model", "m" * 35)
    mirror = Mirror(disk, home, every_s=0, step_s=-1, chunk_bytes=10)
    mirror.step()
    assert len(list(home.iterdir())) == 1
    model.unlink()
    mirror.finish(lambda: None)
    assert list(home.iterdir()) == []


def test_between_the_rounds_it_rests(disk: Path, home: Path) -> None:
    log = write(disk / "run.wandb", "a")
    mirror = Mirror(disk, home, every_s=600)
    mirror.step()
    log.write_text("ab")
    mirror.step()
    assert contents(home) == {"run.wandb": "a"}


def test_a_home_that_takes_nothing_for_a_while_is_tried_again(disk: Path, home: Path) -> None:
    write(disk / "wandb/run.wandb", "a")
    (home / "wandb").write_text("in the way")
    mirror = Mirror(disk, home, every_s=0, step_s=600)
    mirror.step()
    (home / "wandb").unlink()
    mirror.step()
    assert contents(home) == {"wandb/run.wandb": "a"}


def test_all_comes_home_and_nothing_is_left(
    disk: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_DISK", str(disk))
    stay = open_scratch("${NODE_DISK}", home, runs_of(home))
    assert stay.folder.is_relative_to(disk)
    assert stay.folder.parts[-4:] == ("toy", "work", "wandb", "1")
    assert stay.private is not None
    assert stay.private.stat().st_mode & 0o077 == 0
    with pytest.raises(KeyboardInterrupt), stay.copied_back():
        write(stay.folder / "wandb/run.wandb", "a")
        raise KeyboardInterrupt
    assert contents(home) == {"wandb/run.wandb": "a"}
    assert list(disk.iterdir()) == []


def test_a_folder_that_was_swept_away_takes_nothing_along(disk: Path, home: Path) -> None:
    write(disk / "wandb/run/run-a.wandb", "abc")
    mirror = Mirror(disk, home, every_s=0, step_s=600)
    mirror.step()
    shutil.rmtree(disk)
    with pytest.raises(FileNotFoundError, match="the folder on scratch was deleted"):
        mirror.finish(lambda: None)
    assert (home / "wandb/run/run-a.wandb").read_text() == "abc"


def test_without_scratch_all_stays_at_home(home: Path) -> None:
    stay = open_scratch(None, home, runs_of(home))
    assert (stay.folder, stay.private) == (home, None)
    with stay.copied_back():
        write(home / "run.wandb", "a")
        stay.step()
    assert contents(home) == {"run.wandb": "a"}


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ("$NO_SUCH_DISK/x", r"\$NO_SUCH_DISK isn't set on .*; set it there, or name another"),
        ("${NO_SUCH_DISK}", r"\$\{NO_SUCH_DISK\} isn't set on"),
        ("/proc/nowhere", "/proc/nowhere on .*: No such file or directory; name a folder that can"),
    ],
)
def test_a_folder_that_cannot_be_had_is_one_line(home: Path, where: str, expected: str) -> None:
    with pytest.raises(ResourceError, match=f"^config.yaml: wandb.scratch: {expected}"):
        open_scratch(where, home, runs_of(home))


def test_what_cannot_come_home_waits_and_is_named(disk: Path, home: Path) -> None:
    stay = open_scratch(str(disk), home, runs_of(home))
    with (
        pytest.raises(
            ResultError, match=f"can't be copied back from scratch; fix that, and copy {disk}/.*"
        ),
        stay.copied_back(),
    ):
        write(stay.folder / "wandb/run.wandb", "a")
        (home / "wandb").write_text("in the way")
    assert contents(stay.folder) == {"wandb/run.wandb": "a"}

    (home / "wandb").unlink()
    recover(stay.private, home, runs_of(home))
    assert contents(home) == {"wandb/run.wandb": "a"}
    assert list(disk.iterdir()) == []
    recover(stay.private, home, runs_of(home))  # or the host has cleaned up itself
    assert contents(home) == {"wandb/run.wandb": "a"}
