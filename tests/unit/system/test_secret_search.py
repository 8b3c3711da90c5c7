"""The values of secrets are found in the files that leave the machine."""

import argparse
import bz2
import gzip
import html
import io
import json
import lzma
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from caduceus.commands import report_failures
from caduceus.io.cells import to_csv
from caduceus.io.files import read_json
from caduceus.system import secret_search
from caduceus.system.secret_search import (
    Findings,
    SecretSearch,
    find_secrets,
    is_refused,
    secret_lines,
)

SECRET = 'a "quoted" <key> & é\nof two lines'


@pytest.mark.parametrize(
    "text",
    [
        SECRET,
        json.dumps({"key": SECRET}),
        json.dumps({"key": SECRET}, ensure_ascii=False),
        to_csv([{"key": SECRET}], ["key"]),
        html.escape(SECRET),
        html.escape(SECRET, quote=False),
    ],
)
def test_a_secret_is_found_in_every_form_that_our_files_have(text: str) -> None:
    search = SecretSearch({SECRET: "KEY"})
    found = [search.names_in(bytes([byte])) for byte in text.encode() + b"x"]
    assert set().union(*found) == {"KEY"}


def test_files_that_leave_the_machine_are_searched_and_no_others(tmp_path: Path) -> None:
    value = os.fsdecode(b"caf\xe9-and-more")
    names = [
        *("runs/r/run_summary.json", "runs/r/artifacts/a/work/x.bin", "groups/g/runs.csv"),
        *("report/index.html", "projects/e/p/runs/q/params.json"),
    ]
    others = ["runs/r/work/code/.env", "logs/train/r.log", "archive/x.zip", "sweeps/s/work/a"]
    for name in [*names, *others]:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"x" * 70_000 + b"caf\xe9-and-more")
    found = find_secrets(tmp_path, {value: "KEY", "not in any file": "OTHER"}).files
    assert {name: sorted(files) for name, files in found.items()} == {
        "KEY": sorted(str(tmp_path / name) for name in names)
    }


def zipped(content: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("first.txt", b"nothing")
        archive.writestr("second.txt", content)
    return stream.getvalue()


PACKERS = [gzip.compress, bz2.compress, lzma.compress, zipped]


@pytest.mark.parametrize("pack", PACKERS)
def test_what_is_compressed_is_searched_to_its_end(
    tmp_path: Path, pack: Callable[[bytes], bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "runs/r/artifacts/m/model.bin"
    path.parent.mkdir(parents=True)
    content = pack(b"x" * 3_000_000 + b"a-value-of-a-token" + b"y")
    path.write_bytes(content)
    secrets = {"a-value-of-a-token": "KEY"}
    assert find_secrets(tmp_path, secrets) == Findings({"KEY": [str(path)]}, [])
    path.write_bytes(content[:-20])
    assert find_secrets(tmp_path, secrets).unsearched == [str(path)]
    path.write_bytes(content)
    monkeypatch.setattr(secret_search, "_MAX_BYTES", 1_500_000)
    assert find_secrets(tmp_path, secrets) == Findings({}, [str(path)])


def test_large_files_are_searched_until_it_is_too_much_and_the_others_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(secret_search, "_LARGE_BYTES", 1000)
    monkeypatch.setattr(secret_search, "_MOST_BYTES", 5000)
    monkeypatch.setenv("SOME_TOKEN", "a-value-of-a-token")
    (tmp_path / "runs").mkdir()
    for name in "abc":
        (tmp_path / "runs" / name).write_bytes(b"x" * 2000 + b"a-value-of-a-token")
    first, last = secret_lines(tmp_path)
    assert f"is in {tmp_path}/runs/a, {tmp_path}/runs/b;" in first
    assert last == (f"not searched for secrets: {tmp_path}/runs/c: too large, damaged or encrypted")
    assert [is_refused(line) for line in (first, last)] == [True, False]


def test_the_last_job_names_file_and_key_and_fails_if_config_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:

    monkeypatch.setenv("SOME_TOKEN", "a-value-of-a-token")
    out = tmp_path / "failures.json"
    (tmp_path / "groups/g").mkdir(parents=True)
    (tmp_path / "groups/g/runs.csv").write_text("run,config.x\nr,a-value-of-a-token\n")
    given = {"folds": 0, "plans": [], "made": [], "out": out, "notify": ""}
    report_failures.run(argparse.Namespace(**given, secrets="warn"))
    line = (
        f"secret: the value of SOME_TOKEN is in {tmp_path}/groups/g/runs.csv; "
        "revoke it before you share them"
    )
    assert capsys.readouterr().out == f"{line}\n"
    assert read_json(out)["secrets"] == [line]
    with pytest.raises(report_failures.CaduceusError, match="refuses them"):
        report_failures.run(
            argparse.Namespace(folds=0, plans=[], made=[], out=out, secrets="refuse", notify="")
        )


def test_an_account_that_cannot_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".netrc").write_text("machine without its end password")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    [line] = secret_lines(tmp_path)
    assert line.startswith("secrets: not looked for in ") and "can't be read" in line
