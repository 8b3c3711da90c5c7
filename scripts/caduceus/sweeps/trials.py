"""Write the files of a sweep's trials, each suggested from the trials before it.

A trial is suggested once. If Snakemake reruns its job, because an earlier trial was run again, the
file is restored from its copy in `work/chosen`. Besides its parameters the file holds under `told`
the one new result since the trial before it, that of the trial `lag` before. So everything that a
suggestion depends on is in the files of the trials up to it, and running a trial again doesn't
change the later ones.

A sweep keeps the search that it was started with: trial 0 holds its version under `search`, and
each trial after it takes that version. A sweep without one was started when Optuna suggested all
trials.
"""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import yaml

from caduceus.errors import ResultError, SpecError
from caduceus.io.composition import compose
from caduceus.io.files import Json, canonical_json, digest_text, write_json, write_whole
from caduceus.io.phrases import count_of, printable
from caduceus.io.written_out import written_out
from caduceus.runs import source_code
from caduceus.runs.attempts import read_attempts
from caduceus.runs.files.params import Params
from caduceus.runs.files.sweep import SweepPlan
from caduceus.runs.files.train import Train
from caduceus.runs.files.trial import KnownRun, Trial, TrialAhead, TrialResult
from caduceus.runs.folder import RunFolder
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.folders import SweepFolder, ranking, result_of
from caduceus.sweeps.known_runs import find_known
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.plans import depends_on_results
from caduceus.sweeps.spaces import Configuration
from caduceus.sweeps.suggestions import SEARCH, suggest
from caduceus.system.git import read_commit

_MOST_AHEAD = 8  # trials suggested ahead, since the job's own trial waits for them


def start_sweep(plan: SweepPlan, code: source_code.CodeSpec, experiment: Path, out: Path) -> None:
    """Write sweep.json and sweep.yaml, and take the code snapshot that all trials run.

    Args:
        plan: the content of sweep.json.
        code: `code` of the experiment.
        experiment: its file.
        out: results/sweeps/SWEEP/sweep.json.

    Raises:
        SpecError: the code has changed since the sweep got its id.
    """
    folder = SweepFolder(out.parent)
    root, program = Path(), plan.definition.program
    files = source_code.code_files(root / program, code, root, plan.definition.command)
    if source_code.code_identity(files, code, root) != plan.definition.code:
        raise SpecError("its code has changed since Snakemake started; start it again", program)
    if not folder.experiment.exists():  # written last; else trials have run the snapshot
        source_code.snapshot(files, root, folder.code)
        write_json(folder.commit, read_commit(files, root))
        write_whole(folder.experiment, written_out(compose(str(experiment), Path()), Path()))
    is_file = not plan.keys
    text = Path(plan.file).read_text() if is_file else _as_yaml(plan.config.to_json())
    write_whole(folder.config_yaml, text)
    plan.write(out)


def _as_yaml(value: Mapping[str, Json]) -> str:
    return yaml.safe_dump(value, sort_keys=False, allow_unicode=True)


def suggest_trial(folder: SweepFolder, number: int, results: Sequence[Path]) -> None:
    """Write the file of trial `number`, or restore it from its copy.

    It is skipped if an earlier trial has reached the sweep's target.

    Importing a sampler takes far longer than using it. So the following trials whose results exist
    already are suggested too, and written to `work/ahead`. Their own jobs read them from there,
    unless what they depend on has changed.

    Args:
        folder: the sweep's folder.
        number: counted from 0.
        results: train.json of each run of trial `number - lag`; empty for the first trials, and if
            the sweep doesn't depend on results.
    """
    folder.write_once(f"{number:04d}", lambda: _next_trial(folder, number, results))


def _next_trial(folder: SweepFolder, number: int, results: Sequence[Path]) -> Trial:
    """Return the trial, and write the following ones to `work/ahead`."""
    plan, config = folder.read_plan(), folder.config()
    earlier = folder.earlier(number) if depends_on_results(config) else []
    search = _search(folder, plan, config, earlier)
    own = replace(new_trial(plan, number, results), search=search)
    if number == 0 and plan.known:
        own = replace(own, known=_known(folder, plan.known, config))
    trials = [*earlier, own]
    ahead = folder.suggested_ahead(number)
    known = TrialAhead.read_if_there(ahead)
    if known and known.given == _digest(plan, trials):
        ahead.unlink()
        return known.trial
    trial = trials[-1] = replace(trials[-1], parameters=_parameters(folder, plan, config, trials))
    if config.method != "bayes" or number + 1 < plan.lag:
        return trial
    for following in range(number + 1, number + 1 + _MOST_AHEAD):
        results = folder.run_results(plan, following - plan.lag)
        if not all(path.exists() for path in results):
            break
        trials.append(replace(new_trial(plan, following, results), search=search))
        given = _digest(plan, trials)
        trials[-1] = replace(trials[-1], parameters=_parameters(folder, plan, config, trials))
        TrialAhead(given=given, trial=trials[-1]).write(folder.suggested_ahead(following))
    return trial


