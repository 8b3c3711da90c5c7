"""Names of people and machines: the spellings that are found, where they hide, pseudonyms."""

import base64
import bz2
import functools
import gzip
import io
import json
import lzma
import pickle
import tarfile
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pyarrow
import pyarrow.parquet
import pytest
import scipy.io
from caduceus.paper.anonymity.citation import people_in, without_people
from caduceus.paper.anonymity.closed import reason_by_name
from caduceus.paper.anonymity.fields import named, renamed
from caduceus.paper.anonymity.names import Name, known
from caduceus.paper.anonymity.pseudonyms import Pseudonyms
from caduceus.paper.anonymity.search import NameSearch, Place
from caduceus.paper.anonymity.sources import hosts_in
from caduceus.wandb_log import LogWriter
from PIL import Image, PngImagePlugin

COMMIT = "9f2c41d07be35a6688aa10c3c5d2e4f6071b8d9e"
CALLED = [
    ("author", "Jördis Ada Quenneville", "git"),
    ("email", "jquen@cs.arkham.example", "git"),
    ("user", "jquen", "USER"),
    ("host", "tarn07.arkham.example", "the system"),
    ("folder", "/data/groups/quen/paper", "the system"),
    ("remote", "git@github.com:quen-lab/hidden-paper.git", "git"),
    ("entity", "max", "WANDB_ENTITY"),
    ("user", "root", "LOGNAME"),
]
NAMES = list(
    {(name.kind, name.key): name for each in CALLED[::-1] for name in known(*each)}.values()
)
SEARCH = NameSearch(NAMES, {COMMIT}, {"max", "a"})


def whats(data: bytes) -> list[str]:
    return [place.what for place in SEARCH.places_in(data)]


def wheres(data: bytes) -> list[str]:
    return [place.where for place in SEARCH.places_in(data)]


@pytest.mark.parametrize(
    "text",
    [
        "by Jördis Ada Quenneville",
        "Jordis A. Quenneville",
        "JOERDIS QUENNEVILLE",
        "Quenneville, Jördis",
        "jo\u0308rdis_quenneville",  # parted, as macOS has it in names of files
        "J. Quenneville",
        "J. A. Quenneville",
        '{"given-names": "Jö", "family-names": "Quenneville"}',
        "jquen@cs.arkham.example",
        "jquen%40cs.arkham.example",
        "jquen [at] cs.arkham.example",
        "/home/jquen/x",
        "~jquen",
        "owner=jquen;",
        "data_JQuen-2.csv",
        "tarn07:5000",
        "Tarn07.arkham.example",
        "https://www.arkham.example/people",
        "/data/groups/quen/paper/train.py",
        r"\\data\\groups\\quen\\paper",
        "git+ssh://git@github.com/quen-lab/hidden-paper@main",
        "https://github.com/Quen-Lab/other",
        "https://wandb.ai/max/project",
        "entity: max",
        f"at commit {COMMIT}",
        f"{COMMIT[:12]}",
        f"commit {COMMIT[:7]}",
    ],
)
def test_every_spelling_of_a_name_is_found(text: str) -> None:
    assert whats(text.encode())
    assert whats(text.encode("utf-16"))
    assert not text.isascii() or whats(text.encode("utf-32-le"))  # without a mark at its start


@pytest.mark.parametrize(
    "text",
    [
        "max(a, b)",
        "root mean square; the root of /root",
        "Ada",  # a given name may be a word
        "the method of Quenneville et al.",
        "jquens",
        "tarn071",
        "0" * 40,
        "9f2c41d",  # seven letters may be any digest's
        "localhost user ubuntu",
    ],
)
def test_other_words_are_not_names(text: str) -> None:
    assert whats(text.encode()) == []


def image(**texts: bytes) -> bytes:
    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "PNG")
    return stream.getvalue()


