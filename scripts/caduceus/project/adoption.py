"""Adopt earlier runs: declare that they are the runs of other definitions, which then don't train.

adopted.yaml in the project's folder has the declarations. `caduceus adopt` writes it, git keeps it,
and without an entry the run trains as any other.
"""

import datetime
import getpass
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from caduceus.errors import ResultError, SpecError
from caduceus.io.files import Json, canonical_json, is_file, write_whole
from caduceus.io.validation import suggestion
from caduceus.io.yaml_files import load
from caduceus.runs.absent_parameters import without_absent
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import ADOPTED_FILE, Adopted, Params
from caduceus.runs.files.plan import Plan, Run
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder

_HEADER = """\
# Runs that take the results of earlier ones, as declared by `caduceus adopt`. Without its entry a
# run trains as any other.
"""


@dataclass(frozen=True)
class Pair:
    """A planned run, and the earlier one that it takes."""

    run: Run
    earlier: RunFolder


def read_adoptions(root: Path) -> dict[str, Adopted]:
    """Read adopted.yaml, by the ids that the definitions have by themselves.

    Raises:
        SpecError: it isn't a list of declarations, or a run is in two of them.
    """
    if not is_file(root / ADOPTED_FILE):
        return {}
    source = load(root / ADOPTED_FILE, ADOPTED_FILE)
    found: dict[str, Adopted] = {}
    taken: set[str] = set()
    entries = source.value or []
    if not isinstance(entries, list):
        raise SpecError("isn't a list; each entry is one declaration", source.where([]))
    for index, entry in enumerate(entries):
        try:
            adopted = Adopted.from_json(entry)
        except ValueError as error:
            raise SpecError(
                f"{error}; correct or remove the entry", source.where([index])
            ) from None
        if adopted.run in found or adopted.of in taken:
            twice = adopted.run if adopted.run in found else adopted.of
            raise SpecError(f"{twice} is in two entries; remove one", source.where([index]))
        found[adopted.run] = adopted
        taken.add(adopted.of)
    return found


def find_pairs(
    old: str, new: str, plans: Sequence[Plan], results: Path
) -> tuple[list[Pair], list[str]]:
    """Find for each run of an experiment the earlier run that it may take.

    Of an experiment's earlier runs one fits that has the same parameters (but for those that
    `absent` explains), seed and dataset; if there are several, the last that was trained. Two
    single runs fit whatever they have.

    Args:
        old: the id of an experiment that has run, or of a run.
        new: the id of an experiment that is planned, or of one of its runs.
        plans: all planned experiments.
        results: the folder results/.

    Returns:
        The pairs, and a line for each planned run without one.

    Raises:
        SpecError: there is no such experiment or run, or a sweep plans it.
        ResultError: no earlier run has finished.
    """
    wanted = {run.id: (plan, run) for plan in plans for run in plan.runs}
    chosen = [(plan, run) for plan, run in wanted.values() if new in (plan.spec.id, run.id)]
    if not chosen:
        known = [*wanted, *(plan.spec.id for plan in plans)]
        raise SpecError(f"no planned experiment or run has this name{suggestion(new, known)}", new)
    if any(run.trial is not None for _, run in chosen):
        raise SpecError("a sweep chooses its trials itself; name another experiment", new)
    has_results = {
        run.id for _, run in chosen if (results / "runs" / run.id / "train.json").exists()
    }
    without = [f"{id}: has results of its own" for id in has_results]
    left = [(plan, run) for plan, run in chosen if run.id not in has_results]
    earlier = _finished(old, set(wanted), results) if left else []
    if left and not earlier:
        raise ResultError(
            f"no finished run of it, beside planned ones, is in {results / 'runs'}; name an "
            "experiment or a run that has been trained",
            old,
        )
    pairs = []
    for plan, run in left:
        fitting = earlier
        if run.id != new or len(earlier) > 1:
            absent = plan.spec.absent
            key = _key(run.definition, absent)
            fitting = [
                each for each in earlier if _key(Params.read(each.params_json), absent) == key
            ]
        if fitting:
            pairs.append(Pair(run, fitting[-1]))
        else:
            without.append(f"{run.id}: no run of {old} has its parameters, seed and dataset")
    return pairs, without


def declare(pairs: Sequence[Pair], why: str, root: Path) -> list[Adopted]:
    """Add declarations to adopted.yaml, and return them."""
    known = read_adoptions(root)
    by, at = getpass.getuser(), datetime.date.today().isoformat()
    added = []
    for pair in pairs:
        ran = Params.read(pair.earlier.params_json)
        before = ran.adopted  # it was adopted once already, and is handed on
        added.append(
            Adopted(
                run=pair.run.id,
                of=pair.earlier.path.name,
                by=by,
                at=at,
                why=why,
                program=before.program if before else ran.program,
                code=before.code if before else ran.code,
                parameters=before.parameters if before else ran.parameters,
            )
        )
    kept = [each for each in known.values() if each.of not in {one.of for one in added}]
    entries = [each.to_json() for each in (*kept, *added)]
    text = yaml.safe_dump(entries, sort_keys=False, allow_unicode=True, width=1000)
    write_whole(root / ADOPTED_FILE, _HEADER + text)
    return added


def _finished(old: str, planned: set[str], results: Path) -> list[RunFolder]:
    """Return the finished runs of an experiment, or the run of this id, by their end."""
    found = []
    for train_json in (results / "runs").glob("*/train.json"):
        folder = RunFolder(train_json.parent)
        name = folder.path.name
        if name in planned or not folder.params_json.exists():
            continue
        if old in (name, Identity.read(folder.run_json).experiment):
            train = Train.read(train_json)
            if train.state == "finished":
                last = train.attempts[-1]  # the file's time may be that of a copy
                found.append((last.start_s + last.wall_s, name, folder))
    return [folder for *_, folder in sorted(found, key=lambda each: each[:2])]


def _key(definition: Params, absent: Mapping[str, Json]) -> str:
    left = without_absent(definition.parameters, absent)
    return canonical_json([left, definition.seed, definition.dataset])
