"""What goes wrong, and what the user reads: one line that says what, where and what to do."""

import contextlib
import csv
import hashlib
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest
from caduceus.system import nvml
from projects import (
    EXPORTS,
    Finished,
    Project,
    end,
    end_group,
    start_snakemake,
    wait_for,
)
from run_files import identity


def one_variant(project: Project, seeds: list[int]) -> None:
    project.change("experiments/toy.yaml", seeds=seeds, matrix={"rate": [0.1]})


def said_by(finished: Finished, command: str) -> list[str]:
    return [line for line in finished.output.splitlines() if line.startswith(f"caduceus {command}")]


def test_a_typo_in_an_experiment_stops_everything_with_one_line(project: Project) -> None:
    project.replace("experiments/toy.yaml", "hypothesis:", "hypotesis:")
    finished = project.snakemake()

    assert finished.code == 1
    assert finished.output.startswith(
        "caduceus: experiments/toy.yaml:3: unknown key 'hypotesis', did you mean 'hypothesis'?"
    )
    assert len(finished.output.splitlines()) == 1


def test_a_typo_in_the_configuration_stops_everything_with_one_line(project: Project) -> None:
    project.change("config.yaml", wandb={"projekt": "tests"})
    finished = project.snakemake()

    assert finished.code == 1
    assert finished.output.startswith(
        "caduceus: config.yaml:4: unknown key 'wandb.projekt', did you mean 'project'?"
    )
    assert len(finished.output.splitlines()) == 1


def test_a_missing_program_stops_everything_with_one_line(project: Project) -> None:
    (project.path / "experiments/train.py").unlink()
    finished = project.snakemake()

    assert finished.code == 1
    assert finished.output == (
        "caduceus: experiments/toy.yaml:8: program: experiments/train.py doesn't exist; give its "
        "path from the folder you work in\n"
    )


TYPO = {"metrics": {"accuracy": "val/acuracy"}}
LOW = {"statement": "It is high.", "at_least": {"variant": {"rate": 0.1}, "value": 0.1}}
PAPER: dict[str, Any] = {
    "tables": {"accuracy": {"metrics": {"accuracy": "val/accuracy"}}, "typo": TYPO},
    "figures": {
        "curves": {"kind": "curves", "metrics": {"loss": "val/loss"}},
        "typo": {"kind": "curves", **TYPO},
        "confusion": {"kind": "confusion"},
    },
    "claims": {
        "fine": LOW | {"at_least": LOW["at_least"] | {"metric": "val/accuracy"}},
        "typo": LOW | {"at_least": LOW["at_least"] | {"metric": "val/acuracy"}},
    },
}
SECRET = "0123456789abcdef0123456789abcdef01234567"
FAILS = """
    if options.seed and not Path("experiments/mended").exists():
        assert step < 3, "no luck"
    run.log("""


@pytest.fixture(scope="module")
def failed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Finished]:
    """Of two runs one has failed, all else is made; its account is in a file. Tests change copies.

    The program is mended by a file that wasn't there when the run was planned. The paper names a
    metric that no run logs in entries of several kinds.
    """
    project = Project.create(tmp_path_factory.mktemp("failed") / "project")
    one_variant(project, [0, 1])
    project.change("config.yaml", paper=PAPER, notify={"command": ["tee", "-a", "told.txt"]})
    project.write(".env", f"WANDB_API_KEY={SECRET}\n")
    project.replace("experiments/train.py", "\n    run.log(", FAILS)
    project.replace(
        "experiments/train.py",
        "run = wandb.init()",
        "assert os.environ['WANDB_API_KEY'].startswith('0123')\nrun = wandb.init()",
    )
    return project, project.snakemake()


