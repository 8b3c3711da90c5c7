"""Anonymous archives of a trained project: pseudonyms in records, and what names somebody."""

import base64
import csv
import io
import json
import re
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
import yaml
from caduceus.errors import ResultError
from caduceus.io.files import sha256
from caduceus.paper.archive.anonymous import anonymise, refuse_names
from caduceus.paper.archive.contents import Contents, add_written
from caduceus.paper.archive.result_files import add_runs
from caduceus.project.project import load_project
from PIL import Image, PngImagePlugin
from projects import Project

PERSON, ADDRESS, USER = "Jördis Quenneville", "jquen@cs.arkham.example", "jquen"
HOSTS = ("tarn07.arkham.example", "tarn08")
ENTITY, LAB = "quenlab", "quen-lab"
NAMES = (PERSON, ADDRESS, USER, *HOSTS, ENTITY, LAB, "tarn07", "arkham", "Quenneville")
CITATION = f"""\
cff-version: 1.2.0
title: A paper
authors:
  - {{ family-names: Quenneville, given-names: Jördis, email: {ADDRESS}, affiliation: Arkham U }}
repository-code: https://github.com/{LAB}/hidden
"""


@pytest.fixture
def named(finished: Project, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project of somebody, with a repository, whose runs ran on two hosts."""
    git(finished, "init", "--quiet")
    git(finished, "config", "user.name", PERSON)
    git(finished, "config", "user.email", ADDRESS)
    git(finished, "remote", "add", "origin", f"git@github.com:{LAB}/hidden.git")
    finished.write(".gitignore", "results/\n.snakemake/\n")
    finished.write("CITATION.cff", CITATION)
    git(finished, "add", ".")
    git(finished, "commit", "--quiet", "-m", "all")
    commit = git(finished, "rev-parse", "HEAD").strip()
    monkeypatch.setenv("USER", USER)
    monkeypatch.setenv("WANDB_ENTITY", ENTITY)
    monkeypatch.chdir(finished.path)
    for number, run in enumerate(finished.runs):
        host = HOSTS[number % 2]
        for name, text in (("train.json", '"host": "'), ("run_summary.json", '"host": "')):
            path = run / name
            before = json.loads(path.read_text())
            old = (before.get("attempts") or [before])[0]["host"]
            path.write_text(path.read_text().replace(f'{text}{old}"', f'{text}{host}"'))
        train = json.loads((run / "train.json").read_text())
        train["attempts"][0] |= {"commit": commit, "is_dirty": False, "gpus": [f"GPU-{number}"]}
        train["attempts"][0]["error"] = f'File "/home/{USER}/paper/train.py", line 3'
        (run / "train.json").write_text(json.dumps(train, indent=2) + "\n")
        summary = json.loads((run / "run_summary.json").read_text())
        summary |= {"entity": ENTITY, "git": {"commit": commit, "remote": f"git@x:{LAB}/hidden"}}
        (run / "run_summary.json").write_text(json.dumps(summary, indent=2) + "\n")
        manifest = json.loads((run / "manifest.json").read_text())
        path = run / "run_summary.json"
        manifest["files"][path.name] = {"bytes": path.stat().st_size, "sha256": sha256(path)}
        (run / "manifest.json").write_text(json.dumps(manifest, indent=2) + "\n")
    finished.change("config.yaml", archive={"anonymous": True}, wandb={"project": "tests"})
    return finished


def git(project: Project, *words: str) -> str:
    command = ["git", "-C", str(project.path), *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def files_of(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as source:
        return {name.partition("/")[2]: source.read(name) for name in source.namelist()}


def test_an_anonymous_archive_names_nobody_and_makes_the_same_paper(
    finished: Project, named: Project
) -> None:
    named.snakemake("--until", "make_report").check()
    shown = {
        path.relative_to(named.path / "results").as_posix(): path.read_bytes()
        for folder in ("tables", "figures")
        for path in (named.path / "results/paper" / folder).iterdir()
    }
    before = named.path / "results/paper/attempts.csv"
    hours = sums(before.read_bytes())
    named.write("README.md", "# Paper\n\nIn memory of Jördis.\n")
    said = named.snakemake("archive").check().output
    assert "project/README.md: line 3 has 'Jördis'" in said
    archive = named.path / "results/archive/tests.zip"
    first = archive.read_bytes()
    files = files_of(archive)

    for name, data in files.items():
        text = data.decode(errors="replace").lower()
        for each in NAMES:
            assert each.lower() not in text, (name, each)
    run = named.runs[0].name
    record = json.loads(files[f"project/results/runs/{run}/train.json"])
    assert record["attempts"][0]["host"].startswith("host-")
    assert record["attempts"][0]["commit"] == "commit-1"
    assert "/home/user-1/paper" in record["attempts"][0]["error"]
    assert {name: files[f"derived/{name}"] for name in shown} == shown
    anonymous = sums(files["derived/paper/attempts.csv"])
    assert sorted(hours.values()) == sorted(anonymous.values())
    assert hours.keys() == set(HOSTS) and len(anonymous) == 2
    assert yaml.safe_load(files["project/CITATION.cff"])["authors"] == [{"name": "author-1"}]
    assert json.loads(files["caduceus.json"])["repository"] is None

    checked = named.caduceus("check-archive", str(archive), "--cores", "2").check()
    assert "rebuilt byte for byte" in checked.output
    named.snakemake("archive").check()
    assert archive.read_bytes() == first


def sums(attempts: bytes) -> dict[str, float]:
    """The seconds of each host."""
    found: dict[str, float] = {}
    for row in csv.DictReader(io.StringIO(attempts.decode())):
        found[row["host"]] = round(found.get(row["host"], 0) + float(row["wall_s"]), 3)
    return found


def picture() -> bytes:
    info, stream = PngImagePlugin.PngInfo(), io.BytesIO()
    info.add_text("Author", PERSON.replace("ö", "o"), zip=True)
    Image.new("L", (2, 2)).save(stream, "PNG", pnginfo=info)
    return stream.getvalue()


def document() -> bytes:
    stream = io.BytesIO()
    plt.figure().savefig(stream, format="pdf", metadata={"Author": PERSON})
    plt.close()
    return stream.getvalue()


def notebook() -> str:
    output = {"data": {"image/png": base64.b64encode(picture()).decode()}}
    return json.dumps({"cells": [{"outputs": [output]}]}, indent=1)


SMUGGLED: dict[str, tuple[str, Callable[[], str | bytes], str]] = {
    "a comment": ("experiments/train.py", lambda: f"# by {USER}\n", "train.py: line "),
    "a readme": (
        "README.md",
        lambda: f"# Paper\n\nAsk {ADDRESS}.\n",
        "README.md: line 3 has email",
    ),
    "a licence": ("LICENSE", lambda: f"(c) {PERSON}\n", "LICENSE: line 1 has author"),
    "a notebook": ("more/a.ipynb", notebook, "a.ipynb: base64 in line"),
    "a picture": ("more/a.png", picture, "a.png: PNG zTXt has author"),
    "a document": ("more/a.pdf", document, "a.pdf: "),
    "a log": ("more/run.log", lambda: f"1\n/home/{USER}/x.py\n", "run.log: line 2 has user"),
    "a host": (
        "more/hosts",
        lambda: "tarn08\n",
        "more/hosts: line 1 has host 'tarn08' (train.json)",
    ),
    "requirements": (
        "more/requirements.txt",
        lambda: f"-e git+https://github.com/{LAB}/hidden.git@main#egg=x\n",
        "requirements.txt: line 1 has remote",
    ),
    "UTF-16": ("more/a.txt", lambda: f"by {USER}".encode("utf-16"), "a.txt: "),
    "a name": (f"more/{USER}.txt", lambda: "", "its name has user"),
}


@pytest.mark.parametrize("kind", SMUGGLED)
def test_what_the_user_wrote_is_refused_with_its_place(named: Project, kind: str) -> None:
    name, content, said = SMUGGLED[kind]
    made = content()
    path = named.path / name
    path.parent.mkdir(exist_ok=True)
    data = made if isinstance(made, bytes) else made.encode()
    path.write_bytes((path.read_bytes() if path.exists() else b"") + data)
    with pytest.raises(ResultError) as refused:
        searched(["more"] if name.startswith("more") else [])
    assert said in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_what_programs_wrote_gets_pseudonyms(named: Project) -> None:
    metadata = {"host": "tarn99", "username": USER, "root": f"/home/{USER}/x", "email": ADDRESS}
    named.write("more/wandb-metadata.json", json.dumps(metadata))
    log = named.runs[0] / "work/attempts/1.log"
    log.write_text(f"/home/somebody/lib.py on tarn08 as {USER}\n")
    contents = searched(["more", str(log.relative_to(named.path))])
    record = json.loads(contents.entries["project/more/wandb-metadata.json"].read())
    assert {key: value[:-1] for key, value in record.items()} == {
        "host": "host-",
        "username": "user-",
        "root": "folder-",
        "email": "email-",
    }
    text = contents.entries[f"project/{log.relative_to(named.path)}"].read().decode()
    assert re.fullmatch(r"/home/user-(\d)/lib.py on host-\d as user-(?!\1)\d\n", text)


def searched(include: list[str]) -> Contents:
    """The files of the archive of the project in this folder, less derived ones and Caduceus."""
    config = yaml.safe_load(Path("config.yaml").read_text())
    config["archive"] |= {"include": include}
    project = load_project(config, ["config.yaml"])
    contents = Contents()
    add_written(contents, project, config, [Path("config.yaml")])
    add_runs(contents, project, Path("results"))
    anonymity = anonymise(contents, Path("results"))
    refuse_names(anonymity, "tests", contents.entries.values())
    return contents
