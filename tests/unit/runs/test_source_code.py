"""The code of a program: which files, and what in them counts."""

import subprocess
import sys
from pathlib import Path

import pytest
from caduceus.errors import SpecError
from caduceus.runs import source_code

PROGRAM = '''
"""A docstring."""
import os, helper
from package import module
from package.deep.inner import thing
def f(x: int = 1, *args, **kwargs) -> str:
    y = [i for i in range(10) if i % 2]
    return f"{x!r:>{10}} {y} {1.0} {True} {None} {b'x'} é 😀"
class A(object):
    @property
    async def g(self): await x; yield 1
match f:
    case {"a": [1, *rest]} if rest: pass
    case _: pass
lambda a, /, b=-0.0, *, c: (yield)
with open(os.devnull) as s, s: pass
try: pass
except* ValueError: raise
'''
# Of PROGRAM and what it imports; the same under Python 3.11, 3.12 and 3.13.
DIGEST = "577d75a11533a837e017b729b2a94ccf01dabf0e8ce47dd7bb9b31851db8fd56"


@pytest.fixture
def code(tmp_path: Path) -> Path:
    files = {
        "program/train.py": PROGRAM,
        "program/helper.py": "import other",
        "other.py": "x = 1",
        "unused.py": "x = 2",
        "program/package/__init__.py": "",
        "program/package/module.py": "from . import sibling\nfrom .deep import inner",
        "program/package/sibling.py": "",
        "program/package/unused.py": "",
        "program/package/deep/__init__.py": "",
        "program/package/deep/inner.py": "from ..sibling import *\nthing = 1",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def names(code: Path) -> list[str]:
    found = source_code.program_files(code / "program/train.py", code)
    return [path.relative_to(code).as_posix() for path in found]


def digest(code: Path) -> str:
    return source_code.digest(source_code.program_files(code / "program/train.py", code), code)


def test_the_local_modules_a_program_imports_are_found(code: Path) -> None:
    assert names(code) == [
        "other.py",
        "program/helper.py",
        "program/package/__init__.py",
        "program/package/deep/__init__.py",
        "program/package/deep/inner.py",
        "program/package/module.py",
        "program/package/sibling.py",
        "program/train.py",
    ]


def test_modules_of_pythonpath_inside_the_project_are_found(
    code: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (code / "src").mkdir()
    (code / "src/lib.py").write_text("")
    (code / "other.py").write_text("import lib")
    monkeypatch.setenv("PYTHONPATH", f"{code / 'src'}:/elsewhere")
    assert "src/lib.py" in names(code)


def test_a_snapshot_has_the_digest_of_the_code_whatever_pythonpath_is(
    code: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative, absolute, or through a link."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    (elsewhere / "link").symlink_to(code)
    (code / "src").mkdir()
    (code / "src/lib.py").write_text("")
    (code / "other.py").write_text("import lib")
    monkeypatch.chdir(code)
    digests = set()
    for number, place in enumerate((Path(), code, elsewhere / "link")):
        monkeypatch.setenv("PYTHONPATH", str(place / "src"))
        files = source_code.program_files(Path("program/train.py"), Path())
        digests.add(source_code.digest(files, Path()))
        folder = elsewhere / f"snapshot-{number}"
        source_code.snapshot(files, Path(), folder)
        digests.add(source_code.digest(source_code.snapshot_files(folder), folder))
    assert len(digests) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("import os, helper", "import os, helper  # a comment"),
        ("def f(x: int = 1,", "\n\ndef f(\n  x : int=1 ,"),
        ('{"a": [', "{'a': ["),
        ("pass\nlambda", "pass\n\n\nlambda"),
    ],
)
def test_layout_does_not_count(code: Path, old: str, new: str) -> None:
    before = digest(code)
    program = code / "program/train.py"
    assert old in program.read_text()
    program.write_text(program.read_text().replace(old, new))
    assert digest(code) == before


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("range(10)", "range(11)"),
        ("= 1,", "= True,"),
        ("-0.0", "0.0"),
        ("A docstring", "Another docstring"),
        ("é", "è"),
        ("/, b", "b"),
        ("10}", "11}"),
    ],
)
def test_what_the_code_does_counts(code: Path, old: str, new: str) -> None:
    before = digest(code)
    program = code / "program/train.py"
    assert old in program.read_text()
    program.write_text(program.read_text().replace(old, new))
    assert digest(code) != before


def test_a_renamed_or_moved_file_counts_and_a_moved_project_does_not(code: Path) -> None:
    before = digest(code)
    (code / "other.py").rename(code / "program/other.py")
    assert digest(code) != before
    (code / "program/other.py").rename(code / "other.py")
    moved = code.with_name("moved")
    code.rename(moved)
    assert digest(moved) == before


def test_the_digest_is_the_same_for_ever_and_in_every_python(code: Path) -> None:
    """If this fails, every run that users have finished would be trained anew."""
    assert digest(code) == DIGEST


def test_a_file_that_is_not_python_counts_by_its_bytes(tmp_path: Path) -> None:
    script = tmp_path / "train.sh"
    script.write_text("python train.py")
    files = source_code.program_files(script, tmp_path)
    before = source_code.digest(files, tmp_path)
    script.write_text("python train.py ")
    assert files == [script]
    assert source_code.digest(files, tmp_path) != before


def test_a_syntax_error_is_said_with_its_line(code: Path) -> None:
    (code / "other.py").write_text("x = 1\ndef\n")
    with pytest.raises(SpecError, match=r"other.py:2: not Python: "):
        names(code)