def test_a_failed_run_costs_only_itself(failed: tuple[Project, Finished]) -> None:
    project, finished = failed
    assert finished.code == 1
    (message,) = said_by(finished, "train")
    assert (
        "toy rate=0.1 seed 1 failed, others go on: experiments/train.py exited with 1: "
        "AssertionError: no luck"
    ) in message
    assert "; see results/runs/toy-" in message
    console = project.path / message.rpartition("; see ")[2]
    assert "AssertionError: no luck" in console.read_text().splitlines()
    log = project.path / f"results/logs/train/{console.parents[2].name}.log"
    assert log.read_text() == console.read_text()
    (message,) = said_by(finished, "report-failures")
    assert "failed runs: 1; fix the cause, type `caduceus retry`" in message
    states = [
        project.read_json(f"results/runs/{run.name}/run_summary.json")["state"]
        for run in project.runs
    ]
    assert sorted(states) == ["failed", "finished"]
    table = (project.path / "results/paper/tables/accuracy.md").read_text()
    assert "Failed and left out: 1 of 2 runs." in table

    # Again: the same message, and nothing trains.
    assert project.planned() == {"report_failures": 1}


def test_a_failed_entry_costs_only_itself(failed: tuple[Project, Finished], tmp_path: Path) -> None:
    project, finished = failed
    (message,) = said_by(finished, "report-failures")
    assert "; failed entries: 4; correct what each line names, and start again" in message
    known = "no run logged metric 'val/acuracy'; logged are: val/accuracy, val/loss; did you mean"
    for entry in ("tables.typo: metrics.accuracy", "figures.typo: metrics.accuracy"):
        assert f"\nfailed: paper.{entry}: {known} 'val/accuracy'?\n" in finished.output
    assert "\nfailed: paper.figures.confusion: no run has predictions.csv" in finished.output
    assert f"\nfailed: paper.claims.typo: metrics.val/acuracy: {known}" in finished.output
    said = project.caduceus("status").output.splitlines()
    at = said.index("the last build failed: 4 entries not made")
    assert said[at + 1].startswith("  failed       paper.tables.typo: metrics.accuracy: no run")
    page = (project.path / "results/report/index.html").read_text()
    for name in ("tables/typo", "figures/typo", "figures/confusion", "claims"):
        assert f'<a href="#{name}">{name}</a>' in page
    claims = project.read_json("results/paper/claims.json")["claims"]
    assert [claim["verdict"] for claim in claims] == ["not enough runs", "failed"]
    assert "failed" in (project.path / "results/paper/tables/typo.md").read_text()

    # The mended ones alone are made again, and what is made from them.
    mended = project.copy(tmp_path / "project")
    figures = PAPER["figures"] | {"typo": PAPER["figures"]["curves"]}
    mended.change("config.yaml", paper=PAPER | {"figures": figures})
    after = ("fill_checklist", "make_report", "record_provenance", "report_failures")
    expected = dict.fromkeys((*after, "draw_figure", "measure_figure"), 1)
    warning = f"warning: paper.tables.typo: metrics.accuracy: so far {known} 'val/accuracy'?"
    assert mended.caduceus("plan").output.startswith(warning)
    again = mended.snakemake()
    assert f"caduceus: {warning}" in again.output.partition("rule ")[0]
    assert (again.code, again.jobs) == (1, expected)
    (message,) = said_by(again, "report-failures")
    assert "; failed entries: 3; " in message
    svg = (mended.path / "results/paper/figures/typo.svg").read_text()
    assert "NO FIGURE" not in svg


def test_the_history_of_a_failed_run_is_exported(failed: tuple[Project, Finished]) -> None:
    project, _ = failed
    steps = []
    for run in project.runs:
        with (run / "metrics_history.csv").open() as stream:
            steps.append([row["_step"] for row in csv.DictReader(stream)])
    assert sorted(steps) == [["0", "1", "2"], ["0", "1", "2", "3", "4"]]


def test_a_failure_is_told_before_the_build_has_ended(failed: tuple[Project, Finished]) -> None:
    text = (failed[0].path / "told.txt").read_text()
    first, end = (
        text.index("failed: toy-"),
        text.index("the build has ended; runs: 1 failed, 1 fin"),
    )
    assert first < end and text.count("failed: toy-") == 1


