"""What runs cost: every attempt is counted once, and what isn't known is said."""

import os
from collections import defaultdict
from pathlib import Path

import pytest
from caduceus.runs.cost import total_cost
from ledgers import H100, KILLED, RTX, Results, add_everything, attempt
from run_files import identity


@pytest.fixture
def results(tmp_path: Path) -> Results:
    return Results(tmp_path / "results")


@pytest.fixture
def everything(results: Results) -> Results:
    add_everything(results)
    return results


def test_every_attempt_of_every_run_is_listed_once(everything: Results) -> None:
    everything.add_foreign("projects/team/own/runs/good-1", 7200)  # was sent there from here
    everything.sum()
    listed = [(row["run"], row["attempt"], row["kind"], row["state"]) for row in everything.rows]
    assert listed == [
        ("bad", "1", "planned", "failed"),
        ("good-1", "1", "planned", "finished"),
        ("good-2", "1", "planned", "failed"),
        ("good-2", "2", "planned", "interrupted"),
        ("good-2", "3", "planned", "finished"),
        ("old", "1", "abandoned", "finished"),
        ("s-t0000", "1", "trial", "finished"),
        ("s-t0001", "1", "trial", "finished"),
        ("s-t0002", "1", "trial", "finished"),
        ("theirs", "", "project", "finished"),
    ]


def test_the_sums_are_those_of_the_attempts(everything: Results) -> None:
    compute = everything.sum()
    total, rows = compute["total"], everything.rows
    for name, column, unit in (
        ("wall_hours", "wall_s", 3600),
        ("cpu_hours", "cpu_s", 3600),
        ("gpu_hours", "gpu_s", 3600),
        ("energy_kwh", "energy_j", 3.6e6),
    ):
        known = [float(row[column]) for row in rows if row[column]]
        assert total[name] == pytest.approx(sum(known) / unit), name
    by_model: dict[str, float] = defaultdict(float)
    for row in rows:
        if row["gpu_model"]:
            by_model[row["gpu_model"]] += float(row["gpu_s"]) / 3600
    assert total["gpu_hours_by_model"] == pytest.approx(by_model)
    assert set(by_model) == {H100["name"], RTX["name"]}

    for way in (compute["parts"].values(), compute["experiments"]):
        for name in ("attempts", "wall_hours", "gpu_hours", "energy_kwh", "lost_hours"):
            assert sum(row[name] or 0 for row in way) == pytest.approx(total[name]), name


def test_what_did_not_lead_to_a_result_is_told_apart(everything: Results) -> None:
    parts = everything.sum()["parts"]
    wall_s = {name: row["wall_hours"] * 3600 for name, row in parts.items()}
    assert wall_s == pytest.approx(
        {
            "reported": 7200 + 600 + 5400,
            "failed": 50 + 30,
            "trial": 3 * 600,
            "abandoned": 3600,
            "project": 900,
        }
    )
    assert parts["reported"]["runs"] == 2


def test_the_time_of_a_run_leaves_out_what_failed_or_was_lost(everything: Results) -> None:
    big, *_ = everything.sum()["experiments"]
    assert (big["experiment"], big["kind"], big["failed"]) == ("big_model", "planned", 1)
    assert big["run_s"] == {"median": 6550, "min": 5900, "max": 7200}


def test_what_is_not_known_is_null_and_counted(everything: Results, results: Results) -> None:
    compute = everything.sum()
    assert compute["total"]["unmeasured"] == 2  # killed with its supervisor; made elsewhere
    assert compute["total"]["unmetered"] == 1
    project = compute["parts"]["project"]
    for name in ("cpu_hours", "gpu_hours", "energy_kwh", "peak_memory_gb", "threads", "gpus"):
        assert project[name] is None, name
    assert compute["machines"][-1]["cpu"] is None
    assert "only the wall time is known" in everything.latex


def test_gpus_whose_energy_nobody_counts_have_none() -> None:
    assert total_cost([attempt(gpu_models=[H100], energy_j=None)]).energy_kwh is None
    assert total_cost([attempt()]).energy_kwh is None
    assert total_cost([attempt(gpu_models=[H100])]).energy_kwh == 60 * 300 / 3.6e6


def test_a_share_of_a_gpu_counts_as_such_and_its_energy_is_said_to_be_unknown(
    results: Results,
) -> None:
    quarter = {"gpu_models": [H100], "gpu_share": 0.25, "energy_j": None}
    results.add("small-1", "small", attempt(1, 7200, **quarter))
    results.add("small-2", "small", attempt(1, 7200, **quarter))
    compute = results.sum()
    [row] = compute["experiments"]
    assert (row["gpu_hours"], row["gpu_hours_by_model"]) == (1.0, {H100["name"]: 1.0})
    assert (row["energy_kwh"], row["unmetered"], row["shared"]) == (None, 2, 2)
    assert row["gpus"] == {"min": 0.25, "max": 0.25}
    assert [line["gpus"] for line in results.rows] == ["0.25", "0.25"]
    assert [line["gpu_s"] for line in results.rows] == ["1800", "1800"]
    assert "and 0.25 GPU, and up to" in results.latex
    assert "1 GPU hour" in results.latex
    assert "The energy of 2 attempts that had a share of a GPU is not known." in results.latex

    results.add("large", "large", attempt(1, 3600, gpu_models=[H100]))
    total = results.sum()["total"]
    assert (total["gpu_hours"], total["shared"], total["unmetered"]) == (2.0, 2, 2)
    assert total["energy_kwh"] == 0.3
    assert (
        "The GPUs used 0.3 kWh by their own counters. The energy of 2 attempts that had a share of "
        "a GPU is not known, and not in this sum."
    ) in results.latex