def test_patterns_pass_over_what_is_no_code(tmp_path: Path) -> None:
    for name in ("a.py", ".venv/lib/b.py", "results/runs/r/work/code/c.py", "src/.cache/d.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    assert source_code.matching_files(["**/*.py"], tmp_path) == [tmp_path / "a.py"]


def test_a_last_double_star_matches_files_at_any_depth(tmp_path: Path) -> None:
    files = [tmp_path / "src/a.py", tmp_path / "src/deep/er/b.yaml"]
    for path in files:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("")
    assert source_code.matching_files(["src/**"], tmp_path) == files


def test_a_relative_import_out_of_the_project_is_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.py").write_text("from .......... import x")
    assert source_code.program_files(Path("a.py"), Path()) == [Path("a.py")]


def test_what_is_made_after_a_snapshot_is_linked_into_it(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "project/results/code"
    (project / "experiments").mkdir(parents=True)
    (project / "experiments/train.py").write_text("")
    source_code.snapshot([project / "experiments/train.py"], project, folder)
    source_code.link_entries(project, folder)
    (project / "data").mkdir()
    (project / "experiments/vocabulary.txt").write_text("words")
    source_code.link_entries(project, folder)

    assert (folder / "data").is_dir()
    assert (folder / "experiments/vocabulary.txt").read_text() == "words"
    assert not (folder / "experiments/train.py").is_symlink()


def test_hidden_entries_are_never_linked(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "project/results/code"
    for name in ("src/train.py", ".env", ".git/config", "src/.netrc", "src/words.txt"):
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text("")
    source_code.snapshot([project / "src/train.py"], project, folder)
    assert not any(path.is_symlink() for path in folder.rglob("*"))
    source_code.link_entries(project, folder)
    links = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink()}
    assert links == {"results/code", "results/code.json", "src/words.txt"}


def test_a_program_that_writes_a_config_yaml_leaves_the_project_its_own(tmp_path: Path) -> None:
    project, folder = tmp_path / "project", tmp_path / "project/results/code"
    (project / "model").mkdir(parents=True)
    (project / "config.yaml").write_text("# what to run\nexperiments: [first.yaml]\n")
    (project / "model/config.yaml").write_text("width: 4\n")
    (project / "train.py").write_text("")
    (project / "model/net.py").write_text("")
    files = [project / "train.py", project / "model/net.py"]
    source_code.snapshot(files, project, folder)
    source_code.link_entries(project, folder)

    assert not (folder / "config.yaml").exists()
    assert (folder / "model/config.yaml").read_text() == "width: 4\n"
    (folder / "config.yaml").write_text("lr: 0.1\n")
    source_code.link_entries(project, folder)
    assert (folder / "config.yaml").read_text() == "lr: 0.1\n"
    assert "experiments" in (project / "config.yaml").read_text()


def test_results_that_a_program_writes_are_its_own(tmp_path: Path) -> None:
    """Programs write to results/ where Caduceus has its own; what is there can be read."""
    for run in ("a", "b"):
        (tmp_path / "train.py").touch()
        folder = tmp_path / f"results/runs/{run}/work/code"
        source_code.snapshot([tmp_path / "train.py"], tmp_path, folder)
        source_code.link_entries(tmp_path, folder)
        assert not (folder / "results/model.pt").exists()
        (folder / "results/model.pt").write_text(run)
        (folder / "results/logs").mkdir()
    assert (folder / "results/runs/a/work/code/results/model.pt").read_text() == "a"
    assert (tmp_path / "results/runs/b/work/code/results/model.pt").read_text() == "b"
    assert [path.name for path in (tmp_path / "results").iterdir()] == ["runs"]


def test_python_path_leads_into_the_snapshot(tmp_path: Path) -> None:
    entries = [str(tmp_path / "src"), "/elsewhere", ""]
    assert source_code.snapshot_path(":".join(entries), tmp_path, tmp_path / "code").split(":") == [
        str(tmp_path / "code/src"),
        "/elsewhere",
        "",
    ]


def test_a_snapshot_runs_like_the_original_and_keeps_its_own_code(tmp_path: Path) -> None:
    project = tmp_path / "project"
    for name, text in {
        "experiments/train.py": "import helper; print(helper.x, open('data/d.txt').read())",
        "experiments/helper.py": "x = 1",
        "experiments/other.txt": "",
        "data/d.txt": "data",
    }.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text)
    files = source_code.program_files(project / "experiments/train.py", project)
    folder = project / "results/runs/r/work/code"
    source_code.snapshot(files, project, folder)
    source_code.link_entries(project, folder)
    (project / "experiments/helper.py").write_text("x = 2")
    moved = project.with_name("moved")
    project.rename(moved)

    folder = moved / "results/runs/r/work/code"
    printed = subprocess.run(
        [sys.executable, "experiments/train.py"],
        cwd=folder,
        capture_output=True,
        text=True,
        check=True,
    )
    assert printed.stdout == "1 data\n"
    assert (folder / "experiments/other.txt").is_symlink()
    assert (folder / "data").is_symlink()


def test_what_a_program_left_in_its_snapshot_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("x = 1")
    (tmp_path / "data").mkdir()
    (tmp_path / "data/points.csv").write_text("x")
    folder = tmp_path / "results/runs/RUN/work/code"
    source_code.snapshot([tmp_path / "train.py"], tmp_path, folder)
    source_code.link_entries(tmp_path, folder)
    (folder / "out").mkdir()
    (folder / "out/last.pt").write_text("state")
    source_code.delete_leftovers(folder)
    assert not (folder / "out/last.pt").exists()
    assert (folder / "train.py").read_text() == "x = 1"
    assert (folder / "data/points.csv").read_text() == "x"