def test_a_build_that_stops_before_its_last_job_says_so(
    failed: tuple[Project, Finished], tmp_path: Path
) -> None:
    project = failed[0].copy(tmp_path / "copy")
    (project.path / "told.txt").unlink()
    shutil.rmtree(project.path / "results/paper")
    (project.path / "results/paper/checklist.md/x").mkdir(parents=True)
    assert project.snakemake().code == 1
    text = (project.path / "told.txt").read_text()
    assert "the build stopped before its last job" in text and "failed: fill_checklist" in text


def test_secrets_of_the_environment_file_reach_the_program_and_no_file(
    failed: tuple[Project, Finished],
) -> None:
    project, finished = failed
    assert SECRET not in finished.output
    for folder in ("results", ".snakemake"):
        for path in (project.path / folder).rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert SECRET.encode() not in path.read_bytes(), path


def test_retry_trains_what_failed_and_nothing_else(
    failed: tuple[Project, Finished], tmp_path: Path
) -> None:
    project = failed[0].copy(tmp_path / "project")
    project.write("experiments/mended", "")
    assert "to be tried again: 5" in project.caduceus("retry").check().output
    assert project.snakemake(*EXPORTS).check().jobs["train"] == 1

    attempts = [
        project.read_json(f"results/runs/{run.name}/train.json")["attempts"] for run in project.runs
    ]
    assert sorted([a["state"] for a in found] for found in attempts) == [
        ["failed", "finished"],
        ["finished"],
    ]


def test_a_failed_attempt_is_repeated_as_often_as_configured(project: Project) -> None:
    one_variant(project, [0])
    project.change("config.yaml", retries=2)
    project.replace("experiments/train.py", "run.finish()", "raise SystemExit(3)")
    project.snakemake("--until", "train").check()

    (run,) = project.runs
    train = project.read_json(f"results/runs/{run.name}/train.json")
    assert [attempt["exit_code"] for attempt in train["attempts"]] == [3, 3, 3]
    assert train["state"] == "failed"
    assert sorted(path.name for path in (run / "work/attempts").glob("*.log")) == [
        "1.log",
        "2.log",
        "3.log",
    ]


def test_a_program_that_cannot_be_started_costs_only_its_runs(project: Project) -> None:
    one_variant(project, [0])
    project.change("experiments/toy.yaml", command=["julia", "${program}"])
    finished = project.snakemake(*EXPORTS).check()

    (message,) = said_by(finished, "train")
    assert "julia can't be started: No such file or directory; correct `command`" in message
    (run,) = project.runs
    assert project.read_json(f"results/runs/{run.name}/run_summary.json")["state"] == "failed"


def test_a_program_whose_log_has_no_end_has_failed(project: Project) -> None:
    """Rows may be missing, as on a disk that was full for a moment."""
    project.change("experiments/toy.yaml", seeds=[0], matrix={"rate": [0.1]})
    project.replace("experiments/train.py", "run.finish()", "os._exit(0)")
    project.snakemake("--until", "train")
    (run,) = project.runs
    train = json.loads((run / "train.json").read_text())
    assert (train["state"], train["exit_code"]) == ("failed", 0)
    assert "its W&B log has no end, so rows may be missing" in train["error"]


def test_an_artifact_of_an_undeclared_type_is_taken_and_said_once(project: Project) -> None:
    one_variant(project, [0, 1])
    project.change("config.yaml", paper={})
    project.replace(
        "experiments/train.py",
        "run.finish()",
        "run.log_artifact(wandb.Artifact('notes', 'prose'))\nrun.finish()",
    )
    finished = project.snakemake().check()
    assert finished.line("undeclared") == (
        "undeclared: 2 runs logged artifacts of type 'prose', such as notes; describe the type "
        "under wandb.artifact_types in config.yaml"
    )
    for run in project.runs:
        summary = json.loads((run / "run_summary.json").read_text())
        assert "prose" in [artifact["type"] for artifact in summary["artifacts"]]

    # Declared, beside those that every run logs; nothing trains again.
    project.change("config.yaml", wandb={"project": "tests", "artifact_types": {"prose": ""}})
    declared = project.snakemake().check()
    assert "undeclared" not in declared.output and "train" not in declared.jobs


