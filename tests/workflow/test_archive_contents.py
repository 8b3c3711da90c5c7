"""Archives of a trained project: what is in them, and what is refused."""

import csv
import io
import json
import os
import shutil
import time
import zipfile
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import yaml
from caduceus.errors import AccountError, CaduceusError, ResultError, SpecError
from caduceus.io.files import sha256
from caduceus.paper.archive.check import changed_packages, lacking_code
from caduceus.paper.archive.contents import Entry
from caduceus.paper.archive.create import Archive, make_archive
from caduceus.paper.archive.generated_files import METADATA, installed_packages
from caduceus.paper.archive.zips import unpack, write_zip
from caduceus.project.project import load_project
from caduceus.runs.files.train import Train
from caduceus.runs.files.usage import Usage, UsedFile
from caduceus.system.known_secrets import known_secrets
from projects import REPOSITORY, Project

MADE = [
    Path("results") / name
    for name in (
        "groups/baseline/runs.csv",
        "paper/tables/accuracy.md",
        "paper/figures/curves.pdf",
        "paper/provenance.json",
        "report/index.html",
    )
]
KEY = "0123456789abcdef" * 3


@pytest.fixture
def archive(
    finished: Project, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> Callable[..., Archive]:
    """Archives the project, with other settings of the archive if any are given."""
    monkeypatch.setenv("HOME", str(tmp_path))

    def make(**settings: object) -> Archive:
        monkeypatch.chdir(finished.path)
        if settings:
            finished.change("config.yaml", archive=settings)
        config = yaml.safe_load(Path("config.yaml").read_text())
        project = load_project(config, ["config.yaml"])
        files = [Path("config.yaml")]
        return make_archive(project, config, files, Path("results"), MADE, REPOSITORY)

    return make


def content(made: Archive) -> dict[str, bytes]:
    """The files of an archive by name, without the folder that all are in."""
    with zipfile.ZipFile(made.path) as source:
        assert {info.date_time for info in source.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        return {name.partition("/")[2]: source.read(name) for name in source.namelist()}


def rows(table: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(table.decode())))


def test_it_holds_configuration_programs_exports_paper_and_pipeline(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    finished.write("LICENSE", "Do as you like.\n")
    files = content(archive())

    assert files["project/LICENSE"] == b"Do as you like.\n"
    for name in ("config.yaml", "experiments/toy.yaml", "experiments/train.py"):
        assert files[f"project/{name}"] == (finished.path / name).read_bytes()
    assert files["project/experiments/curve.py"]  # a module that the program imports
    for name in ("Snakefile", "workflow/rules/common.smk", "envs/requirements.txt"):
        assert files[f"pipeline/{name}"] == (REPOSITORY / name).read_bytes()
    linked = "pipeline/scripts/caduceus/project/pipeline/workflow/schemas/config.schema.yaml"
    assert linked in files
    for package in (REPOSITORY / "scripts").glob("*/__init__.py"):
        assert f"pipeline/scripts/{package.parent.name}/__init__.py" in files
    for run in finished.runs:
        for name in ("params.json", "metrics_history.csv", "manifest.json"):
            assert files[f"project/results/runs/{run.name}/{name}"] == (run / name).read_bytes()
    for name in ("groups/baseline/history.parquet", "paper/figures/curves.svg"):
        assert files[f"derived/{name}"] == (finished.path / "results" / name).read_bytes()
    assert files["derived/report/index.html"]
    assert "project/data/points.csv" not in files
    assert not any("__pycache__" in name for name in files)
    (environment,) = json.loads(files["derived/paper/provenance.json"])["environments"].values()
    assert [name for name in files if "/work/" in name] == [f"project/{environment}"]


def test_the_code_that_ran_is_there_once_for_all_runs_that_had_it(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    files = content(archive())

    ran = rows(files["code/runs.csv"])
    assert [row["run"] for row in ran] == [run.name for run in finished.runs]
    (code,) = {row["code"] for row in ran}
    program = (finished.path / "experiments/train.py").read_bytes()
    assert files[f"code/{code}/experiments/train.py"] == program
    assert sum(data == program for name, data in files.items() if name.endswith("train.py")) == 2
    moved = {row["file"]: row["why"] for row in rows(files["left_out.csv"])}
    name = f"project/results/runs/{finished.runs[0].name}/artifacts/code-toy/experiments/train.py"
    assert moved[name] == f"it is stored as code/{code}/experiments/train.py"


def test_what_the_ledger_counts_of_other_runs_is_there(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    """Of a run that was given up, killed at its second attempt: by its files' times, after 60 s."""
    given_up = finished.runs[0].with_name("toy-given-up")
    shutil.copytree(finished.runs[0], given_up, symlinks=True)
    for name in ("train.json", "run_summary.json", "manifest.json"):
        (given_up / name).unlink()
    attempt = json.loads((given_up / "work/attempts/1.json").read_text())
    attempt |= {"attempt": 2, "state": "running", "wall_s": 0.0}
    (given_up / "work/attempts/2.json").write_text(json.dumps(attempt))
    console = given_up / "work/attempts/2.log"
    console.write_text("epoch 1")
    last = datetime.fromisoformat(attempt["started_at"]).timestamp() + 60
    os.utime(console, (last, last))

    files = content(archive())
    where = "project/results/runs/toy-given-up"
    assert {name for name in files if name.startswith(where)} == {
        f"{where}/{name}"
        for name in ("params.json", "run.json", "work/attempts/1.json", "work/attempts/2.json")
    }
    assert json.loads(files[f"{where}/work/attempts/2.json"])["wall_s"] == 60


def test_what_was_put_over_the_configuration_is_in_it(
    finished: Project, archive: Callable[..., Archive], monkeypatch: pytest.MonkeyPatch
) -> None:
    archive()
    config = yaml.safe_load(Path("config.yaml").read_text()) | {"retries": 1}
    project = load_project(config, ["config.yaml"])
    made = make_archive(project, config, [Path("config.yaml")], Path("results"), MADE, REPOSITORY)
    assert yaml.safe_load(content(made)["project/config.yaml"]) == config


def test_the_same_project_gives_the_same_bytes_at_another_time(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    first = archive().path.read_bytes()
    later = time.time() + 1000
    for folder, _, names in os.walk(finished.path):
        for name in names:
            os.utime(Path(folder) / name, (later, later), follow_symlinks=False)
            (Path(folder) / name).chmod(0o600)
    assert archive().path.read_bytes() == first


def test_it_names_no_folder_of_this_machine(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    for name, data in content(archive()).items():
        assert str(finished.path).encode() not in data, name
        assert str(REPOSITORY).encode() not in data, name
        if name.endswith("/train.json"):  # the hooks in tests/support/watching ran in the programs
            libraries = json.loads(data)["attempts"][0]["usage"]["libraries"]
            assert {file["path"] for file in libraries.values()} == {""}


def test_files_beyond_the_code_are_in_it_or_listed(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    for name in ("libs/part.py", "settings.yaml", "gone.yaml"):
        finished.write(name, "depth = 3\n")
    for run, names in zip(
        finished.runs, (("libs/part.py", "settings.yaml"), ("gone.yaml",)), strict=False
    ):
        record = Train.read(run / "train.json")
        files = {name: UsedFile(1, 10, sha256(finished.path / name), tree="any") for name in names}
        attempt = replace(record.attempts[-1], usage=Usage(files=files))
        replace(record, attempts=(attempt,)).write(run / "train.json")
    finished.write("settings.yaml", "depth = 4\n")
    (finished.path / "gone.yaml").unlink()
    files = content(archive())

    assert files["project/libs/part.py"] == b"depth = 3\n"
    listed = {row["file"]: row["why"] for row in rows(files["left_out.csv"])}
    assert "project/libs/part.py" not in listed
    assert listed["project/settings.yaml"] == "it has changed since a run used it"
    assert listed["project/gone.yaml"] == "a run used it, and it is gone"


def test_it_has_what_libraries_are_found_by(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    finished.write("libs/vision/setup.py", "")
    finished.write(".gitmodules", '[submodule "tools"]\n\tpath = tools\n')
    assert content(archive()).keys() >= {"project/libs/vision/setup.py", "project/.gitmodules"}


def test_large_artifacts_stay_out_and_are_listed(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    made = archive(max_file_mb=0.00001)
    files = content(made)

    assert made.left_out == 8  # predictions and experiment of each run; the models are smaller
    assert made.left_out_bytes > 0
    run = finished.runs[0].name
    name = f"project/results/runs/{run}/artifacts/results-{run}/predictions.csv"
    assert name not in files
    (row,) = (row for row in rows(files["left_out.csv"]) if row["file"] == name)
    assert row["why"] == "it is larger than 1e-05 MB"
    assert row["sha256"] == sha256(finished.path / name.removeprefix("project/"))
    assert f"project/results/runs/{run}/artifacts/model-{run}/model.txt" in files


def test_it_takes_in_what_the_configuration_names(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    finished.write("notes/a.txt", "a")
    finished.write("notes/.hidden", "b")
    made = archive(name="paper", include=["data/*.csv", "notes"])
    assert made.path == Path("results/archive/paper.zip")
    files = content(made)
    assert {"project/data/points.csv", "project/notes/a.txt"} < files.keys()
    assert "project/notes/.hidden" not in files


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("nothing/*", "no visible file"),
        (".env", "no visible file"),
        ("data/**.csv", "can only be a whole folder"),
    ],
)
def test_a_pattern_that_matches_nothing_visible_is_refused(
    finished: Project, archive: Callable[..., Archive], pattern: str, said: str
) -> None:
    finished.write(".env", "X=1\n")
    with pytest.raises(SpecError, match=said):
        archive(include=[pattern])


def test_a_file_outside_the_project_is_refused(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    (finished.path / "experiments/toy.yaml").rename(finished.path.parent / "toy.yaml")
    finished.change("config.yaml", experiments=["../toy.yaml"])
    with pytest.raises(SpecError, match=r"\.\./toy\.yaml: lies outside the project"):
        archive()


@pytest.mark.parametrize("kept_in", ["environment", ".env", "netrc"])
@pytest.mark.parametrize("where", ["experiments/curve.py", "results/runs/RUN/train.json"])
def test_a_secret_is_refused_by_the_name_of_its_file(
    finished: Project,
    archive: Callable[..., Archive],
    monkeypatch: pytest.MonkeyPatch,
    kept_in: str,
    where: str,
) -> None:
    if kept_in == "environment":
        monkeypatch.setenv("WANDB_API_KEY", KEY)
    elif kept_in == ".env":
        finished.write(".env", f"HF_TOKEN={KEY}\n")
    else:
        netrc = Path(os.environ["HOME"], ".netrc")
        netrc.write_text(f"machine api.wandb.ai login user password {KEY}\n")
        netrc.chmod(0o600)
    archive()  # it stands in no file yet
    file = finished.path / where.replace("RUN", finished.runs[0].name)
    file.write_text(f"{file.read_text()}\n# {KEY}\n")
    with pytest.raises(ResultError) as refused:
        archive()
    assert file.name in str(refused.value)
    assert KEY not in str(refused.value)
    assert len(str(refused.value).splitlines()) == 1


def test_a_secret_across_two_chunks_is_found(tmp_path: Path) -> None:
    for start in range((1 << 16) - len(KEY), (1 << 16) + 1):
        data = b"x" * start + KEY.encode() + b"x"
        with pytest.raises(ResultError, match=r"a\.txt: contains the value of K"):
            write_zip(tmp_path / "a.zip", "a", [Entry("a.txt", data)], {KEY: "K"})
        assert list(tmp_path.iterdir()) == []


def test_secrets_are_known_by_the_names_of_variables(tmp_path: Path) -> None:
    variables = {
        "HOME": str(tmp_path),
        "WANDB_API_KEY": "long enough",
        "AWS_SECRET_ACCESS_KEY": "also long enough",
        "github_token": "and this one",
        "KEYBOARD": "no secret at all",
        "WANDB_ENTITY": "no secret either",
        "DB_PASSWORD": "short",
    }
    assert set(known_secrets(variables).values()) == {
        "WANDB_API_KEY",
        "AWS_SECRET_ACCESS_KEY",
        "github_token",
    }
    (tmp_path / ".netrc").write_text("machine without its end password")
    with pytest.raises(AccountError, match="can't be read"):
        known_secrets(variables)


def test_an_export_that_was_changed_is_refused(
    finished: Project, archive: Callable[..., Archive]
) -> None:
    history = finished.runs[0] / "metrics_history.csv"
    history.write_text(history.read_text().replace("0.5", "0.6"))
    with pytest.raises(ResultError, match=r"metrics_history\.csv: differs from manifest\.json"):
        archive()
    history.unlink()
    with pytest.raises(ResultError, match=r"metrics_history\.csv: is missing"):
        archive()


def rewrite(path: Path, change: Callable[[dict[str, bytes]], None]) -> Path:
    """The archive with its files changed."""
    with zipfile.ZipFile(path) as source:
        files = {name: source.read(name) for name in source.namelist()}
    change(files)
    with zipfile.ZipFile(path, "w") as target:
        for name, data in files.items():
            target.writestr(name, data)
    return path


def test_every_change_of_a_file_is_named(archive: Callable[..., Archive], tmp_path: Path) -> None:
    path = archive().path.absolute()
    assert unpack(path, tmp_path / "whole")[2] == []

    def change(files: dict[str, bytes]) -> None:
        experiment = bytearray(files["tests/project/experiments/toy.yaml"])
        experiment[7] ^= 1
        files["tests/project/experiments/toy.yaml"] = bytes(experiment)
        del files["tests/code/runs.csv"]
        files["tests/more.txt"] = b""

    _, _, problems = unpack(rewrite(path, change), tmp_path / "changed")
    assert problems == [
        "different: project/experiments/toy.yaml doesn't match manifest.sha256",
        "extra: more.txt isn't in manifest.sha256, or occurs twice",
        "missing: code/runs.csv",
    ]
    assert not (tmp_path / "changed/tests/more.txt").exists()


def test_whatever_bit_changed_is_named_or_changes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    entries = [Entry("x/text.txt", b"hello " * 50), Entry("bytes", bytes(range(256)))]
    write_zip(path, "a", [*entries, Entry("empty", b"")], {})
    whole = path.read_bytes()
    named = 0
    for place in range(len(whole)):
        broken = bytearray(whole)
        broken[place] ^= 1 << place % 8
        path.write_bytes(broken)
        try:
            folder, expected, problems = unpack(path, tmp_path)
        except ResultError:
            named += 1
            continue
        named += bool(problems)
        if not problems:
            assert all(sha256(folder / name) == digest for name, digest in expected.items())
    assert named > len(whole) / 2


@pytest.mark.parametrize(
    ("name", "said"),
    [("tests/../../out.txt", "extra"), ("/out.txt", "extra"), ("../manifest.sha256", "no archive")],
)
def test_nothing_is_unpacked_outside_its_folder(
    archive: Callable[..., Archive], tmp_path: Path, name: str, said: str
) -> None:
    def add(files: dict[str, bytes]) -> None:
        if name.startswith("../"):
            files.clear()
        files[name] = b""

    path = rewrite(archive().path.absolute(), add)
    into = tmp_path / "deep/into"
    try:
        assert any(line.startswith(said) for line in unpack(path, into)[2])
    except ResultError as error:
        assert "isn't an archive" in str(error)
    assert not list(tmp_path.rglob("out.txt"))


@pytest.mark.parametrize("text", ["", "no zip"])
def test_what_is_no_archive_is_one_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "a.zip"
    with pytest.raises(ResultError, match="no such file"):
        unpack(path, tmp_path)
    path.write_text(text)
    with pytest.raises(CaduceusError, match="isn't a complete zip"):
        unpack(path, tmp_path)


def test_other_versions_of_packages_are_named(tmp_path: Path) -> None:
    here = installed_packages()
    lines = f"numpy==0.1\nwandb=={here['wandb']}\nnot-installed-here==1\n"
    (tmp_path / "environment.txt").write_text(lines)
    assert changed_packages(tmp_path) == [f"numpy {here['numpy']} instead of 0.1"]


def test_the_check_names_what_runs_used_and_the_archive_lacks(tmp_path: Path) -> None:
    (tmp_path / METADATA).write_text('{"results": "results"}')
    (tmp_path / "left_out.csv").write_text(
        "file,bytes,sha256,why\n"
        "project/results/runs/r/media/a.png,9,d,it is larger than 1 MB\n"
        "project/settings.yaml,9,d,it has changed since a run used it\n"
    )
    line = "lacks project/settings.yaml: it has changed since a run used it"
    assert list(lacking_code(tmp_path)) == [line]
