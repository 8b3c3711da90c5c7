"""The files of a sweep's trials, and what they are chosen by."""

import math
import subprocess
import sys
from pathlib import Path
from typing import Any

from caduceus.files import read_json, write_json
from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.trials import suggest_trial

LAG = 3
PLAN = {
    "sweep": "tune-1",
    "config": {
        "method": "bayes",
        "metric": {"name": "loss", "goal": "minimize"},
        "parameters": {"x": {"min": 0.0, "max": 1.0}, "y": {"min": 0.0, "max": 1.0}},
    },
    "lag": LAG,
    "seed": 0,
    "sampler": "tpe",
    "seeds": [0],
    "has_seeds": False,
}


def results_for(folder: SweepFolder, number: int) -> list[Path]:
    """What the job of a trial is given."""
    return folder.run_results(PLAN, number - LAG) if number >= LAG else []


def finish(folder: SweepFolder, number: int, objective: float) -> None:
    (path,) = folder.run_results(PLAN, number)
    outcome = {"objective": objective, "stopped_at": None, "bands": {}}
    write_json(path, {"state": "finished", "trial": outcome})


def run_trials(results: Path, count: int, waiting: int = 1) -> SweepFolder:
    """A sweep of so many trials, each of which ended `waiting` trials before it was needed."""
    folder = SweepFolder(results / "sweeps/tune-1")
    write_json(folder.plan, PLAN)
    for number in range(count):
        suggest_trial(folder, number, results_for(folder, number))
        ended = number - LAG + waiting
        if ended >= 0:
            at = read_json(folder.trial(f"{ended:04d}"))["parameters"]
            finish(folder, ended, math.hypot(at["x"] - 0.3, at["y"] - 0.7))
    return folder


def trials_of(folder: SweepFolder) -> list[Any]:
    return [read_json(path) for path in sorted((folder.path / "trials").iterdir())]


def test_trials_are_the_same_whether_chosen_ahead_or_when_due(tmp_path: Path) -> None:
    late = run_trials(tmp_path / "late", 19, waiting=1)
    early = run_trials(tmp_path / "early", 19, waiting=LAG)
    assert not list(late.path.glob("work/ahead/*"))
    assert list(early.path.glob("work/ahead/*"))
    assert trials_of(late) == trials_of(early)


def test_what_was_chosen_ahead_is_taken_without_a_model(tmp_path: Path) -> None:
    folder = run_trials(tmp_path, 19, waiting=LAG)
    (ahead, *_) = sorted(folder.path.glob("work/ahead/*"))
    number, chosen = int(ahead.stem), read_json(ahead)["trial"]
    words = ["suggest-trial", *map(str, results_for(folder, number))]
    words += ["--out", str(folder.trial(ahead.stem))]
    code = (
        f"import sys; from caduceus.__main__ import main; assert main({words!r}) == 0\n"
        "print({'numpy', 'optuna'} & {*sys.modules})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout == "set()\n"
    assert read_json(folder.trial(ahead.stem)) == chosen
    assert not ahead.exists()


def test_what_was_chosen_by_another_result_is_chosen_anew(tmp_path: Path) -> None:
    folder = run_trials(tmp_path, 19, waiting=LAG)
    (ahead, *_) = sorted(folder.path.glob("work/ahead/*"))
    number = int(ahead.stem)
    finish(folder, number - LAG, -100.0)
    suggest_trial(folder, number, results_for(folder, number))
    found = read_json(folder.trial(ahead.stem))
    assert found["told"]["objective"] == -100.0
    ahead.unlink()
    suggest_trial(folder, number, results_for(folder, number))
    assert found == read_json(folder.trial(ahead.stem))