def test_a_dataset_that_is_not_the_declared_one_trains_nothing(project: Project) -> None:
    project.change(
        "experiments/toy.yaml",
        dataset={"name": "points", "path": "data/points.csv", "sha256": "0" * 64},
    )
    finished = project.snakemake()

    assert finished.code == 1
    (message,) = said_by(finished, "make-dataset")
    found = hashlib.sha256((project.path / "data/points.csv").read_bytes()).hexdigest()
    assert f"dataset points: sha256 of data/points.csv is {found}" in message
    assert f"but the experiment declares {'0' * 64}; restore the data or declare" in message
    assert not list((project.path / "results/runs").glob("*/train.json"))


def in_a_namespace(project: Project, mount: str, *words: str) -> Finished:
    """Run words where results/ lies on a disk of its own, which `mount` makes."""
    (project.path / "results").mkdir(exist_ok=True)
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True).returncode:
        pytest.skip("this machine allows no mount namespaces, so that no disk can be filled")
    return project.run("unshare", "-rm", "bash", "-c", f'{mount} && "$@"', "bash", *words)


def test_a_full_disk_is_one_line(project: Project) -> None:
    finished = in_a_namespace(
        project,
        "mount -t tmpfs -o size=64k tmpfs results && ! dd if=/dev/zero of=results/full 2>/dev/null",
        *project.command("--cores", "1", "results/experiments/toy.json"),
    )

    assert finished.code != 0
    assert said_by(finished, "validate-spec") == [
        "caduceus validate-spec: results/experiments/toy.json: No space left on device: free some "
        "space or move results/ to a larger disk"
    ]


def test_a_read_only_folder_is_one_line(project: Project) -> None:
    given = json.dumps(identity("toy-1").to_json())
    words = ["caduceus", "init-run", "--identity", given, "--out"]
    finished = in_a_namespace(
        project, "mount -t tmpfs -o ro tmpfs results", *words, "results/run.json"
    )

    assert finished.code == 1
    assert finished.output == (
        "caduceus init-run: results/run.json: Read-only file system: make the file system "
        "writable or work in another folder (--directory)\n"
    )


WAITS_FOR_GO = """
import time
while not Path(os.environ["CADUCEUS_PROJECT_DIR"], "go").exists():
    time.sleep(0.05)
"""


def test_after_a_killed_snakemake_the_next_goes_on_by_itself(project: Project) -> None:
    one_variant(project, [0, 1])
    project.replace("experiments/train.py", "for step", f"{WAITS_FOR_GO}for step")
    process = start_snakemake(project)
    try:
        wait_for(lambda: list(project.path.glob("results/runs/*/work/wandb/1/wandb")))
        process.kill()
        process.wait()
        assert list((project.path / ".snakemake/locks").iterdir())

        # The programs that outlived Snakemake are waited for, not started twice.
        again = project.begin(*project.command("--cores", "2", *EXPORTS))
        assert again.stdout is not None
        printed = ""
        while "an earlier attempt still runs; waiting for it" not in printed:
            printed += (line := again.stdout.readline())
            assert line, printed
        project.write("go", "")
        assert "removed the lock" in printed + end(again).check().output
    finally:
        end_group(process.pid)
    for run in project.runs:
        attempts = project.read_json(f"results/runs/{run.name}/train.json")["attempts"]
        assert [attempt["state"] for attempt in attempts] == ["finished"]


@pytest.mark.soak
@pytest.mark.parametrize("kill", range(20))
def test_a_snakemake_killed_at_any_moment_loses_nothing(project: Project, kill: int) -> None:
    """Every process of it, as when a machine dies: supervisors and programs too."""
    one_variant(project, [0, 1, 2])
    process = start_snakemake(project)
    time.sleep(0.5 + 0.6 * kill)
    for victim in [*psutil.Process(process.pid).children(recursive=True), process]:
        with contextlib.suppress(psutil.NoSuchProcess):
            victim.kill()
    process.wait()
    project.snakemake().check()

    for run in project.runs:
        assert project.read_json(f"results/runs/{run.name}/train.json")["state"] == "finished"
        with (run / "metrics_history.csv").open() as stream:
            assert [row["_step"] for row in csv.DictReader(stream)] == ["0", "1", "2", "3", "4"]


