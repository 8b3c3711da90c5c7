"""The commit that code is of, asked of the real git."""

import subprocess
from pathlib import Path

import pytest
from caduceus.io.files import read_json
from caduceus.project.plan_run import plan_run
from caduceus.runs import source_code
from caduceus.runs.folder import RunFolder
from caduceus.system.git import UNKNOWN, read_commit, remote_of, repository_of
from run_files import attempt, params


def git(folder: Path, *words: str) -> str:
    about = ["-c", "user.name=me", "-c", "user.email=me@example.org"]
    command = ["git", "-C", str(folder), *about, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    git(tmp_path, "init")
    (tmp_path / "study").mkdir()
    (tmp_path / "study/train.py").write_text("a = 1\n")
    (tmp_path / "notes.txt").write_text("a\n")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "first")
    return tmp_path


@pytest.mark.parametrize("inside", [".", "study"])
def test_code_as_committed_is_clean(repository: Path, inside: str) -> None:
    code = [repository / "study/train.py"]
    assert read_commit(code, repository / inside) == {
        "commit": git(repository, "rev-parse", "HEAD"),
        "is_dirty": False,
    }


@pytest.mark.parametrize(
    ("file", "is_code", "is_dirty"),
    [
        ("study/train.py", True, True),
        ("notes.txt", False, True),  # it is tracked, and a program may read it
        ("study/new.py", True, True),
        ("scratch.txt", False, False),  # git knows nothing of it, and the code doesn't need it
    ],
)
def test_a_change_makes_it_dirty(
    repository: Path, file: str, is_code: bool, is_dirty: bool
) -> None:
    (repository / file).write_text("a = 2\n")
    code = [repository / "study/train.py", *[repository / file] * is_code]
    assert read_commit(code, repository / "study")["is_dirty"] is is_dirty


def test_without_a_commit_nothing_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert read_commit([], tmp_path) == UNKNOWN
    git(tmp_path, "init")
    assert read_commit([], tmp_path) == UNKNOWN
    monkeypatch.setenv("PATH", "")
    assert read_commit([], tmp_path) == UNKNOWN


def test_no_password_of_a_remote_is_told(repository: Path) -> None:
    assert remote_of(repository) is None
    for address, told in (
        ("https://me:secret@example.org/me/paper.git", "https://example.org/me/paper.git"),
        ("git@example.org:me/paper.git", "git@example.org:me/paper.git"),
        ("/srv/paper.git", "/srv/paper.git"),
    ):
        git(repository, "config", "remote.origin.url", address)
        assert remote_of(repository) == told


def test_an_unpacked_project_is_kept_where_its_archive_says(repository: Path) -> None:
    address = "https://example.org/me/paper.git"
    git(repository, "config", "remote.origin.url", address)
    project = repository / "project"
    project.mkdir()
    assert repository_of(project) == address
    (repository / "caduceus.json").write_text('{"repository": "https://example.org/theirs"}')
    assert repository_of(project) == "https://example.org/theirs"


def test_a_plan_notes_the_commit_of_its_snapshot_until_the_run_has_finished(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(repository)
    program = Path("study/train.py")
    code = source_code.code_identity([program], None, Path())
    definition = params(program=str(program), code=code)
    folder = RunFolder(Path("results/runs/one"))

    def plan() -> dict[str, object]:
        plan_run(definition, None, program, folder.path / "params.json")
        return read_json(folder.commit)

    first = {"commit": git(repository, "rev-parse", "HEAD"), "is_dirty": False}
    assert plan() == first
    Path("notes.txt").write_text("b\n")
    assert plan() == first | {"is_dirty": True}
    git(repository, "commit", "--all", "-m", "second")
    second = {"commit": git(repository, "rev-parse", "HEAD"), "is_dirty": False}
    assert plan() == second != first
    attempt().write(folder.attempts / "1.json")
    Path("notes.txt").write_text("c\n")
    assert plan() == second