def png(kind: str) -> bytes:
    info, stream = PngImagePlugin.PngInfo(), io.BytesIO()
    if kind == "iTXt":
        info.add_itxt("Author", "Jördis Quenneville", zip=True)
    elif kind == "eXIf":
        exif = Image.Exif()
        exif[0x013B] = "jquen"
        Image.new("L", (2, 2)).save(stream, "PNG", exif=exif)
        return stream.getvalue()
    else:
        info.add_text("Author", "jquen", zip=kind == "zTXt")
    Image.new("L", (2, 2)).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def jpeg() -> bytes:
    stream, exif = io.BytesIO(), Image.Exif()
    exif[0x013B] = "Jordis Quenneville"
    Image.new("L", (2, 2)).save(stream, "JPEG", exif=exif)
    return stream.getvalue()


def pdf(**metadata: str) -> bytes:
    stream = io.BytesIO()
    figure, axes = plt.subplots()
    axes.set_title(metadata.pop("title", ""))
    figure.savefig(stream, format="pdf", metadata=metadata)
    plt.close(figure)
    return stream.getvalue()


def packed(data: bytes, comment: bytes = b"", name: str = "a.txt") -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(name, data)
        target.comment = comment
    return stream.getvalue()


def arrays() -> bytes:
    stream = io.BytesIO()
    np.savez_compressed(stream, names=np.array(["jquen", "b"]))
    return stream.getvalue()


def parquet() -> bytes:
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table({"who": ["a", "jquen"], "n": [1, 2]}), stream)
    return stream.getvalue()


def tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as target:
        info = tarfile.TarInfo("a")
        info.uname = "jquen"
        target.addfile(info)
    return stream.getvalue()


def old_tar() -> bytes:
    """A tar as before POSIX, without its mark."""
    stream = io.BytesIO()
    packed, info = gzip.compress(b"x jquen", mtime=0), tarfile.TarInfo("a.gz")
    info.size = len(packed)
    with tarfile.open(fileobj=stream, mode="w") as target:
        target.addfile(info, io.BytesIO(packed))
    data = bytearray(stream.getvalue())
    data[257:265] = bytes(8)
    data[148:156] = b" " * 8
    data[148:156] = b"%06o\0 " % sum(data[:512])
    return bytes(data)


def gif() -> bytes:
    """A comment in two blocks."""
    stream = io.BytesIO()
    Image.new("L", (2, 2)).save(stream, "GIF", comment=b"y" * 252 + b" jquen")
    return stream.getvalue()


def table(value: str | bytes, kind: str) -> bytes:
    stream, made = io.BytesIO(), pyarrow.table({"value": [value], "n": [1]})
    if kind == "parquet":
        pyarrow.parquet.write_table(made, stream)
        return stream.getvalue()
    options = pyarrow.ipc.IpcWriteOptions(compression="zstd")
    new = pyarrow.ipc.new_file if kind == "file" else pyarrow.ipc.new_stream
    with new(stream, made.schema, options=options) as target:
        target.write_table(made)
    return stream.getvalue()


def checkpoint(**values: str) -> bytes:
    import torch  # here, for each of pytest's workers imports this module

    stream = io.BytesIO()
    torch.save({**values, "weights": torch.zeros(3)}, stream)
    return stream.getvalue()


def matlab() -> bytes:
    stream = io.BytesIO()
    scipy.io.savemat(stream, {"who": "x jquen"}, do_compression=True)
    return stream.getvalue()


def document() -> bytes:
    """Part of a name in another style, as in docx."""
    runs = "<w:t>J&#246;r</w:t></w:r><w:r><w:t>dis</w:t></w:r><w:r><w:t> Quenneville</w:t>"
    return packed(runs.encode(), name="word/document.xml")


def record() -> bytes:
    """A record of W&B's log, in which the bytes around a text may be letters."""
    from wandb.proto import wandb_internal_pb2

    found = wandb_internal_pb2.Record()
    found.environment.host = "tarn07"
    found.environment.executable = "python"
    return found.SerializeToString()


def notebook() -> bytes:
    picture = base64.encodebytes(png("zTXt")).decode()
    cell = {"cell_type": "code", "outputs": [{"data": {"image/png": picture}}]}
    return json.dumps({"cells": [cell]}, indent=1).encode()