def words_of(process: psutil.Process) -> set[str]:
    """The words of a command line; none of a process that has ended meanwhile."""
    with contextlib.suppress(psutil.Error):
        return set(process.cmdline())
    return set()


def test_a_supervisor_that_is_killed_takes_its_program_along(project: Project) -> None:
    one_variant(project, [0])
    project.replace("experiments/train.py", "for step", "import time\ntime.sleep(600)\nfor step")
    process = start_snakemake(project)
    try:
        wait_for(lambda: list(project.path.glob("results/runs/*/work/wandb/1/wandb")))
        family = psutil.Process(process.pid).children(recursive=True)
        # Parents come first: what the program starts has its words until it becomes another one.
        program = next(p for p in family if "experiments/train.py" in words_of(p))
        supervisor = program.parent()
        assert supervisor
        supervisor.kill()
        program.wait(timeout=1200)
        assert process.wait(timeout=1200) == 1
    finally:
        end_group(process.pid)
    project.replace("experiments/train.py", "import time\ntime.sleep(600)\n", "")
    project.snakemake("--rerun-incomplete", "--until", "train").check()


def test_snakemake_that_is_interrupted_ends_its_programs_and_loses_no_attempt(
    project: Project,
) -> None:
    one_variant(project, [0])
    project.replace("experiments/train.py", "for step", "import time\ntime.sleep(600)\nfor step")
    process = start_snakemake(project)
    try:
        wait_for(lambda: list(project.path.glob("results/runs/*/work/wandb/1/wandb")))
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does at Ctrl-C
        assert process.wait(timeout=1200) != 0
    finally:
        end_group(process.pid)
    (run,) = project.runs
    (attempt,) = [project.read_json(f"results/runs/{run.name}/work/attempts/1.json")]
    assert attempt["state"] == "interrupted"
    assert "stopped by SIGINT" in attempt["error"]
    assert not (run / "train.json").exists()


def test_two_snakemakes_in_one_folder_are_refused(project: Project) -> None:
    project.write(
        ".snakemake/caduceus.json",
        '{"host": "elsewhere", "pid": 1, "started": 0}',
    )
    project.write(".snakemake/locks/0.input.lock", "")
    finished = project.caduceus("unlock")

    assert finished.code == 1
    assert "locked by Snakemake on elsewhere; once it has ended there" in finished.output


LEAVES_ITS_SESSION = """
import subprocess, sys, time
code = "import time; time.sleep(600)"
worker = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
print("epoch 1")
print(f"worker {worker.pid}", flush=True)
time.sleep(600)
"""


DIVERGES = """
from caduceus import tracking
with tracking.start() as run:
    run.log({"train/loss": float("nan")}, step=250)
"""
PROGRAMS = {
    "hangs": LEAVES_ITS_SESSION,
    "waits": "import time\ntime.sleep(600)\n",
    "sees": "import os\nassert os.environ['CUDA_VISIBLE_DEVICES'] == ''\n",
    "diverges": DIVERGES,
}