def _known(folder: SweepFolder, names: Sequence[str], config: SweepConfig) -> tuple[KnownRun, ...]:
    """Return the runs that the sweep learns from, and print those that can't be used."""
    found, left_out = find_known(names, config, folder.path.parents[1])
    lines = [f"{folder.path.name}: learns from {count_of(len(found), 'known run')}", *left_out]
    print(*map(printable, lines), sep="\n", file=sys.stderr)
    return tuple(found)


def _search(
    folder: SweepFolder, plan: SweepPlan, config: SweepConfig, earlier: Sequence[Trial]
) -> int | None:
    """Return the version of the search that suggests a trial; None if Caduceus's own doesn't.

    Raises:
        ResultError: the sweep was started by a later version of Caduceus.
    """
    if not earlier:
        return SEARCH if config.method == "bayes" and plan.sampler == "gp" else None
    search = earlier[0].search
    if search is not None and search > SEARCH:
        raise ResultError(
            f"was suggested by search {search} of a later version of Caduceus; install that "
            "version to continue the sweep",
            str(folder.trial("0000")),
        )
    return search


def new_trial(plan: SweepPlan, number: int, results: Sequence[Path]) -> Trial:
    """Return a trial without parameters: see `suggest_trial`."""
    result = result_of(number - plan.lag, list(map(Train.read, results))) if results else None
    return Trial(trial=number, told=result)


def _digest(plan: SweepPlan, trials: Sequence[Trial]) -> str:
    """Return a digest of everything that decides the last of these trials."""
    return digest_text(canonical_json([plan.to_json(), [trial.to_json() for trial in trials]]))


def _parameters(
    folder: SweepFolder, plan: SweepPlan, config: SweepConfig, trials: Sequence[Trial]
) -> Configuration | None:
    """Return the parameters of the last of these trials; None if it is skipped."""
    number = trials[-1].trial or 0
    if parameters := _parameters_of_run(folder, plan, config, number):
        return parameters
    if is_skipped(config, trials):
        return None
    if plan.points and number < len(plan.points):
        return dict(plan.points[number])
    return suggest(
        config, plan.sampler, plan.seed, number, _observations(trials), trials[-1].search
    )


def _parameters_of_run(
    folder: SweepFolder, plan: SweepPlan, config: SweepConfig, number: int
) -> Configuration | None:
    """Return the parameters of a trial that was run, but whose file has been deleted.

    A new suggestion might differ, if an earlier trial was retried, or with another version of the
    sampler.
    """
    for train_json in folder.run_results(plan, number):
        run = RunFolder(train_json.parent)
        if read_attempts(run.attempts) and (params := Params.read_if_there(run.params_json)):
            return config.space.part(params.parameters)
    return None


def is_skipped(config: SweepConfig, trials: Sequence[Trial]) -> bool:
    """Whether one of the results that the trials depend on has reached the sweep's target."""
    return any(_has_reached(config, trial.told) for trial in trials)


def _has_reached(config: SweepConfig, result: TrialResult | None) -> bool:
    """Whether a result is as good as the sweep's target."""
    if config.target is None or not result or result.state != "finished":
        return False
    objective = result.objective
    if objective is None:
        return False
    sign = config.goal.sign
    return bool(sign * objective <= sign * config.target)


def _observations(trials: Sequence[Trial]) -> list[Observation]:
    """Return the known runs, and all trials but the last with the results it may depend on."""
    results = {trial.told.trial: trial.told for trial in trials if trial.told}
    found = [
        Observation(run.parameters, run.objective, "finished") for run in trials[0].known or ()
    ]
    for trial in trials[:-1]:
        result, parameters = results.get(trial.trial), trial.parameters or {}
        if result is None:
            found.append(Observation(parameters, None, "running"))
        else:
            is_finished = result.state == "finished"
            found.append(
                Observation(parameters, result.objective, "finished" if is_finished else "failed")
            )
    return found


def confirm_trial(folder: SweepFolder, count: int, rank: int) -> Trial:
    """Return the content of a confirmation's file: the configuration of `rank`, to run again.

    Args:
        folder: the sweep's folder.
        count: the number of trials to choose from, all of which have ended.
        rank: counted from 0, the best.

    Returns:
        The content that `suggest_trial` describes, with the number of the confirmed trial. The
        confirmation is skipped if there are not enough different configurations with a result.
    """
    ranked: dict[str, Trial] = {}  # the best trial of each configuration
    for result in ranking(folder.results(count), folder.config().goal):
        parameters = Trial.read(folder.trial(f"{result.trial:04d}")).parameters
        confirmed = Trial(trial=result.trial, parameters=parameters)
        ranked.setdefault(canonical_json(parameters), confirmed)
        if len(ranked) > rank:
            return confirmed
    return Trial(trial=None)