HIDDEN: dict[str, Callable[[], bytes]] = {
    "PNG tEXt": lambda: png("tEXt"),
    "PNG zTXt": lambda: png("zTXt"),
    "PNG iTXt": lambda: png("iTXt"),
    "PNG eXIf": lambda: png("eXIf"),
    "JPEG": jpeg,
    "PDF author": lambda: pdf(Author="jquen"),
    "PDF author in UTF-16": lambda: pdf(Author="Jördis Quenneville"),
    "PDF text": lambda: pdf(title="made by jquen"),
    "PDF hexadecimal": lambda: (
        b"%PDF-1.4 /Author <FEFF" + "jquen".encode("utf-16-be").hex().encode() + b">"
    ),
    "PDF octal": lambda: rb"%PDF-1.4 /Author (\376\377\000j\000q\000u\000e\000n)",
    "PDF of ReportLab": lambda: (
        b"%PDF-1.4\nstream\n" + base64.a85encode(zlib.compress(b"(jquen) Tj")) + b"~>endstream"
    ),
    "gzip": lambda: gzip.compress(b"jquen", mtime=0),
    "the name in gzip": lambda: b"\x1f\x8b\x08\x08\0\0\0\0\0\xffjquen.txt\0" + b"\x03\0" + bytes(8),
    "bzip2": lambda: bz2.compress(b"x jquen"),
    "xz": lambda: lzma.compress(b"x jquen"),
    "Zstandard": lambda: pyarrow.compress(b"x jquen" * 9, "zstd", asbytes=True),
    "zlib": lambda: zlib.compress(b"x jquen"),
    "zip": lambda: packed(b"jquen"),
    "zip in zip": lambda: packed(packed(b"jquen")),
    "comment of a zip": lambda: packed(b"", b"by jquen"),
    "name in a zip": lambda: packed(b"", name="jquen.txt"),
    "NumPy": arrays,
    "Parquet": parquet,
    "tar": tar,
    "tar before POSIX": old_tar,
    "GIF": gif,
    "SVG": lambda: b"<svg><metadata><dc:creator>jquen</dc:creator></metadata></svg>",
    "picture in SVG": lambda: (
        b'<image href="data:image/png;base64,' + base64.b64encode(png("zTXt")) + b'"/>'
    ),
    "picture in Parquet": lambda: table(png("zTXt"), "parquet"),
    "Arrow": lambda: table("x jquen", "file"),
    "stream of Arrow": lambda: table("x jquen", "stream"),
    "LZ4": lambda: pyarrow.Codec("lz4").compress(b"jquex jquen" * 9, asbytes=True),
    "LZMA": lambda: lzma.compress(b"x jquen", format=lzma.FORMAT_ALONE),
    "a zip that runs": lambda: b"#!/usr/bin/env python\n" + packed(b"jquex jquen"),
    "MATLAB": matlab,
    "pickle": lambda: pickle.dumps({"user": "jquen"}, 2),  # a letter follows
    "pickle of a long text": lambda: pickle.dumps("jquen" + "." * 60, 4),  # a letter is before it
    "checkpoint": lambda: checkpoint(user="jquen"),
    "path in a checkpoint": lambda: checkpoint(path="/home/jquen/data"),
    "record": record,
    "document": document,
    "LaTeX": lambda: rb"J{\"o}rdis Quenneville, and J\"{o}rdis Quenneville",
    "RTF": lambda: rb"{\author J\'f6rdis Quenneville}",
    "end of a line in JSON": lambda: json.dumps("a\njquen").encode(),
    "colour": lambda: b"\x1b[1;32mjquen\x1b[0m",
    "colour in JSON": lambda: json.dumps("\x1b[38;5;101mjquen").encode(),
    "four formats": lambda: gzip.compress(
        bz2.compress(lzma.compress(pyarrow.compress(b"x jquen" * 9, "zstd", asbytes=True)))
    ),
    "notebook": notebook,
    "JSON": lambda: json.dumps("Jördis Quenneville").encode(),
    "base64": lambda: base64.b64encode(b"signed off by jquen, who made this"),
    "HTML": lambda: b"J&ouml;rdis&nbsp;Quenneville",
    "Latin-1": lambda: "Jördis Quenneville".encode("latin-1"),
    "address": lambda: b"?author=J%C3%B6rdis%20Quenneville",
}


