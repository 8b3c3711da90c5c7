"""Whatever zip is checked: one line says what is wrong, and nothing is left behind."""

import hashlib
import json
import os
import signal
import struct
import subprocess
import sys
import tempfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from random import Random

import pytest
from caduceus import __main__ as command_line
from caduceus.errors import CaduceusError
from caduceus.paper.archive import check
from caduceus.paper.archive.check import check_archive
from caduceus.paper.archive.zips import MANIFEST, Limits, unpack
from mutations import mutated_bytes, mutated_json

FILES = {
    "README.txt": b"About this archive.\n" * 20,
    "caduceus.json": json.dumps({"results": "results", "python_path": ["src"]}).encode(),
    "left_out.csv": b"file,bytes,sha256,why\nproject/data.csv,9,d,it has changed\n",
    "environment.txt": b"numpy==0.1\nwandb==0.31.0\n",
    "runs/history.csv": b"_step,loss\n0,1\n",
    "derived/claims.json": bytes(range(256)) * 4,
}


def pack(path: Path, files: Mapping[str, bytes], manifest: str | None = None) -> Path:
    """Write a zip whose manifest is right, unless another one is given."""
    lines = [f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in files.items()]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as target:
        for name, data in files.items():
            target.writestr(f"a/{name}", data)
        target.writestr(f"a/{MANIFEST}", "".join(lines) if manifest is None else manifest)
    return path


@pytest.fixture(scope="module")
def installed() -> dict[str, str]:
    """The versions of all packages, whose metadata take a while to read."""
    return check.installed_packages()


