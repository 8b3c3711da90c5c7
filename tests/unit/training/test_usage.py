"""The files and packages that a program used, as its processes noted them."""

import hashlib
import json
import os
from pathlib import Path

import caduceus
import pytest
from caduceus.runs import source_code
from caduceus.runs.files.usage import Usage
from caduceus.training.usage import beyond_the_code, read_usage

STARTED = 2_000_000_000.0  # after the files of the project were written


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


def used(project: Path, data: str | None = None) -> Usage:
    code = project / "results/runs/r/work/code"
    return read_usage(project / "notes", project, code, project / data if data else None, STARTED)


def digests(project: Path, data: str | None = None) -> dict[str, str | None]:
    return {name: file.sha256 for name, file in used(project, data).files.items()}


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


def test_in_an_image_the_shim_says_which_versions_there_are(project: Path) -> None:
    note(project, packages(project, "numpy") | {"versions": {"numpy": "1.26.4"}})
    assert used(project).packages == {"numpy": "1.26.4"}


def packages(project: Path, *names: str) -> dict[str, object]:
    search_path = [str(project), str(project / "env"), str(project / "missing")]
    return {"packages": names, "python": "3.11.7", "prefix": "/usr", "search_path": search_path}


def test_files_are_kept_with_the_digests_of_what_was_read(project: Path) -> None:
    note(project, read(project, "model.py"))
    note(project, read(project, "settings.yaml"), process="2-0")
    usage = used(project)
    assert digests(project) == {
        name: hashlib.sha256((project / name).read_bytes()).hexdigest()
        for name in ("model.py", "settings.yaml")
    }
    assert usage.is_complete


def test_a_file_that_changed_since_has_no_digest(project: Path) -> None:
    note(project, read(project, "model.py"), read(project, "settings.yaml"))
    (project / "model.py").write_text("depth = 30")
    (project / "settings.yaml").unlink()
    assert digests(project) == {"model.py": None, "settings.yaml": None}


def test_what_the_program_wrote_is_no_input(project: Path) -> None:
    note(project, {"written": str(project / "settings.yaml")})
    note(project, read(project, "settings.yaml"), process="2-0")
    assert used(project).files == {}


def test_data_that_appeared_after_the_start_were_written(project: Path) -> None:
    """A library in C, such as torch, doesn't report the files that it writes."""
    for name in ("model.py", "settings.yaml"):
        os.utime(project / name, (STARTED + 1, STARTED + 1))
        note(project, read(project, name))
    assert list(used(project).files) == ["model.py"]


def test_what_the_snapshot_has_or_is_declared_is_not_beyond_the_code(project: Path) -> None:
    code = project / "results/runs/r/work/code"
    source_code.snapshot([project / "model.py"], project, code)
    for name in ("model.py", "settings.yaml"):
        note(project, read(project, name))
    assert list(used(project).files) == ["settings.yaml"]
    assert used(project, "settings.yaml").files == {}
    assert used(project).code == source_code.digest([project / "model.py"], project)


def test_a_file_that_ran_otherwise_than_in_the_snapshot_is_beyond_the_code(project: Path) -> None:
    code = project / "results/runs/r/work/code"
    source_code.snapshot([project / "model.py"], project, code)
    (project / "model.py").write_text("depth = 30")
    note(project, read(project, "model.py"))
    assert list(used(project).files) == ["model.py"]


def test_a_line_names_the_files_beyond_the_code(project: Path) -> None:
    assert list(beyond_the_code(used(project))) == []
    note(project, read(project, "model.py"))
    assert list(beyond_the_code(used(project))) == [
        "ran model.py, which isn't counted as its code; add it under `code:`, which then lists all "
        "of it"
    ]
    for name in ("a.txt", "b.txt", "c.txt"):
        (project / name).touch()
        note(project, read(project, name))
    assert list(beyond_the_code(used(project))) == [
        "ran or read model.py, a.txt, b.txt and 1 more, which aren't counted as its code; add them "
        "under `code:`, which then lists all of it"
    ]


