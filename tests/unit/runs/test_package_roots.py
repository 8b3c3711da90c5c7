"""Where a project's own packages lie, by its files alone."""

from pathlib import Path

import pytest
from caduceus.io.files import Json
from caduceus.runs.package_roots import package_roots
from caduceus.runs.source_code import code_files, program_files


@pytest.fixture
def project(tmp_path: Path) -> Path:
    for name, text in {
        "train.py": "from mypkg.model import loss\nimport vision, tools\n",
        "src/mypkg/__init__.py": "",
        "src/mypkg/model.py": "from . import layers\ndef loss(): ...\n",
        "src/mypkg/layers.py": "",
        "src/mypkg/unused.py": "",
        "libs/vision/setup.py": "",
        "libs/vision/src/vision/__init__.py": "",
        "vendor/tools/tools.py": "",
        ".gitmodules": '[submodule "tools"]\n\tpath = vendor/tools\n\turl = ../tools\n',
        ".venv/lib/vision/pyproject.toml": "",
        "env/pyvenv.cfg": "",
        "env/vision/pyproject.toml": "",
        "results/runs/code/pyproject.toml": "",
        "a/b/c/d/pyproject.toml": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    for number in range(1001):
        (tmp_path / "data" / str(number)).mkdir(parents=True)
    (tmp_path / "data/0/pyproject.toml").write_text("")
    return tmp_path


def test_they_are_the_sources_of_the_project_its_libraries_and_submodules(project: Path) -> None:
    found = [path.relative_to(project).as_posix() for path in package_roots(project)]
    assert found == ["src", "libs/vision", "libs/vision/src", "vendor/tools"]


def test_a_program_has_the_code_that_it_imports_from_them(project: Path) -> None:
    files = program_files(project / "train.py", project)
    assert [path.relative_to(project).as_posix() for path in files] == [
        "libs/vision/src/vision/__init__.py",
        "src/mypkg/__init__.py",
        "src/mypkg/layers.py",
        "src/mypkg/model.py",
        "train.py",
        "vendor/tools/tools.py",
    ]


def test_a_relative_import_runs_the_packages_on_the_way(tmp_path: Path) -> None:
    for name, text in {
        "outer/__init__.py": "import outer.settings",
        "outer/settings.py": "",
        "outer/inner/__init__.py": "",
        "outer/inner/train.py": "from . import model",
        "outer/inner/model.py": "from ..shared import depth",
        "outer/shared.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    files = program_files(tmp_path / "outer/inner/train.py", tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in files] == [
        "outer/__init__.py",
        "outer/inner/__init__.py",
        "outer/inner/model.py",
        "outer/inner/train.py",
        "outer/settings.py",
        "outer/shared.py",
    ]


@pytest.mark.parametrize(
    ("program", "command", "expected"),
    [
        ("pkg/prog.py", ["python", "-m", "pkg.prog"], {"__init__.py", "settings.py"}),
        ("pkg/prog.py", ["sh", "-c", "exec python -m pkg.prog"], {"__init__.py", "settings.py"}),
        ("pkg/prog.py", ["python", "-m", "other.launcher", "${program}"], set()),
        ("pkg/prog.py", ["python", "${program}"], set()),
        ("pkg/__main__.py", ["python", "-m", "pkg"], {"__init__.py", "settings.py"}),
        ("src/lib/prog.py", ["torchrun", "-m", "lib.prog"], {"__init__.py"}),
    ],
)
def test_a_program_that_is_started_as_a_module_runs_its_package(
    tmp_path: Path, program: str, command: list[Json], expected: set[str]
) -> None:
    """Though it imports nothing of it."""
    for name, text in {
        "pkg/__init__.py": "from pkg import settings",
        "pkg/settings.py": "",
        "pkg/prog.py": "x = 1",
        "pkg/__main__.py": "x = 1",
        "src/lib/__init__.py": "",
        "src/lib/prog.py": "x = 1",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    files = code_files(tmp_path / program, None, tmp_path, command)
    folder = (tmp_path / program).parent
    assert set(files) == {tmp_path / program, *(folder / name for name in expected)}