@pytest.fixture(autouse=True)
def _unpacked_here(
    installed: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Archives are unpacked to `tmp_path`/temporary, in memory if it can be, and not rebuilt."""
    memory = Path("/dev/shm")
    folder = tempfile.TemporaryDirectory(dir=memory if memory.is_dir() else None)
    (tmp_path / "temporary").symlink_to(folder.name)
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    monkeypatch.setattr(check, "rebuild", lambda folder, expected, cores: [])
    monkeypatch.setattr(check, "installed_packages", lambda: installed)
    yield
    folder.cleanup()


def checked(path: Path, limits: Limits | None = None) -> str:
    """How the check ends: `whole`, or the error's message."""
    said: list[str] = []
    try:
        check_archive(path, 1, limits or Limits(), said.append)
        return "whole"
    except CaduceusError as error:
        return str(error).removeprefix(f"{path}: ")
    finally:
        assert not any((path.parent / "temporary").iterdir())


def mutated(rng: Random, path: Path) -> None:
    """Write a broken archive: in its bytes, or in one of its files with the manifest right."""
    files = dict(FILES)
    if rng.random() < 0.5:
        name = rng.choice([*FILES])
        change = mutated_json if name == "caduceus.json" and rng.random() < 0.7 else mutated_bytes
        files[name] = change(files[name], rng)
        if rng.random() < 0.3:
            files[mutated_bytes(name.encode(), rng).decode(errors="replace")] = files.pop(name)
        pack(path, files)
    else:
        pack(path, files)
        path.write_bytes(mutated_bytes(path.read_bytes(), rng))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("times", [200, pytest.param(20_000, marks=pytest.mark.soak)])
def test_a_broken_archive_is_refused_in_one_line_and_leaves_nothing(
    tmp_path: Path, times: int
) -> None:
    path = tmp_path / "a.zip"
    ends: Counter[str] = Counter()
    for seed in range(times):
        rng = Random(seed)
        mutated(rng, path)
        try:
            message = checked(path)
        except Exception as error:
            error.add_note(f"seed {seed}")
            raise
        assert "\n" not in message and len(message) < 2_000, (seed, message)
        ends[message.partition(":")[0][:20]] += 1
    assert {each.name for each in tmp_path.iterdir()} == {"a.zip", "temporary"}
    assert ends["whole"] < 0.5 * times and len(ends) > 10, ends


def test_a_whole_archive_is_whole(tmp_path: Path) -> None:
    assert checked(pack(tmp_path / "a.zip", FILES)) == "whole"


@pytest.mark.parametrize("name", ["left_out.csv", "environment.txt", "caduceus.json"])
def test_an_archive_without_a_file_that_the_check_needs_is_none(tmp_path: Path, name: str) -> None:
    files = {each: data for each, data in FILES.items() if each != name}
    message = checked(pack(tmp_path / "a.zip", files))
    assert message == f"lacks {name}; it isn't an archive of Caduceus"


@pytest.mark.parametrize("metadata", [{"results": "../..", "python_path": []}, {}, [], 1])
def test_metadata_lead_nowhere_else(tmp_path: Path, metadata: object) -> None:
    message = checked(
        pack(tmp_path / "a.zip", FILES | {"caduceus.json": json.dumps(metadata).encode()})
    )
    assert "caduceus.json: " in message and message.endswith("unpack the archive again")


def test_a_file_beside_a_folder_of_its_name_is_damage(tmp_path: Path) -> None:
    for names in (("x", "x/y"), ("x/y", "x")):
        path = pack(tmp_path / "a.zip", FILES | dict.fromkeys(names, b"1"))
        [problem] = unpack(path, tmp_path / names[0][-1])[2]
        assert problem.startswith(f"damaged: {names[1]}: can't be written: ")
        assert checked(path).startswith("1 file missing, damaged or different")


def test_a_path_too_long_for_the_system_is_damage(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", FILES | {"/".join(["x" * 200] * 30): b"1"})
    assert checked(path).startswith("1 file missing, damaged or different")


def test_a_zip_that_unpacks_to_too_much_is_refused_before_it_is_unpacked(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", FILES | {"zeros": bytes(30_000_000)})
    assert path.stat().st_size < 100_000
    assert checked(path, Limits(gb=0.01)) == "unpacks to 0.0 GB, allowed: 0.01; --max-gb raises it"
    assert checked(path, Limits(gb=0.1)) == "whole"


def test_a_zip_of_too_many_files_is_refused(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", FILES | {f"n{number}": b"" for number in range(100)})
    assert (
        checked(path, Limits(files=50)) == "contains 107 files, allowed: 50; --max-files raises it"
    )
    assert checked(path, Limits(files=107)) == "whole"


@pytest.mark.parametrize("has_zip64", [False, True])
def test_a_list_of_files_that_would_fill_the_memory_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, has_zip64: bool
) -> None:
    path, length = tmp_path / "a.zip", 100_000_000
    end = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0, 0, length, 0, 0)
    if has_zip64:
        end = struct.pack("<4sQ2H2L4Q", b"PK\6\6", 44, 45, 45, 0, 0, 0, 0, length, 0)
        end += struct.pack("<4sLQL", b"PK\6\7", 0, length, 1)
        end += struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 0xFFFF, 0xFFFF, 0xFFFFFFFF, 0, 0)
    with path.open("wb") as stream:
        stream.truncate(length)  # takes no space
        stream.seek(length)
        stream.write(end)
    monkeypatch.setattr(zipfile, "ZipFile", None)
    assert checked(path) == "contains 400,000 files, allowed: 200,000; --max-files raises it"


def test_a_compression_that_no_archive_has_is_damage(tmp_path: Path) -> None:
    path = pack(tmp_path / "a.zip", FILES)
    with zipfile.ZipFile(path, "a", zipfile.ZIP_LZMA) as target:
        target.writestr("a/more", b"x" * 1000)
    assert checked(path).startswith("1 file missing, damaged or different")
    with zipfile.ZipFile(path, "w", zipfile.ZIP_BZIP2) as target:
        target.writestr(f"a/{MANIFEST}", b"")
    assert checked(path) == f"its {MANIFEST} is damaged: compressed by a method that no archive has"


def test_a_file_outside_the_folder_is_extra(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    digest = hashlib.sha256(b"x").hexdigest()
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("a/y", b"y")
        target.writestr("x", b"x")
        target.writestr(f"a/{MANIFEST}", f"{digest}  x\n")
    _, _, problems = unpack(path, tmp_path / "into")
    assert problems[-2:] == [f"extra: x isn't in {MANIFEST}, or occurs twice", "missing: x"]
    assert not (tmp_path / "into/x").exists()


def test_no_control_character_is_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    left_out = "file,bytes,sha256,why\na\x1b[2Jb,1,d,\x9b31m\u202ewhy\n".encode()
    path = pack(tmp_path / "a.zip", FILES | {"left_out.csv": left_out})
    with zipfile.ZipFile(path, "a") as target:
        target.writestr("a/\x1b]0;title\x07", b"")
    assert command_line.main(["check-archive", str(path)]) == 1
    found = capsys.readouterr()
    assert "extra: \\x1b]0;title\\x07 isn't in" in found.out
    path = pack(tmp_path / "a.zip", FILES | {"left_out.csv": left_out})
    assert command_line.main(["check-archive", str(path)]) == 0
    found = capsys.readouterr()
    assert "lacks a\\x1b[2Jb: \\x9b31m\\u202ewhy" in found.out
    assert all(c.isprintable() or c == "\n" for c in found.out)


def test_nothing_is_left_behind_when_the_check_is_told_to_stop(tmp_path: Path) -> None:
    """The program waits in the middle of the check, for a line that never comes."""
    path = pack(tmp_path / "a.zip", FILES)
    code = (
        "import sys; from caduceus.paper.archive import check; "
        "check.rebuild = lambda *args: print(sys.stdin.readline()); "
        "from caduceus.__main__ import main; sys.exit(main(['check-archive', sys.argv[1]]))"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, str(path)],
        env=os.environ | {"TMPDIR": str(tmp_path / "temporary")},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    while "all digests match" not in (line := process.stdout.readline()):
        assert line
    assert any((tmp_path / "temporary").iterdir())
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=1200)
    assert process.returncode == 128 + signal.SIGTERM
    assert not any((tmp_path / "temporary").iterdir())
