"""Trials that were run elsewhere: what the sweep chose, and what came of it, from a W&B server.

They aren't chosen again, as a later version of what suggests them may choose otherwise: a trial has
the parameters that its run was started with. What the trials before it led to is found as ever, so
that its file and its result are those that it had where it was made.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from caduceus.errors import ResultError, ServerError
from caduceus.io.files import read_json
from caduceus.runs.attempts import remote_attempt
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.client import Server
from caduceus.server.runs import check_access, configuration, read_about
from caduceus.sweeps.folders import SweepFolder, Trial
from caduceus.sweeps.plans import depends_on_results
from caduceus.sweeps.pruning import read_criteria
from caduceus.sweeps.trials import is_skipped, open_trial
from caduceus.system.wandb_account import find_account
from caduceus.wandb_log import find_logs, stitch


def find_trial(
    folder: SweepFolder, number: int, project: ProjectPath, results: Sequence[Path]
) -> Trial:
    """What the file of trial `number` is to hold: see `trials.suggest_trial`.

    Args:
        folder: the sweep's.
        number: counted from 0.
        project: the project that its runs were logged to.
        results: outcome.json of each run of trial `number - lag`, if the sweep goes by results.

    Raises:
        AccountError: the key isn't known, or may not see the project.
        ServerError: the server hasn't got the run, or it has other parameters than the sweep's.
    """
    plan, config = read_json(folder.plan), folder.config()
    earlier = folder.earlier(number) if depends_on_results(config) else []
    trial = open_trial(plan, number, results)
    if is_skipped(config, [*earlier, trial]):
        return trial
    server = Server(find_account())
    run = folder.run_results(plan, number)[0].parent.name
    path = check_access(server, project, must_write=False).run(run)
    try:
        trial["parameters"] = config.space.part(configuration(read_about(server, path)))
    except (KeyError, TypeError):
        names = ", ".join(parameter.name for parameter in config.space.parameters)
        raise ServerError(
            f"its configuration hasn't got all that the sweep searches: {names}", str(path)
        ) from None
    return trial


def judge_run(folder: RunFolder, trial_json: Path) -> dict[str, Any]:
    """What outcome.json is to hold: of train.json what a sweep goes by.

    Args:
        folder: the run's, which has been exported from what was fetched of it.
        trial_json: the file of its trial.

    Raises:
        ResultError: the run hasn't ended.
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