def test_an_attempt_that_nobody_saw_end_counts_to_its_last_sign_of_life(results: Results) -> None:
    results.add("done", "toy", attempt())
    work = results.path / "runs/cut/work/attempts"
    identity("cut").write(results.path / "runs/cut/run.json")
    running = attempt(1, 0.0, state="running", **{k: None for k in KILLED if k != "state"})
    running.write(work / "1.json")
    (work / "1.log").write_text("step 1\n")
    started = running.start_s
    os.utime(work / "1.log", (started + 90, started + 90))

    compute = results.sum()
    assert compute["total"]["wall_hours"] * 3600 == pytest.approx(60 + 90)
    assert results.rows[0]["state"] == "running"
    assert compute["total"]["unmeasured"] == 1


def test_a_run_that_only_a_server_knows_has_its_time(results: Results) -> None:
    identity("far").write(results.path / "runs/far/run.json")
    results.add_foreign("runs/far", 300)
    results.plans["toy"] = {"far": None}
    reported = results.sum()["parts"]["reported"]
    assert (reported["wall_hours"] * 3600, reported["cpu_hours"]) == (300, None)
    assert "The hardware of 1 attempt is not on record." in results.latex


def test_a_run_that_was_never_begun_costs_nothing(results: Results) -> None:
    results.plans["toy"] = {}
    identity("new").write(results.path / "runs/new/run.json")
    assert results.sum()["total"]["runs"] == 0
    assert "% No run was started." in results.latex


def test_the_paragraph_of_one_experiment_says_what_a_run_took(results: Results) -> None:
    for seed, wall_s in enumerate((60, 90, 120)):
        results.add(f"a-{seed}", "a", attempt(1, wall_s, gpu_models=[RTX]))
    results.sum()
    assert results.latex.endswith(
        r"\paragraph{Compute resources.} We ran everything on 1 host with Some CPU\_7 \& more "
        "(64 logical cores, 515 GB of memory) and NVIDIA GeForce RTX 4090 (26 GB) GPUs. "
        "A run took 1.5 min (median; 1 to 2), with 4 threads and 1 GPU, and up to 1.5 GB of "
        "memory in a process. The 3 runs reported here took 4.5 GPU minutes, 9 CPU minutes, "
        "4.5 minutes of wall time. No attempt failed and no other run was made: this is the "
        "total. Wall time is summed over all attempts, whatever ran at the same time. "
        "The GPUs used 0.0225 kWh by their own counters."
    )


def test_the_paragraph_tells_what_is_not_reported(everything: Results) -> None:
    everything.sum()
    for said in (
        "The 2 runs reported here took 5.67 GPU hours,",
        "for 2 attempts that failed or did not finish;",
        "1 CPU hour, 30 minutes of wall time for 3 trials of hyperparameter sweeps;",
        "for 1 run of earlier versions that are not reported;",
        r"15 minutes of wall time for 1 run of other W\&B projects.",
        "Of this, 1.67 minutes were lost to interruptions and done again.",
    ):
        assert said in everything.latex, said


def test_a_crash_that_was_retried_is_told_once(results: Results) -> None:
    """Among what failed, not among what was lost to interruptions; its run may fail altogether."""
    crash = attempt(1, 50, state="failed", lost_s=50.0)
    results.add("good", "toy", crash, attempt(2, 60))
    results.add("bad", "toy", attempt(1, 40, lost_s=40.0, **KILLED), attempt(2, 30, state="failed"))
    compute = results.sum()
    assert compute["parts"]["failed"]["wall_hours"] * 3600 == pytest.approx(50 + 40 + 30)
    assert compute["total"]["lost_hours"] * 3600 == pytest.approx(40)
    assert "for 3 attempts that failed or did not finish." in results.latex
    assert "lost to interruptions" not in results.latex
    assert "Wall time is summed over all attempts" in results.latex


def test_the_same_ledger_gives_the_same_bytes(everything: Results) -> None:
    names = ("compute.json", "compute.csv", "compute.tex", "attempts.csv")
    everything.sum()
    first = [(everything.path / "paper" / name).read_bytes() for name in names]
    everything.sum()
    assert [(everything.path / "paper" / name).read_bytes() for name in names] == first
