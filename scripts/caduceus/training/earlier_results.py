"""Whether a run's seed was added after results of other seeds had been shown."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import read_json
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.shown_runs import shown_runs


def shown_before(folder: RunFolder, experiment: str) -> tuple[str, ...] | None:
    """Return the tables and claims that have shown other seeds of a run's variant without it.

    A seed that was planned with the others is in every table of them, since a table waits for all
    runs of a plan. Trials of a sweep aren't seeds that somebody added.

    Args:
        folder: the run's folder.
        experiment: the id of the run's experiment.

    Returns:
        Their names, such as tables/NAME; None if there is none.
    """
    results, run = folder.results, folder.path.name
    paper, plan = results / "paper", results / f"experiments/{experiment}.json"
    paths = [*sorted((paper / "tables").glob("*.json")), *paper.glob("claims.json")]
    # Results of older versions have the files of the paper, but no notes on what these showed.
    shown = [*shown_runs(results), *chain.from_iterable(map(_shown, paths))]
    if not shown or not plan.exists():  # a first build doesn't wait for the plan
        return None
    planned = {each.id: each for each in Plan.read(plan).runs}
    own = planned.get(run)
    if own is None or own.trial is not None:
        return None
    others = {each.id for each in planned.values() if each.variant == own.variant} - {run}
    late = [name for name, runs in shown if runs & others and run not in runs]
    return tuple(dict.fromkeys(late)) or None


def _shown(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Yield each table or claim of a file of the paper with the ids of its runs."""
    try:
        content = read_json(path)
        if path.name == "claims.json":
            yield from (
                (f"claims/{claim['name']}", set(claim["runs"])) for claim in content["claims"]
            )
        else:
            cells = [cell for row in content["rows"] for cell in row["cells"].values()]
            yield f"tables/{content['name']}", {run for cell in cells for run in cell["runs"]}
    except (ResultError, KeyError, TypeError):
        return  # a damaged file shows nothing; the command that makes it says so