@pytest.mark.parametrize("kind", HIDDEN)
def test_a_name_is_found_wherever_it_hides(kind: str) -> None:
    assert whats(HIDDEN[kind]()), kind


def test_a_name_is_found_in_two_blocks_of_a_log(tmp_path: Path) -> None:
    """A block has 32 KB."""
    raw = 0
    for size in range(32720, 32760, 4):
        path = tmp_path / f"{size}.wandb"
        with LogWriter(path) as writer:
            writer.append(1, b"x" * size + b" jquen ")
        assert whats(path.read_bytes()) == ["user 'jquen' (git)"]
        raw += b"jquen" in path.read_bytes()
    assert raw < 10


def test_the_place_is_a_line_or_the_part_of_a_file() -> None:
    assert wheres(b"a\nb jquen\nc\njquen") == ["line 2, line 4"]
    assert wheres(packed(b"\njquen")) == ["'a.txt' in it"]
    assert "PNG zTXt" in wheres(png("zTXt"))[0]
    assert whats(b"x jquen\n") == ["user 'jquen' (git)"]


@pytest.mark.parametrize(
    "data",
    [
        b"7z\xbc\xaf\x27\x1c...",
        gzip.compress(b"x" * 99, mtime=0)[:-9],
        b"%PDF-1 /Encrypt 5 0 R",
        b"%PDF-1 /Filter /LZWDecode",
        b"LZIP\x01\x0c...",
        b"hsqs...",
        b"#!/usr/bin/env run-singularity\n\0SIF_MAGIC\0",
        b"age-encryption.org/v1\n",
        b"\0GITCRYPT\0...",
        b"\xd0\xcf\x11\xe0" + "EncryptedPackage".encode("utf-16-le"),
        b"\x89HDF\r\n\x1a\n...blosc\0",
        base64.b64encode(b"7z\xbc\xaf\x27\x1c" + bytes(range(30))),
        functools.reduce(lambda data, _: gzip.compress(data, mtime=0), range(8), b"x"),
    ],
)
def test_what_cannot_be_looked_into_is_named(data: bytes) -> None:
    assert any("can't be looked into" in what for what in whats(data))


def test_encrypted_files_are_known_by_their_names() -> None:
    assert reason_by_name("notes/a.txt.GPG") == "encrypted"
    assert reason_by_name("notes/gpg.txt") is None


@pytest.mark.slow
def test_weights_name_nobody_and_their_checkpoint_may() -> None:
    """Of these 260 words of three letters, 70 occur among a million random bytes."""
    words = [f"{first}o{last}" for first in "abdefgijklmnprstvwyz" for last in "bdefgmnprstwz"]
    search = NameSearch([name for word in words for name in known("user", word, "")], (), ())
    noise = np.random.default_rng(0).bytes(1 << 20)
    by_chance = {place.what for place in search.places_in(b"\0" + noise)}
    assert len(by_chance) < 3
    end = noise[-(1 << 16) :]
    found = {place.what for place in search.places_in(end + pickle.dumps({"user": "tom"}, 2))}
    assert found - by_chance == {"user 'tom' ()"}
    for text in (b"\0user=tom;", b"\0tom\0"):
        assert {place.what for place in search.places_in(end + text)} - by_chance


def test_a_given_or_family_name_alone_is_listed() -> None:
    text = "An idea of Ada's;\nthe method of JÖRDIS, and of Quenneville et al.; ada, Adam".encode()
    listed = {place.what: place.where for place in SEARCH.parts_in(text)}
    assert listed == {"'Jördis'": "line 2", "'Ada'": "line 1", "'Quenneville'": "line 2"}
    assert SEARCH.parts_in(b"\0" + text) == []


def test_hosts_of_private_indexes_are_listed() -> None:
    lock = b"""
source = { registry = "https://pypi.org/simple" }
sdist = { url = "https://jq:x@packages.lab.example:8080/a.tar.gz" }
wheel = { url = "https://packages.lab.example/a.whl" }
"""
    found = [Place("line 3", "the host packages.lab.example")]
    assert hosts_in("environments/e/uv.lock", lock) == found
    assert hosts_in("notes.md", lock) == []


