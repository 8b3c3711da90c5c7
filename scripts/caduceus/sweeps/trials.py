"""Trials: how the next one follows from those before.

What was chosen once stays chosen: a trial's file is taken from its copy in `work/chosen` where
Snakemake has it made again, as it does once an earlier trial is run again. Beside its parameters it
holds what it was told: the result of the one trial that came in since the trial before it, at a
distance of `lag`. So all that a suggestion goes by stands in the files of the trials up to it, and
a trial that is run again later changes nothing of what follows.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from caduceus.errors import SpecError
from caduceus.io.files import canonical_json, digest_text, read_json, write_json, write_whole
from caduceus.runs import source_code
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.params import Params
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.folders import SweepFolder, Trial, ranking, result_of
from caduceus.sweeps.plans import depends_on_results
from caduceus.sweeps.spaces import Configuration
from caduceus.sweeps.suggestions import Observation, suggest
from caduceus.system.git import read_commit

_MOST_AHEAD = 8  # trials; its own trial waits for them


def start_sweep(
    plan: Mapping[str, Any], code: source_code.CodeSpec, experiment: Path, out: Path
) -> None:
    """Write sweep.json and sweep.yaml, and take the snapshot of the code that all trials run.

    Args:
        plan: what sweep.json is to hold.
        code: `code` of the experiment.
        experiment: its file.
        out: results/sweeps/SWEEP/sweep.json.

    Raises:
        SpecError: the code is no longer what it was when the sweep got its id.
    """
    folder = SweepFolder(out.parent)
    root, program = Path(), plan["definition"]["program"]
    files = source_code.code_files(root / program, code, root)
    if source_code.code_identity(files, code, root) != plan["definition"]["code"]:
        raise SpecError("its code changed after Snakemake had started; start it again", program)
    if not folder.experiment.exists():  # it comes last; trials that have run, ran what is there
        source_code.snapshot(files, root, folder.code, linked=None)
        write_json(folder.commit, read_commit(files, root))
        write_whole(folder.experiment, experiment.read_bytes())
    is_file = not plan["keys"]
    text = Path(plan["file"]).read_text() if is_file else _as_yaml(plan["config"])
    write_whole(folder.given, text)
    write_json(out, plan)


def _as_yaml(value: Any) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def suggest_trial(folder: SweepFolder, number: int, results: Sequence[Path]) -> None:
    """Write the file of trial `number`, as it was chosen if it ever was.

    It holds `trial`; `parameters`, nested as in the sweep's configuration, or null if an earlier
    trial has reached the sweep's target, and this one is skipped; and `told`, what came in since
    the trial before, as `result_of` has it, or null.

    To import a model takes many times as long as to ask it. So where trials end faster than they
    are suggested, those that follow and whose results are there are chosen too, into `work/ahead`.
    Their own jobs take them from there if nothing has changed that they were chosen by.

    Args:
        folder: the sweep's.
        number: counted from 0.
        results: train.json of each run of trial `number - lag`; empty before the first result, and
            in a sweep that goes by none.
    """
    folder.choose_once(f"{number:04d}", lambda: _next_trial(folder, number, results))


def _next_trial(folder: SweepFolder, number: int, results: Sequence[Path]) -> Trial:
    """The trial, and what follows it into `work/ahead`."""
    plan, config = read_json(folder.plan), folder.config()
    earlier = folder.earlier(number) if depends_on_results(config) else []
    trials = [*earlier, open_trial(plan, number, results)]
    ahead = folder.ahead(number)
    if ahead.exists() and (known := read_json(ahead))["given"] == _digest(plan, trials):
        ahead.unlink()
        found: Trial = known["trial"]
        return found
    trials[-1]["parameters"] = _choose(folder, plan, config, trials)
    trial = trials[-1]
    if config.method != "bayes" or number + 1 < plan["lag"]:
        return trial
    for following in range(number + 1, number + 1 + _MOST_AHEAD):
        results = folder.run_results(plan, following - plan["lag"])
        if not all(path.exists() for path in results):
            break
        trials.append(open_trial(plan, following, results))
        given = _digest(plan, trials)
        trials[-1]["parameters"] = _choose(folder, plan, config, trials)
        write_json(folder.ahead(following), {"given": given, "trial": trials[-1]})
    return trial


def open_trial(plan: Mapping[str, Any], number: int, results: Sequence[Path]) -> Trial:
    """A trial that is still to be chosen: see `suggest_trial`."""
    told = result_of(number - plan["lag"], list(map(Train.read, results))) if results else None
    return {"trial": number, "parameters": None, "told": told}


def _digest(plan: Mapping[str, Any], trials: Sequence[Trial]) -> str:
    """Of all that decides the last of these trials, which is open."""
    return digest_text(canonical_json([plan, trials]))


def _choose(
    folder: SweepFolder, plan: Mapping[str, Any], config: SweepConfig, trials: Sequence[Trial]
) -> Configuration | None:
    """The parameters of the last of these trials, which is open; None if it is skipped."""
    number = trials[-1]["trial"]
    if ran_with := _ran_with(folder, plan, config, number):
        return ran_with
    if is_skipped(config, trials):
        return None
    return suggest(config, plan["sampler"], plan["seed"], number, _known(trials))


def _ran_with(
    folder: SweepFolder, plan: Mapping[str, Any], config: SweepConfig, number: int
) -> Configuration | None:
    """The parameters of a trial that has been run, and whose file has been deleted since.

    Chosen anew it might be another one, where an earlier trial was retried, or by another version
    of what suggests them.
    """
    for train_json in folder.run_results(plan, number):
        run = RunFolder(train_json.parent)
        if read_attempts(run.attempts) and (params := Params.read_if_there(run.params_json)):
            return config.space.part(params.parameters)
    return None


def is_skipped(config: SweepConfig, trials: Sequence[Trial]) -> bool:
    """Whether one of the results that trials were told has reached the sweep's target."""
    return any(_has_reached(config, trial["told"]) for trial in trials)


def _has_reached(config: SweepConfig, told: Mapping[str, Any] | None) -> bool:
    """Whether a result is as good as the sweep's target."""
    if config.target is None or not told or told["state"] != "finished":
        return False
    objective = told["objective"]
    if objective is None:
        return False
    sign = config.goal.sign
    return bool(sign * objective <= sign * config.target)


def _known(trials: Sequence[Trial]) -> list[Observation]:
    """What is known of each trial but the last one, which is to be suggested."""
    told = {trial["told"]["trial"]: trial["told"] for trial in trials if trial["told"]}
    known = []
    for trial in trials[:-1]:
        result = told.get(trial["trial"])
        known.append(
            Observation(
                trial["parameters"],
                result["objective"] if result else None,
                result["state"] if result else "running",
            )
        )
    return known


def confirm_trial(folder: SweepFolder, count: int, rank: int) -> Trial:
    """What the file of a confirmation is to hold: the configuration at place `rank`, once more.

    Args:
        folder: the sweep's.
        count: how many trials there are to choose from, all of which have ended.
        rank: counted from 0, the best.

    Returns:
        As `suggest_trial`, with the number of the trial that is confirmed; it is skipped if there
        aren't so many different configurations with a result.
    """
    places: dict[str, Trial] = {}  # the best trial of each configuration
    for result in ranking(folder.results(count), folder.config().goal):
        parameters = read_json(folder.trial(f"{result['trial']:04d}"))["parameters"]
        confirmed = {"trial": result["trial"], "parameters": parameters, "told": None}
        places.setdefault(canonical_json(parameters), confirmed)
        if len(places) > rank:
            return confirmed
    return {"trial": None, "parameters": None, "told": None}