@pytest.fixture(scope="module")
def planned(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Runs that are ready to train, one for each of the programs. Each test trains another."""
    project = Project.create(tmp_path_factory.mktemp("planned") / "project")
    one_variant(project, [0])
    for name, program in PROGRAMS.items():
        project.write(f"experiments/{name}.py", program)
        spec = (project.path / "experiments/toy.yaml").read_text()
        spec = spec.replace("id: toy", f"id: {name}").replace("train.py", f"{name}.py")
        project.write(f"experiments/{name}.yaml", spec)
    project.change("config.yaml", experiments=[f"experiments/{name}.yaml" for name in PROGRAMS])
    project.snakemake("--until", "plan_run", "init_run", "make_dataset").check()
    return project


def run_of(project: Project, experiment: str) -> Path:
    (run,) = (path for path in project.runs if path.name.startswith(experiment))
    return run


def train_words(run: Path) -> list[str]:
    """The command that trains a run."""
    words = [sys.executable, "-m", "caduceus", "train", "results/datasets/points/dataset.json"]
    words += ["--out", f"results/runs/{run.name}/train.json"]
    return [*words, "--log", f"results/logs/train/{run.name}.log"]


def test_data_that_change_before_training_stop_the_run(planned: Project, tmp_path: Path) -> None:
    project = planned.copy(tmp_path / "project")
    project.write("data/points.csv", "x,y\n9,9\n1,1\n")
    finished = project.run(*train_words(run_of(project, "sees")))

    assert finished.code == 1
    (message,) = said_by(finished, "train")
    assert "dataset points: data/points.csv changed since the data were described" in message


def test_a_program_that_hangs_is_ended_at_its_time_limit_with_all_it_started(
    planned: Project,
) -> None:
    run = run_of(planned, "hangs")
    finished = planned.run(*train_words(run), "--minutes", "0.5")

    (message,) = said_by(finished, "train")
    (worker,) = re.findall(r"worker (\d+)", message)
    assert (
        "failed, others go on: experiments/hangs.py ended at its time limit of 0.5 minutes "
        f"(resources.runtime): epoch 1 | worker {worker}; see results/runs/hangs-"
    ) in message
    assert not psutil.pid_exists(int(worker))
    assert planned.read_json(f"results/runs/{run.name}/train.json")["state"] == "failed"


def test_a_run_that_another_host_took_over_is_given_up(planned: Project) -> None:
    run = run_of(planned, "waits")
    process = planned.begin(*train_words(run))
    lease = run / "work/lease.json"
    wait_for(lambda: (run / "work/attempts/1.log").exists())
    other = json.loads(lease.read_text()) | {"token": "other", "host": "elsewhere"}

    def is_given_up() -> bool:
        if json.loads(lease.read_text()) != other:  # as at first, or after a heartbeat at once
            (run / "work/other").write_text(json.dumps(other))
            (run / "work/other").rename(lease)
        return process.poll() is not None

    wait_for(is_given_up)
    finished = end(process)

    assert finished.code == 1
    assert (
        "experiments/waits.py was given up: this host didn't answer for a while, and elsewhere "
        "took the run over"
    ) in finished.line("caduceus train")
    assert json.loads(lease.read_text()) == other
    assert planned.read_json(f"results/runs/{run.name}/work/attempts/1.json")["signal"] == 15
    assert not (run / "train.json").exists()


def test_a_loss_that_is_no_number_ends_the_run(planned: Project) -> None:
    finished = planned.run(*train_words(run_of(planned, "diverges")))

    (message,) = said_by(finished, "train")
    assert "DivergedError: train/loss is nan at step 250: lower the learning rate" in message


def test_a_run_without_gpus_sees_none(planned: Project) -> None:
    run = run_of(planned, "sees")
    planned.run(*train_words(run), CUDA_VISIBLE_DEVICES="0,1").check()
    train = planned.read_json(f"results/runs/{run.name}/train.json")
    assert train["state"] == "finished"
    assert (train["attempts"][0]["gpus"], train["compute"]["gpu_s"]) == ([], 0)


@pytest.mark.skipif(bool(nvml.visible_gpus()), reason="this machine has an NVIDIA GPU")
def test_a_run_that_needs_a_gpu_where_there_is_none_is_one_line(project: Project) -> None:
    one_variant(project, [0])
    project.change("experiments/toy.yaml", resources={"gpus": 0.25})
    finished = project.snakemake()

    assert finished.code == 1
    assert finished.line("caduceus train") == (
        "caduceus train: GPUs: the run needs 0.25, and this host has none that NVML shows; lower "
        "resources.gpus or run it on another host"
    )
