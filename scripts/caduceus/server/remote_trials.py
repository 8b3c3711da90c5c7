"""Read trials of remote runs from a W&B server: their parameters and their results.

A trial isn't suggested again, since a later version of the sampler might suggest other parameters:
it has the parameters that its run was started with. The results of earlier trials are evaluated
here, so that the trial's file and result equal those on the host where it ran.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from caduceus.errors import ResultError, ServerError
from caduceus.io.files import Json
from caduceus.runs.attempts import remote_attempt
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train
from caduceus.runs.files.trial import Trial
from caduceus.runs.folder import RunFolder
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.access import check_access
from caduceus.server.client import Server
from caduceus.server.runs import read_about
from caduceus.sweeps.folders import SweepFolder
from caduceus.sweeps.plans import depends_on_results
from caduceus.sweeps.pruning import read_criteria
from caduceus.sweeps.trials import is_skipped, new_trial
from caduceus.system.wandb_account import find_account
from caduceus.wandb_log import find_logs, stitch


def find_trial(
    folder: SweepFolder, number: int, project: ProjectPath, results: Sequence[Path]
) -> Trial:
    """Return the content of the file of trial `number`: see `trials.suggest_trial`.

    Args:
        folder: the sweep's folder.
        number: counted from 0.
        project: the project that its runs were logged to.
        results: outcome.json of each run of trial `number - lag`, if the sweep depends on results.

    Raises:
        AccountError: the key is unknown, or may not read the project.
        ServerError: the server doesn't have the run, or the run lacks a parameter of the sweep.
    """
    plan, config = folder.read_plan(), folder.config()
    earlier = folder.earlier(number) if depends_on_results(config) else []
    trial = new_trial(plan, number, results)
    if is_skipped(config, [*earlier, trial]):
        return trial
    server = Server(find_account())
    run = folder.run_results(plan, number)[0].parent.name
    path = check_access(server, project, must_write=False).run(run)
    try:
        parameters = config.space.part(read_about(server, path).config)
    except (KeyError, TypeError):
        names = ", ".join(parameter.name for parameter in config.space.parameters)
        raise ServerError(
            f"its configuration lacks a parameter of the sweep, which has {names}", str(path)
        ) from None
    return replace(trial, parameters=parameters)


def remote_outcome(folder: RunFolder, trial_json: Path) -> dict[str, Json]:
    """Return the content of outcome.json: the part of train.json that a sweep depends on.

    Args:
        folder: the run's folder, with its log and its export.
        trial_json: the file of its trial.

    Raises:
        ResultError: the run hasn't ended yet.
    """
    run = folder.path.name
    summary = Summary.read(folder.summary_json)
    if summary.state == "skipped":
        return Train.skipped(run).to_json()
    if summary.state not in ("finished", "failed"):
        raise ResultError(
            "hasn't ended where it runs; type `snakemake --cores 1 refresh` once it has, and start "
            "again",
            run,
        )
    attempt = remote_attempt(summary)
    parts = stitch(find_logs(folder.server))
    outcome = read_criteria(trial_json).outcome(parts, summary.state == "finished")
    return {
        "run": run,
        "state": summary.state,
        "compute": {"wall_s": attempt.wall_s},
        "attempts": [attempt.to_json()],
        "trial": outcome.to_json(),
    }
