"""--json: each answer fits its schema, and errors say where and what to do."""

import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from answer_schemas import check
from caduceus import __main__ as command_line
from caduceus.commands import FOR_PEOPLE, doctor, verify
from caduceus.errors import (
    AccountError,
    CaduceusError,
    DatasetError,
    ProgramError,
    ResourceError,
    ResultError,
    SchedulerError,
    ServerError,
    SlurmError,
    SpecError,
    from_os_error,
)
from caduceus.io.answers import answer_text
from caduceus.io.failed_entries import Entry
from caduceus.io.schemas import FOLDER, find_schemas, whole_schema
from caduceus.overview.verification.checks import Check
from caduceus.runs.files.train import Train
from exported_runs import export_runs
from jsonschema import Draft202012Validator
from projects import REPOSITORY, Project

SNAKEFILE = """\
from caduceus import SNAKEFILE
configfile: "config.yaml"
module study:
    snakefile: SNAKEFILE
    config: config
use rule * from study as study_*
"""
Answer = Callable[..., Any]


@pytest.fixture
def answer(capsys: pytest.CaptureFixture[str]) -> Answer:
    """Runs a command with --json, and returns its answer once it fits the schema."""

    def run(*words: str, status: int = 0, schema: str = "") -> Any:
        end = words.index("--") if "--" in words else len(words)
        found = command_line.main([*words[:end], "--json", *words[end:]])
        printed = capsys.readouterr()
        assert found == status, printed.err
        return check(schema or words[0], json.loads(printed.out))

    return run