def test_versions_of_the_packages_that_were_imported(project: Path) -> None:
    note(project, packages(project, "numpy", "sklearn", "yaml", "model", "json", "_abc"))
    usage = used(project)
    assert usage.packages == {"numpy": "2.1.0", "pyyaml": "6.0.2", "scikit-learn": "1.5.2"}
    assert usage.python == "3.11.7"


def test_a_module_is_sought_at_the_top_of_each_list_of_files(project: Path) -> None:
    for name, lines in {
        "pillow-12.0.dist-info": "PIL/Image.py,,\nPIL/__init__.py,,\n",
        "typing_six-1.17.dist-info": "LICENSE,,\nsix.py,,\n",
        "vendor-3.0.dist-info": "vendor/PIL/__init__.py,,\nvendor/six.py,,\nsixth/a.py,,\n",
    }.items():
        (project / "env" / name).mkdir()
        (project / "env" / name / "RECORD").write_text(lines)
    note(project, packages(project, "PIL", "cython_runtime"), packages(project, "six"))
    assert used(project).packages == {"pillow": "12.0", "typing-six": "1.17"}


def test_notes_that_end_in_the_middle_of_a_line(project: Path) -> None:
    note(project, read(project, "model.py"), {"and_more": True})
    with (project / "notes/1-0.jsonl").open("a") as stream:
        stream.write('{"path": "/x')
    usage = used(project)
    assert list(usage.files) == ["model.py"]
    assert not usage.is_complete


def test_no_notes(project: Path) -> None:
    usage = used(project / "nowhere")
    assert (usage.files, usage.packages, usage.python) == ({}, {}, None)


def test_modules_from_elsewhere_are_kept_with_their_content(
    project: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Not those that the program made and removed, nor the helpers of Caduceus."""
    elsewhere = tmp_path_factory.mktemp("libraries")
    for name in ("lab/__init__.py", "lab/model.py", "edited.py"):
        (elsewhere / name).parent.mkdir(exist_ok=True)
        (elsewhere / name).write_text("depth = 3")
    modules = {
        "lab": read(elsewhere, "lab/__init__.py"),
        "lab.model": read(elsewhere, "lab/model.py"),
        "edited": read(elsewhere, "edited.py"),
        "generated": {"path": "/tmp/nowhere/generated.py", "mtime_ns": 3e18, "size": 1},
        "odd": {"path": os.fsdecode(b"/opt/\xff.py"), "mtime_ns": 1, "size": 1},
        "caduceus.errors": read(Path(caduceus.__file__).parent, "errors.py"),
    }
    note(project, packages(project) | {"libraries": modules})
    (elsewhere / "edited.py").write_text("depth = 30")
    usage = used(project)
    content = hashlib.sha256(b"depth = 3").hexdigest()
    assert not any(Path(file.path).is_absolute() for file in usage.libraries.values())
    found = {
        name: (str((project / file.path).resolve()), file.sha256)
        for name, file in usage.libraries.items()
    }
    assert found == {
        "edited.py": (str(elsewhere / "edited.py"), None),
        "lab/__init__.py": (str(elsewhere / "lab/__init__.py"), content),
        "lab/model.py": (str(elsewhere / "lab/model.py"), content),
    }
    assert list(beyond_the_code(usage)) == [
        "ran edited.py, lab/__init__.py, lab/model.py from outside of the project, which are part "
        "of its environment: an edit trains nothing, and `caduceus status` lists the run as behind"
    ]


def test_files_that_cannot_be_described_fail_no_run(project: Path) -> None:
    """One with a name that isn't UTF-8, one that isn't Python, one that is too deep to parse."""
    odd = project / os.fsdecode(b"\xff.yaml")
    odd.touch()
    note(project, {"path": str(odd), "mtime_ns": 1, "size": 0})
    for name, text in {
        "two.py": "print 'two'",
        "deep.py": "x = " + "(" * 900 + "1" + ")" * 900,
    }.items():
        (project / name).write_text(text)
        note(project, read(project, name))
    found = used(project)
    assert {name: file.tree for name, file in found.files.items()} == {
        "two.py": None,
        "deep.py": None,
    }
    assert not found.is_complete
