"""The files and packages that a program used, as its processes noted them."""

import hashlib
import json
from pathlib import Path

import pytest
from caduceus.training.usage import read_usage


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two files, and an environment of three distributions."""
    for name, text in {
        "model.py": "depth = 3",
        "settings.yaml": "depth: 3",
        "env/numpy/__init__.py": "",
        "env/numpy-2.1.0.dist-info/METADATA": "",
        "env/scikit_learn-1.5.2.dist-info/RECORD": "sklearn/__init__.py,,\nsklearn/svm.py,,\n",
        "env/PyYAML-6.0.2.dist-info/top_level.txt": "_yaml\nyaml\n",
        "env/unused-1.0.dist-info/METADATA": "",
        "notes/1-0.jsonl": "",
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def note(project: Path, *lines: object, process: str = "1-0") -> None:
    with (project / f"notes/{process}.jsonl").open("a") as stream:
        stream.writelines(f"{json.dumps(line)}\n" for line in lines)


def read(project: Path, name: str) -> dict[str, object]:
    status = (project / name).stat()
    return {
        "path": str(project / name),
        "mtime_ns": status.st_mtime_ns,
        "size": status.st_size,
    }


def packages(project: Path, *names: str) -> dict[str, object]:
    search_path = [str(project), str(project / "env"), str(project / "missing")]
    return {"packages": names, "python": "3.11.7", "prefix": "/usr", "search_path": search_path}


def test_files_are_kept_with_the_digests_of_what_was_read(project: Path) -> None:
    note(project, read(project, "model.py"))
    note(project, read(project, "settings.yaml"), process="2-0")
    usage = read_usage(project / "notes", project)
    assert usage.files == {
        name: hashlib.sha256((project / name).read_bytes()).hexdigest()
        for name in ("model.py", "settings.yaml")
    }
    assert usage.is_complete


def test_a_file_that_changed_since_has_no_digest(project: Path) -> None:
    note(project, read(project, "model.py"), read(project, "settings.yaml"))
    (project / "model.py").write_text("depth = 30")
    (project / "settings.yaml").unlink()
    usage = read_usage(project / "notes", project)
    assert usage.files == {"model.py": None, "settings.yaml": None}


def test_what_the_program_wrote_is_no_input(project: Path) -> None:
    note(project, {"written": str(project / "settings.yaml")})
    note(project, read(project, "settings.yaml"), process="2-0")
    assert read_usage(project / "notes", project).files == {}


def test_versions_of_the_packages_that_were_imported(project: Path) -> None:
    note(project, packages(project, "numpy", "sklearn", "yaml", "model", "json", "_abc"))
    usage = read_usage(project / "notes", project)
    assert usage.packages == {"numpy": "2.1.0", "pyyaml": "6.0.2", "scikit-learn": "1.5.2"}
    assert usage.python == "3.11.7"


def test_notes_that_end_in_the_middle_of_a_line(project: Path) -> None:
    note(project, read(project, "model.py"), {"and_more": True})
    with (project / "notes/1-0.jsonl").open("a") as stream:
        stream.write('{"path": "/x')
    usage = read_usage(project / "notes", project)
    assert list(usage.files) == ["model.py"]
    assert not usage.is_complete


def test_no_notes(project: Path) -> None:
    usage = read_usage(project / "nowhere", project)
    assert (usage.files, usage.packages, usage.python) == ({}, {}, None)
