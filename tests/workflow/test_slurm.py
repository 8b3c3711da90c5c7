"""The workflow on a real SLURM of one node: what becomes of runs when things go wrong there."""

import os
import runpy
import shutil
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from caduceus.runs.files.tries import LedgerFolder
from cluster_runs import attempts, create, history, saved
from daemons import wait_until
from projects import EXPORTS, REPOSITORY, Finished, Project, end
from slurm_cluster import SlurmCluster

PROFILE = str(REPOSITORY / "workflow/profiles/slurm")


def command(project: Project, *arguments: str) -> list[str]:
    quick = ("--seconds-between-status-checks", "1", "--latency-wait", "5", "--quiet", "reason")
    return project.command("--workflow-profile", PROFILE, *quick, *arguments)


def job_of(slurm: SlurmCluster, run: str) -> str:
    [job_id] = [job for job, name, _ in slurm.jobs("PD,R,CF") if name.endswith(run)]
    return job_id


@pytest.fixture(autouse=True)
def empty(slurm: SlurmCluster) -> Iterator[None]:
    """No job of one test stays for the next."""
    yield
    slurm.cancel_all()


def test_runs_get_what_they_ask_for_and_light_rules_stay_local(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    project = create(tmp_path / "project", 1, threads=2, mem_mb=700, gpus=0.25, runtime=20)
    site = {
        "default-resources": {"runtime": 7, "slurm_partition": "main"},
        "set-resources": {"train": {"slurm_partition": "long", "slurm_extra": "--nice=5"}},
    }
    project.write_yaml("site/profile.yaml", site)
    known = {job for job, _, _ in slurm.jobs()}
    # SLURM's GPUs are made up here: the job gets them, and its run says that there is no driver.
    # For a share of a GPU it gets a whole one.
    project.run(*command(project, "--profile", "site", "--until", "make_table"))
    jobs = {name: job for job, name, _ in slurm.jobs() if job not in known}
    [run] = project.runs
    assert set(jobs) == {"make_dataset:points", f"train:{run.name}"}
    train = slurm.ask("scontrol", "-o", "show", "job", jobs[f"train:{run.name}"])
    for part in ("Partition=long", "TimeLimit=00:30:00", "MinMemoryNode=700M", "CPUs/Task=2"):
        assert f" {part} " in train
    assert "TresPerNode=gres:gpu:1" in train
    log = (project.path / f"results/logs/train/{run.name}.log").read_text()
    assert "GPUs: the run needs 1, and this host has none" in log
    assert " Nice=5 " in train
    dataset = slurm.ask("scontrol", "-o", "show", "job", jobs["make_dataset:points"])
    for part in ("Partition=main", "TimeLimit=00:07:00"):
        assert f" {part} " in dataset


@pytest.fixture(scope="module")
def fates(slurm: SlurmCluster, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """Runs of one Snakemake, of which one is cancelled, one put back, one out of time, one waits.

    Meanwhile the node is drained: what runs goes on, and nothing starts until it is resumed.
    """
    project = create(tmp_path_factory.mktemp("fates") / "project", 5, threads=1, mem_mb=500)
    hold = project.write("hold", "")
    snakemake = project.begin(*command(project, *EXPORTS))
    try:
        wait_until(lambda: len(saved(project)) == 4, "four runs wait")
        cancelled, requeued, limited, plain = (run.name for run in saved(project))
        slurm.ask("scontrol", "update", f"NodeName={slurm.host}", "State=DRAIN", "Reason=test")
        jobs = {run: job_of(slurm, run) for run in (cancelled, requeued, limited)}
        slurm.ask("scancel", jobs[cancelled])
        slurm.ask("scontrol", "requeue", jobs[requeued])
        slurm.ask("scontrol", "update", f"JobId={jobs[limited]}", "TimeLimit=1")
        wait_until(
            lambda: "Restarts=1" in slurm.ask("scontrol", "show", "job", jobs[limited]),
            "the run that is out of time was put back",
        )
        # A job that was put back is completing before it is pending.
        wait_until(lambda: len(slurm.jobs("PD")) == 3 and not slurm.jobs("CG"), "three runs wait")
        drained = {name: state for _, name, state in slurm.jobs("PD,R")}
        status = project.caduceus("status").check().output
        slurm.ask("scontrol", "update", f"JobId={jobs[limited]}", "TimeLimit=10")
    finally:
        hold.unlink()
        slurm.ask("scontrol", "update", f"NodeName={slurm.host}", "State=RESUME")
    finished = end(snakemake)
    return {
        "project": project,
        "finished": finished,
        "drained": drained,
        "status": status,
        "cancelled": cancelled,
        "requeued": requeued,
        "limited": limited,
        "plain": plain,
    }


def test_nothing_starts_on_a_drained_node_and_what_runs_goes_on(fates: dict[str, object]) -> None:
    states = fates["drained"]
    [waiting] = [run.name for run in fates["project"].runs if run.name not in fates.values()]
    assert {name for name in states if states[name] == "RUNNING"} == {f"train:{fates['plain']}"}
    assert states[f"train:{waiting}"] == states[f"train:{fates['requeued']}"] == "PENDING"
    assert len(attempts(fates["project"], fates["plain"])) == 1
    lines = fates["status"].splitlines()
    queued = [line for line in lines if line.startswith("  queued ")]
    assert len(queued) == list(states.values()).count("PENDING")
    assert all("SLURM job " in line and line.endswith(", pending") for line in queued)
    [running] = [line for line in lines if line.startswith("  running ")]
    assert "step 3, for " in running and "SLURM job " in running
    assert lines[-1].startswith("snakemake is running on ")


@pytest.mark.parametrize("fate", ["requeued", "limited"])
def test_a_run_that_is_put_back_goes_on_and_exports_the_same(
    fates: dict[str, object], fate: str
) -> None:
    project, run = fates["project"], fates[fate]
    first, second = attempts(project, run)
    assert (first["state"], second["state"]) == ("interrupted", "finished")
    seed = project.read_json(f"results/runs/{run}/params.json")["seed"]
    expected = history(project, fates["plain"])
    other = project.read_json(f"results/runs/{fates['plain']}/params.json")["seed"]
    for row in expected:
        row["val/accuracy"] = f"{float(row['val/accuracy']) - other + seed:g}"
    rows = history(project, run)
    for row in rows:
        row["val/accuracy"] = f"{float(row['val/accuracy']):g}"
    assert rows == expected


def test_a_run_that_is_cancelled_is_not_put_back_and_costs_only_itself(
    fates: dict[str, object],
) -> None:
    project, finished = fates["project"], fates["finished"]
    assert finished.code == 1
    assert "ended as CANCELLED" in finished.output
    assert not (project.path / "results/runs" / fates["cancelled"] / "train.json").exists()
    ended = [run for run in project.runs if (run / "manifest.json").exists()]
    assert len(ended) == 4
    project.run(*command(project, *EXPORTS)).check()
    assert [each["state"] for each in attempts(project, fates["cancelled"])] == [
        "interrupted",
        "finished",
    ]


def snakemake_says(project: Project, words: str) -> int:
    """How often Snakemake has said something, in all its logs."""
    logs = (project.path / ".snakemake/log").glob("*.log")
    return sum(log.read_text().count(words) for log in logs)


# Notes each call beside itself.
COUNTED = """\
#!/bin/sh
printf . >> "${{0%/*}}/calls"
exec {path} "$@"
"""


def test_jobs_of_a_killed_snakemake_are_taken_over_and_an_outage_is_waited_for(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    project = create(tmp_path / "project", 2)
    hold = project.write("hold", "")
    snakemake = project.begin(*command(project, *EXPORTS))
    wait_until(lambda: len(saved(project)) == 2, "both runs wait")
    before = slurm.jobs("R")
    snakemake.kill()
    end(snakemake)

    project.caduceus("unlock").check()
    squeue = project.write("bin/squeue", COUNTED.format(path=shutil.which("squeue")))
    squeue.chmod(0o755)
    path = os.pathsep.join((str(squeue.parent), project.environment()["PATH"]))
    again = project.begin(*command(project, *EXPORTS), PATH=path)
    wait_until(lambda: snakemake_says(project, "is at work on it already") == 2, "both known")
    assert slurm.jobs("PD,R,CF") == before  # nothing was submitted a second time

    slurm.stop_controller()
    hold.unlink()
    wait_until(lambda: len(list(project.path.glob("results/runs/*/train.json"))) == 2, "both end")
    calls = squeue.with_name("calls")
    before = len(calls.read_text())
    # Of these the second was certainly in vain, and is noted before the third.
    wait_until(lambda: len(calls.read_text()) >= before + 3, "the queue was asked for in vain")
    assert again.poll() is None
    slurm.start_controller()
    finished = end(again).check()
    assert finished.output.count("SLURM's controller doesn't answer") == 1
    for run in project.runs:
        assert [each["state"] for each in attempts(project, run.name)] == ["finished"]


def test_a_pilot_goes_on_where_it_was_when_it_is_put_back(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    project = create(tmp_path / "project", 2)
    hold = project.write("hold", "")
    words = ["slurm-pilot", "--cores=2", "--minutes=5", "--", "--snakefile"]
    printed = project.caduceus(*words, str(REPOSITORY / "Snakefile")).check().output
    [(job_id, _, _)] = slurm.jobs("PD,R,CF")
    log = project.path / f"results/logs/slurm_pilot/{job_id}.log"
    assert printed == f"SLURM job {job_id}; its log: {log.relative_to(project.path)}\n"
    wait_until(lambda: len(saved(project)) == 2, "both runs wait")
    slurm.ask("scontrol", "requeue", job_id)
    # What a program logs in the second before it is killed may be lost: none logs meanwhile.
    wait_until(
        lambda: all(
            [each["state"] for each in attempts(project, run.name)][:1] == ["interrupted"]
            for run in project.runs
        ),
        "both runs were interrupted",
    )
    hold.unlink()
    wait_until(lambda: "\nnext: " in log.read_text(), "the pilot has done all")
    for run in project.runs:
        first, second = attempts(project, run.name)
        assert (first["state"], second["state"]) == ("interrupted", "finished")
        assert len(history(project, run.name)) == 8


def test_what_a_pilot_cannot_get_is_said_in_one_line(slurm: SlurmCluster, project: Project) -> None:
    def said(*words: str) -> str:
        return project.caduceus("slurm-pilot", *words).line()

    assert said("--cores=9", "--minutes=5") == (
        "caduceus slurm-pilot: --cores 9: the largest node has 4 CPUs; request no more"
    )
    assert "Invalid partition name" in said("--cores=1", "--minutes=5", "--partition=none")
    empty = project.path / "empty"
    empty.mkdir()
    words = [*project.command()[:2], "caduceus", "slurm-pilot", "--cores=1", "--minutes=1"]
    environment = os.environ | {"PATH": str(empty)}
    printed = subprocess.run(words, env=environment, capture_output=True, text=True).stderr
    assert "there is no sinfo here; work on a node from which jobs can be submitted" in printed


@pytest.mark.soak
def test_a_pilot_whose_time_is_up_goes_on_in_its_next_allocation(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    project = create(tmp_path / "project", 2)
    hold = project.write("hold", "")
    words = ["slurm-pilot", "--cores=2", "--minutes=2", "--", "--snakefile"]
    project.caduceus(*words, str(REPOSITORY / "Snakefile")).check()
    [(job_id, _, _)] = slurm.jobs("PD,R,CF")
    wait_until(lambda: len(saved(project)) == 2, "both runs wait")
    show = ("scontrol", "show", "job", job_id)
    wait_until(lambda: "Restarts=1" in slurm.ask(*show), "it was put back")
    slurm.ask("scontrol", "update", f"JobId={job_id}", "TimeLimit=20")
    hold.unlink()
    log = project.path / f"results/logs/slurm_pilot/{job_id}.log"
    wait_until(lambda: "\nnext: " in log.read_text(), "the pilot has done all")
    for run in project.runs:
        assert [each["state"] for each in attempts(project, run.name)][-1] == "finished"


@pytest.mark.soak
def test_a_run_that_saves_nothing_is_not_started_for_ever(
    slurm: SlurmCluster, tmp_path: Path
) -> None:
    project = create(tmp_path / "project", 1)
    project.replace("experiments/train.py", "CADUCEUS_CHECKPOINT_DIR", "CADUCEUS_OUTPUT_DIR")
    hold = project.write("hold", "")
    limits = ("--default-resources", "runtime=3", "--set-resources", "make_dataset:runtime=1")
    finished = end(project.begin(*command(project, *limits)))
    hold.unlink()
    assert finished.code == 1
    [run] = project.runs
    log = (project.path / f"results/logs/train/{run.name}.slurm.log").read_text()
    assert "its time limit came before anything was saved in CADUCEUS_CHECKPOINT_DIR" in log


@pytest.mark.soak
def test_the_quick_experiment(slurm: SlurmCluster, tmp_path: Path) -> None:
    """What `make` does, each run a job."""
    for name in ("config.yaml", "experiments"):
        (tmp_path / name).symlink_to(REPOSITORY / name)
    finished = Project(tmp_path).run(*command(Project(tmp_path))).check()
    assert "| cnn " in finished.output


@pytest.mark.soak
def test_the_runs_of_a_try_are_jobs(slurm: SlurmCluster, tmp_path: Path) -> None:
    project = create(tmp_path / "project", 2)
    project.snakemake(*EXPORTS).check()
    project.replace("experiments/train.py", "/ 8 + options.seed", "/ 8 - options.seed")
    known = {job for job, _, _ in slurm.jobs()}
    finished = project.caduceus("try", "a loss", "--", *command(project)[3:])
    assert finished.code == 4, finished.output
    [tried] = LedgerFolder(project.path / "results/tries/toy").tries()
    jobs = [name for job, name, _ in slurm.jobs() if job not in known]
    assert sorted(jobs) == sorted(f"train:{run}" for run in tried.trained)


@pytest.mark.soak
def test_ctrl_c_cancels_the_jobs(slurm: SlurmCluster, tmp_path: Path) -> None:
    project = create(tmp_path / "project", 1)
    project.write("hold", "")
    snakemake = project.begin(*command(project))
    wait_until(lambda: len(saved(project)) == 1, "the run waits")
    snakemake.send_signal(signal.SIGINT)
    finished: Finished = end(snakemake)
    assert finished.code == 1
    wait_until(lambda: not slurm.jobs("PD,R,CF,CG"), "no job is left")


@pytest.mark.soak
def test_the_benchmark_runs(slurm: SlurmCluster, tmp_path: Path) -> None:
    measure = runpy.run_path(str(REPOSITORY / "benchmarks/slurm.py"))["measure"]
    took = measure(slurm, tmp_path, runs=2, seconds=0.1)
    assert took.keys() == {"without SLURM", "one pilot", "a job each"}