@pytest.mark.slow
def test_random_bytes_have_no_names_and_end() -> None:
    noise = np.random.default_rng(0).bytes(1 << 20)
    for head in (b"", b"\x89PNG\r\n\x1a\n", b":W&B", b"\x78\x9c", b"%PDF-"):
        assert whats(head + noise) == []


def test_the_same_name_has_the_same_pseudonym() -> None:
    pseudonyms = Pseudonyms(NAMES, {COMMIT}, {"max"})
    text = (
        "jquen on tarn07.arkham.example (tarn07) ran /home/jquen/a.py of Quenneville, Jördis at "
        f"{COMMIT[:12]}; maximal max(a)"
    )
    shown = pseudonyms.in_text(text)
    assert whats(shown.encode()) == []
    assert shown == (
        "user-1 on host-1 (host-2) ran /home/user-1/a.py of author-1 at commit-1; maximal max(a)"
    )
    assert pseudonyms.of("host", "TARN07") == "host-2"
    assert pseudonyms.of("commit", COMMIT) == "commit-1"
    assert pseudonyms.in_text("a\nb") == "a\nb"
    assert pseudonyms.in_text('{"log": "\\u001b[32mjquen\\u001b[0m\\njquen"}') == (
        '{"log": "\\u001b[32muser-1\\u001b[0m\\nuser-1"}'
    )


def test_fields_of_records_are_names_and_parameters_are_not() -> None:
    record = {
        "host": "node1",
        "config": {"host": "a parameter"},
        "git": {"commit": COMMIT, "remote": ""},
        "attempts": [{"host": "node2", "gpus": ["GPU-1"]}, {"host": None}],
    }
    assert sorted(named(record)) == [
        ("commit", COMMIT),
        ("gpu", "GPU-1"),
        ("host", "node1"),
        ("host", "node2"),
    ]
    assert renamed(record, lambda kind, text: kind) == {
        "host": "host",
        "config": {"host": "a parameter"},
        "git": {"commit": "commit", "remote": ""},
        "attempts": [{"host": "host", "gpus": ["gpu"]}, {"host": None}],
    }


def test_a_citation_keeps_no_person_and_no_page() -> None:
    citation = {
        "title": "A paper",
        "authors": [
            {
                "family-names": "Quenneville",
                "given-names": "Jördis",
                "email": "j@arkham.example",
                "affiliation": "University of Arkham",
                "orcid": "https://orcid.org/0000-0001-2345-6789",
            },
            {"name": "Miskatonic Lab"},
        ],
        "repository-code": "https://github.com/quen-lab/hidden-paper",
        "references": [{"authors": [{"family-names": "Gauss"}]}],
    }
    found = set(people_in(citation))
    assert {
        ("author", "Jördis Quenneville"),
        ("email", "j@arkham.example"),
        ("organization", "University of Arkham"),
        ("organization", "0000-0001-2345-6789"),
        ("organization", "Miskatonic Lab"),
        ("remote", "https://github.com/quen-lab/hidden-paper"),
    } == found
    given = iter(("author-1", "author-2"))
    assert without_people(citation, lambda kind, text: next(given)) == {
        "title": "A paper",
        "authors": [{"name": "author-1"}, {"name": "author-2"}],
        "references": citation["references"],
    }


def test_everybodys_names_are_no_names() -> None:
    for kind, text in (
        ("user", "root"),
        ("host", "localhost"),
        ("host", "gpu-12"),
        ("folder", "/home/ubuntu"),
        ("folder", "/root"),
        ("author", "dependabot[bot]"),
        ("email", "noreply@github.com"),
    ):
        assert list(known(kind, text, "")) == [], text
    assert Name("domain", "arkham.example", "") in known("email", "x@arkham.example", "")
    assert all(name.kind != "domain" for name in known("email", "xyz@gmail.com", ""))
    assert Name("user", "quen", "") in known("email", "7+quen@users.noreply.github.com", "")
