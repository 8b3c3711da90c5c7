"""Whether a run's seed was added after results of other seeds had been shown."""

import json
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.io.files import Json, read_json
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.plan import Plan
from caduceus.runs.folder import RunFolder
from caduceus.runs.shown_runs import shown_runs


def shown_before(folder: RunFolder, identity: Identity) -> tuple[str, ...] | None:
    """Return the tables and claims that have shown other seeds of a run's variant without it.

    A seed that was planned with the others is in every table of them, since a table waits for all
    runs of a plan. Trials of a sweep aren't seeds that somebody added.

    Args:
        folder: the run's folder.
        identity: the run's.

    Returns:
        Their names, such as tables/NAME; None if there is none.
    """
    if identity.sweep is not None:
        return None
    results, run = folder.results, folder.path.name
    paper = results / "paper"
    paths = [*sorted((paper / "tables").glob("*.json")), *paper.glob("claims.json")]
    # Results of older versions have the files of the paper, but no notes on what these showed.
    shown = [*shown_runs(results), *chain.from_iterable(map(_shown, paths))]
    without = [(name, runs) for name, runs in shown if run not in runs]
    if not without:
        return None
    others = _planned_seeds(folder, identity)
    others |= _made_seeds(folder, identity, {each for _, runs in without for each in runs} - others)
    return tuple(dict.fromkeys(name for name, runs in without if runs & others)) or None


def _planned_seeds(folder: RunFolder, identity: Identity) -> set[str]:
    """Return the other seeds of a run's variant in its plan; none if the plan is of before."""
    plan = folder.results / f"experiments/{identity.experiment}.json"
    planned = {each.id: each for each in Plan.read(plan).runs} if plan.exists() else {}
    own = planned.pop(folder.path.name, None)
    return {each.id for each in planned.values() if own and each.variant == own.variant}


def _made_seeds(folder: RunFolder, identity: Identity, runs: Iterable[str]) -> set[str]:
    """Return which runs are other seeds of a run's variant, by their folders.

    No training waits for the plan, which lists all runs: a build up to `train` leaves it as it was.
    """
    own = _without_seed(folder)
    found = set()
    for run in runs:
        with suppress(OSError, ValueError, LookupError, TypeError, AttributeError):  # or damaged
            other = RunFolder(folder.path.parent / run)
            planned = json.loads(other.run_json.read_bytes())
            if planned["experiment"] == identity.experiment and _without_seed(other) == own:
                found.add(run)
    return found


def _without_seed(folder: RunFolder) -> dict[str, Json]:
    """Return the definition of a run but for its seed. Many are read, so as plain JSON."""
    definition = json.loads(folder.params_json.read_bytes())
    return {name: of for name, of in definition.items() if name not in ("seed", "adopted")}


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