@pytest.fixture
def exported(project: Project, forked_dry_runs: None, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project in which one run of four has failed."""
    project.write("Snakefile", SNAKEFILE)
    monkeypatch.chdir(project.path)
    rows: list[dict[str, Any]] = [{"acc": 1.0, "loss": 2.0}]
    export_runs(project, lambda values, seed: rows if (values["rate"], seed) != (0.1, 1) else None)
    return project


@pytest.mark.slow
def test_status_says_the_same_as_json_and_as_text(
    exported: Project, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    found = answer("status")
    [toy] = found["experiments"]
    states = {(run["variant"], run["seed"]): run["state"] for run in toy["runs"]}
    assert (toy["experiment"], toy["is_listed"], len(states)) == ("toy", True, 4)
    assert states["rate=0.1", 1] == "failed"
    assert {run["run"] for run in toy["runs"]} == {folder.name for folder in exported.runs}
    assert found["snakemake"] is None
    # No stamp of one form answers the other.
    command_line.main(["status"])
    text = capsys.readouterr().out
    assert "toy: 4 runs" in text and "  failed       rate=0.1 seed 1" in text


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """Let nobody write into a folder; root, whom no mode stops, by a mount."""
    if os.geteuid():
        folder.chmod(0o555)
        yield
        folder.chmod(0o755)
        return
    if subprocess.run(["mount", "--bind", folder, folder]).returncode:
        pytest.skip("root of this container may neither mount nor be refused by a mode")
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", folder], check=True)
        os.chdir(folder)  # into what is mounted there now
        yield
    finally:
        subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_project_that_can_only_be_read_has_a_status_and_no_plan(
    exported: Project, answer: Answer, capsys: pytest.CaptureFixture[str]
) -> None:
    with read_only(exported.path):
        found = answer("status")
        assert (len(found["experiments"][0]["runs"]), found["stale"]) == (4, None)
        assert command_line.main(["status"]) == 0
        said = capsys.readouterr().out
        assert "stale results aren't known: Snakemake can't write here to plan" in said
        assert command_line.main(["plan"]) == 1
        said = capsys.readouterr().err
        assert f"{exported.path}: Snakemake can't plan where it can't write" in said


def test_a_plan_lists_runs_and_results_with_reasons(exported: Project, answer: Answer) -> None:
    for folder in exported.runs:
        for path in folder.glob("*"):
            path.unlink()
    found = answer("plan", "--cores", "3", "--", "--forceall")
    assert (found["cores"], found["unknown_lengths"], len(found["trainings"])) == (3, 4, 4)
    assert {each["why"] for each in found["trainings"]} == {
        "nothing of its experiment is trained yet"
    }
    assert "tables/accuracy" in {each["item"] for each in found["results"]}


def test_show_has_each_value_with_its_place(exported: Project, answer: Answer) -> None:
    exported.write("experiments/next.yaml", "extends: experiments/toy.yaml\nid: next\n")
    found = answer("show", "experiments/next.yaml")
    places = {tuple(each["keys"]): each for each in found["values"]}
    assert places["id",] == {"keys": ["id"], "value": "next", "where": "experiments/next.yaml:2"}
    assert found["experiment"]["id"] == "next"
    assert found["files"] == ["experiments/next.yaml", "experiments/toy.yaml"]


def test_gc_removes_only_with_yes(exported: Project, answer: Answer) -> None:
    gone = exported.runs[0]
    exported.change("experiments/toy.yaml", matrix={"rate": [0.7]})
    found = answer("gc")
    assert len(found["leftovers"]) == 4 and not found["is_removed"]
    assert answer("gc", "--remove", status=1, schema="error")["mend"] == "add --yes"
    assert gone.exists()
    assert answer("gc", "--remove", "--yes")["is_removed"]
    assert not gone.exists()


def test_doctor_ends_with_1_if_a_check_is_an_error(exported: Project, answer: Answer) -> None:
    exported.replace("experiments/toy.yaml", "seeds", "seedz")
    found = answer("doctor", status=1)
    [wrong] = [each for each in found["findings"] if each["name"] == "project"]
    assert wrong["level"] == "error" and "unknown key 'seedz'" in wrong["text"]


def test_retry_names_runs_and_entries(exported: Project, answer: Answer) -> None:
    [failed] = [each for each in exported.runs if Train.read(each / "train.json").state == "failed"]
    entry = Entry("tables/accuracy", exported.path / "results")
    with entry.costs_only_itself(lambda error: None):
        raise ResultError("no numbers")
    (damaged := exported.runs[0] / "train.json").write_text("{")
    assert damaged.parent != failed
    found = answer("retry", status=3)
    assert (found["runs"], found["entries"]) == ([failed.name], ["tables/accuracy"])
    [line] = found["damaged"]
    assert line.startswith(f"results/runs/{damaged.parent.name}/train.json: not JSON")
    damaged.unlink()
    assert answer("retry") == {"version": 1, "runs": [], "entries": [], "damaged": []}


def test_unlock_without_a_lock_removes_nothing(exported: Project, answer: Answer) -> None:
    assert answer("unlock") == {"version": 1, "is_removed": False, "running": []}


def test_init_names_its_files_and_the_next_commands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, answer: Answer
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent), prepend=os.pathsep)
    found = answer("init", "a study")
    assert found["next"][:2] == ["cd 'a study'", "snakemake --cores 2"]
    assert {"config.yaml", "AGENTS.md", ".schemas/config.json"} < set(found["files"])
    assert all((tmp_path / "a study" / file).is_file() for file in found["files"])
    assert answer("init", "a study", status=1, schema="error")["where"] == "a study/Snakefile"


def test_export_names_runs_and_problems(exported: Project, answer: Answer) -> None:
    damaged = exported.runs[0] / "work" / "a.wandb"
    damaged.parent.mkdir(exist_ok=True)
    damaged.write_bytes(b"no log")
    found = answer("export", str(damaged), "--out", "elsewhere", status=3)
    assert found["out"] == "elsewhere" and found["runs"] == [] and len(found["problems"]) == 1


def test_a_sweeps_preview_is_an_object(exported: Project, answer: Answer) -> None:
    parameters = {"rate": {"min": 0.0, "max": 1.0}, "depth": {"values": [1, 2]}}
    config = {"method": "random", "metric": {"name": "acc", "goal": "maximize"}}
    exported.write(
        "sweep.yaml", json.dumps({**config, "parameters": parameters, "program": "train.py"})
    )
    exported.write("train.py", "")
    preview = answer("sweep", "sweep.yaml", "--count", "5", "--dry-run", schema="sweep-result")[
        "preview"
    ]
    assert (preview["trials"], preview["runs"], preview["metric"]) == (5, 5, "acc")
    assert [each["name"] for each in preview["parameters"]] == ["rate", "depth"]
    assert preview["parameters"][0]["given"] == {"min": 0.0, "max": 1.0}
    assert set(preview["first_trials"][0]) == {"rate", "depth"}


@pytest.mark.parametrize("word", ["-n", "--list-rules"])
def test_a_build_that_builds_nothing_has_no_json(
    word: str, exported: Project, answer: Answer
) -> None:
    found = answer("build", word, status=1, schema="error")
    assert found["mend"] == "see `caduceus plan --json`"


def test_an_answer_before_an_error_is_the_only_object(
    exported: Project, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    failed = [Check("login works", False, "no key", "give one")]
    monkeypatch.setattr(verify, "check_offline", lambda: iter(failed))
    found = answer("verify", status=1)
    assert [each["mend"] for each in found["checks"]] == ["give one"]


def test_a_stream_without_an_end_has_no_json(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["sync", "--watch", "--json"])
    assert stopped.value.code == 2
    assert (
        "not allowed with argument" in check("error", json.loads(capsys.readouterr().out))["error"]
    )


@pytest.mark.parametrize("words", [["status"], ["plan"], ["show", "experiments/toy.yaml"]])
def test_an_error_is_an_object_with_place_and_mend(
    words: list[str], exported: Project, answer: Answer
) -> None:
    exported.replace("experiments/toy.yaml", "seeds", "seedz")
    found = answer(*words, status=1, schema="error")
    assert "unknown key 'seedz', did you mean 'seeds'?" in found["error"]
    lines = (exported.path / "experiments/toy.yaml").read_text().splitlines()
    number = next(n for n, each in enumerate(lines, 1) if each.startswith("seedz"))
    assert found["where"] == f"experiments/toy.yaml:{number}"
    assert found["mend"]


def test_an_error_of_snakemake_has_its_place(exported: Project, answer: Answer) -> None:
    exported.replace("Snakefile", "config.yaml", "none.yaml")
    found = answer("plan", status=1, schema="error")
    assert found["where"] == "Snakefile:2"
    assert found["error"].startswith("WorkflowError: Workflow defines configfile none.yaml but")


def test_the_line_for_people_stays_on_standard_error(
    exported: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["show", "experiments/none.yaml", "--json"]) == 1
    printed = capsys.readouterr()
    found = json.loads(printed.out)
    assert printed.err == f"caduceus show: {found['where']}: {found['error']}\n"


def test_a_closed_standard_output_costs_nothing(tmp_path: Path) -> None:
    """Text for a closed stream goes nowhere: no file that is opened later gets it."""
    words = f"exec {sys.executable} -m caduceus init study >&-"
    finished = subprocess.run(words, cwd=tmp_path, shell=True, capture_output=True, text=True)
    assert (finished.returncode, finished.stderr) == (0, "")
    assert (tmp_path / "study/config.yaml").is_file()


def test_wrong_arguments_are_an_object_too(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["status", "--json", "--resluts", "x"])
    printed = capsys.readouterr()
    assert stopped.value.code == 2
    found = check("error", json.loads(printed.out))
    assert "--resluts" in found["error"] and found["mend"] == "see `caduceus status --help`"
    assert "usage: caduceus" in printed.err


def test_a_fault_of_caduceus_is_an_object_and_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(doctor, "run", lambda arguments: arguments.nothing)
    assert command_line.main(["doctor", "--json"]) == 1
    printed = capsys.readouterr()
    found = check("error", json.loads(printed.out))
    assert found["error"].startswith("AttributeError: ")
    assert found["where"].startswith(f"{__file__}:")
    assert "Traceback" in printed.err


def test_without_json_nothing_is_on_standard_output(
    exported: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["show", "experiments/none.yaml"]) == 1
    assert capsys.readouterr().out == ""


KINDS = (AccountError, DatasetError, ProgramError, ResourceError, ResultError, ServerError)
KINDS += (SchedulerError,)


@pytest.mark.parametrize("kind", [CaduceusError, SlurmError, SpecError, *KINDS])
def test_an_error_says_what_to_do(kind: type[CaduceusError]) -> None:
    error = kind("no such  run;\nsee results/runs", "a\nb")
    assert (error.where, error.message, error.mend) == (
        "a b",
        "no such run; see results/runs",
        "see results/runs",
    )
    assert kind("no cell; there are a; b").mend == "there are a; b"
    assert kind("it is odd").mend
    assert kind("it is odd").where == ""


def test_an_error_of_the_system_says_what_to_do() -> None:
    error = from_os_error(OSError(28, "No space left on device", "results/a"))
    assert error is not None and str(error).startswith("results/a: No space left on device: free")
    assert error.mend == "free some space or move results/ to a larger disk"
    homeless = from_os_error(OSError(13, "Permission denied", "/nonexistent/.cache"))
    assert homeless is not None
    assert homeless.mend == "set XDG_CACHE_HOME to a folder that you can write to"


def test_numbers_and_names_that_json_lacks_are_plain() -> None:
    text = answer_text(
        {"a": [float("nan"), -float("inf"), 1.5], "b": Path("x"), "c": "é\udc80\x1b"}
    )
    assert text.isascii() and "\x1b" not in text
    assert json.loads(text) == {
        "version": 1,
        "a": ["NaN", "-Infinity", 1.5],
        "b": "x",
        "c": "é\udc80\x1b",
    }


SERVERS = {"board", "mcp"}
# Of each command a call that is right but for the project, whose experiment has a wrong key.
CALLS = {
    "adopt": ("adopt", "toy-1", "toy-2", "--why", "a new name"),
    "build": ("build", "--cores", "1"),
    "check-archive": ("check-archive", "none.zip"),
    "doctor": ("doctor",),
    "export": ("export", "none", "--out", "elsewhere"),
    "gc": ("gc",),
    "init": ("init", "experiments"),
    "merge": ("merge", "none"),
    "plan": ("plan",),
    "retry": ("retry", "none"),
    "schema": ("schema", "none"),
    "show": ("show", "experiments/toy.yaml"),
    "slurm-pilot": ("slurm-pilot", "--cores", "1", "--minutes", "1"),
    "status": ("status",),
    "sweep": ("sweep", "experiments/toy.yaml"),
    "sync": ("sync", "none"),
    "try": ("try", "it may help"),
    "unlock": ("unlock",),
    "verify": ("verify", "--equal", "none"),
    "why": ("why", "tables/none"),
}
# What they answer in such a project, where that is no error.
ANSWERED = {"doctor": 1, "init": 0, "unlock": 0}


def test_every_command_that_people_type_is_called() -> None:
    assert CALLS.keys() | SERVERS == set(FOR_PEOPLE)
    assert {*find_schemas()} > CALLS.keys() - {"sweep"}  # sweep-result
    page = (REPOSITORY / "docs/json.md").read_text()
    listed = re.findall(r"^\| `caduceus ([a-z-]+)`", page, re.MULTILINE)
    assert set(listed) == CALLS.keys()


@pytest.mark.parametrize("name", CALLS)
def test_every_command_says_what_is_wrong_as_an_object(
    name: str, exported: Project, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    exported.replace("experiments/toy.yaml", "seeds", "seedz")
    monkeypatch.setenv("PATH", "/nowhere")  # there may be a SLURM
    status = ANSWERED.get(name, 1)
    found = answer(*CALLS[name], status=status, schema="" if name in ANSWERED else "error")
    if name not in ANSWERED:
        assert found["error"] and found["mend"]


@pytest.mark.parametrize("name", sorted({*CALLS, *SERVERS}))
def test_wrong_arguments_of_every_command_are_an_object(
    name: str, exported: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stopped:
        raise SystemExit(command_line.main([name, "--no-such-option", "--json"]))
    assert stopped.value.code == 2
    assert check("error", json.loads(capsys.readouterr().out))["error"]


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"build"}))
def test_every_command_says_that_it_was_interrupted(
    name: str, answer: Answer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(arguments: Any) -> None:
        raise KeyboardInterrupt

    module = importlib.import_module(f"caduceus.commands.{name.replace('-', '_')}")
    monkeypatch.setattr(module, "run", interrupt)
    found = answer(*CALLS[name], status=130, schema="error")
    assert found["error"].startswith("interrupted; ")
    assert found["mend"] == "start the same command again"


def test_no_answer_has_the_name_of_a_file_that_people_write() -> None:
    files, answers = (
        {path.name for path in folder.glob("*.schema.yaml")}
        for folder in (FOLDER, FOLDER / "answers")
    )
    assert answers and not files & answers


@pytest.mark.parametrize("name", ["config", "experiment"])
def test_a_schema_for_editors_checks_parts_that_may_be_files(name: str) -> None:
    file = {
        "experiments": ["a.yaml"],
        "paper": {"tables": {"t": {"metricz": {"loss": "val/loss"}}}},
    }
    part = file["paper"]
    if name == "experiment":
        part = {"method": "grid", "parameters": {"x": {"values": [1]}}, "nme": "x"}
        file = {"id": "a", "type": "sweep", "program": "a.py", "sweep": {"config": part}}
    validator = Draft202012Validator(whole_schema(name))
    assert not validator.is_valid(file)
    text = json.dumps(file).replace("metricz", "metrics").replace("nme", "name")
    validator.validate(json.loads(text))
    validator.validate(json.loads(text.replace(json.dumps(part), '"a file.yaml"')))


@pytest.mark.parametrize("name", find_schemas())
def test_each_schema_is_printed_and_is_one(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command_line.main(["schema", name]) == 0
    Draft202012Validator.check_schema(json.loads(capsys.readouterr().out))


def test_schemas_are_listed_and_a_wrong_name_is_refused(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert command_line.main(["schema"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(find_schemas())
    assert command_line.main(["schema", "statsu"]) == 1
    assert "statsu: no such schema; there are config, " in capsys.readouterr().err
