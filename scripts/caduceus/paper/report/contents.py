"""Read everything that a report shows from results/."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from caduceus.io.files import read_json
from caduceus.paper.report.blocks import page_data
from caduceus.paper.report.groups import (
    DamagedHistoryError,
    Group,
    VariantRuns,
    group_by_variant,
    joined_columns,
    read_group,
)
from caduceus.paper.report.logged_tables import LoggedTables, logged_table_section
from caduceus.paper.report.packed_curves import PackedCurves, pack_curves
from caduceus.paper.report.parts import Parts, item_of
from caduceus.paper.report.sections import (
    claim_section,
    experiment_section,
    read_figure,
    read_sweep,
)
from caduceus.paper.report.tries import read_tries
from caduceus.runs.equal_seeds import equal_notes, repeats
from caduceus.statistics.estimates import estimate_by
from caduceus.statistics.settings import Methods

_MOST_FAILURES = 200  # listed by themselves; the table of runs has all


@dataclass(frozen=True)
class Sources:
    """The files that a report is made from; results/README.md describes them.

    Attributes:
        groups: runs.csv of each group, with its other files in the same folder.
        plans: results/experiments/ID.json of all experiments.
        tables: NAME.json of the paper's tables.
        figures: NAME.svg of its figures, with NAME.json in the same folder.
        claims: claims.json.
        sweeps: trials.csv of each sweep, with its other files in the same folder.
        tries: tries.csv of each ledger of tries.
        compute: compute.json of the paper.
        verification: verification.json.
    """

    groups: Sequence[Path]
    plans: Sequence[Path] = ()
    tables: Sequence[Path] = ()
    figures: Sequence[Path] = ()
    claims: Path | None = None
    sweeps: Sequence[Path] = ()
    tries: Sequence[Path] = ()
    compute: Path | None = None
    verification: Path | None = None

    @property
    def items(self) -> list[str]:
        """The entries whose files these are; see `FailedEntry`."""
        single = filter(None, (self.claims, self.compute))
        paths = [*self.groups, *self.tables, *self.figures, *self.sweeps, *single]
        return list(map(item_of, paths))


def read_contents(
    title: str, sources: Sources, methods: Methods, parts: Parts | None = None
) -> dict[str, Any]:
    """Return the variables of the template page.html; `page_data` describes what its scripts read.

    Args:
        title: the W&B project of the runs.
        sources: the files to read.
        methods: how curves are averaged.
        parts: collects the parts that can't be read; by default the first is raised.
    """
    parts = Parts() if parts is None else parts
    groups = parts.read_each("runs", read_group, parts.made("runs", sources.groups))
    runs = joined_columns(groups)
    variants = group_by_variant(runs)
    states = runs["state"] if groups else []
    failed = [place for place, state in enumerate(states) if state == "failed"]
    experiments = parts.read(
        "overview", lambda: experiment_section(sources.plans, methods.folds), []
    )
    equal = [each for experiment in experiments for each in experiment["equal"]]
    curves = parts.read(
        "curves", lambda: _curves(groups, variants, methods, repeats(equal), parts), PackedCurves()
    )
    tries = parts.read_each("tries", partial(read_tries, plans=sources.plans), sources.tries)
    sweeps = parts.read_each("sweeps", read_sweep, parts.made("sweeps", sources.sweeps))
    tables = parts.read_each("tables", read_json, sources.tables)
    figures = parts.read_each("figures", read_figure, sources.figures)
    for kind, entries in (("tables", tables), ("figures", figures)):
        for entry in entries:
            entry["error"] = " ".join(parts.entries.get(f"{kind}/{entry['name']}", ()))
    [compute, verification] = (
        parts.read_each(name, read_json, parts.made(name, filter(None, [path])))
        for name, path in (("compute", sources.compute), ("verification", sources.verification))
    )
    return {
        "title": title,
        "runs": len(states),
        "failed": failed,
        "failures": [
            {name: runs[name][place] for name in ("run", "name")}
            | {"place": place, "error": runs["error"][place] if "error" in runs else None}
            for place in failed[:_MOST_FAILURES]
        ],
        "unfinished": sum(state not in ("finished", "failed") for state in states),
        "variants": len(variants),
        "groups": [group.name for group in groups],
        "experiments": experiments,
        "equal_seeds": " ".join(equal_notes(equal)),
        "claims": parts.read("claims", lambda: claim_section(sources.claims), None),
        "tables": tables,
        "figures": figures,
        "logged": parts.read("logged", lambda: logged_table_section(sources.plans), LoggedTables()),
        "sweeps": sweeps,
        "tries": [ledger["view"] for ledger in tries],
        "compute": compute[0] if compute else None,
        "verification": verification[0] if verification else None,
        "unmade": parts.failed,
        "failed_entries": parts.entries,
        "points": curves.points,
        "method": _method(methods),
        "places": _places(runs.get("run", [])),
        **page_data(runs, variants, curves, sweeps, tries, _main_metrics(experiments)),
    }


def _curves(
    groups: Sequence[Group],
    variants: Sequence[VariantRuns],
    methods: Methods,
    repeated: Container[str],
    parts: Parts,
) -> PackedCurves:
    """Return the packed curves of all groups but those whose histories can't be read."""
    without: list[Group] = []
    while True:
        try:
            return pack_curves(groups, variants, methods, repeated, without)
        except DamagedHistoryError as error:
            parts.fail("curves", error)
            without.append(error.group)


def _method(methods: Methods) -> str:
    """Describe how curves are averaged, such as "mean, 95 % interval by Student's t"."""
    return estimate_by(methods, [0.0, 0.0]).method  # equal values skip the bootstrap


def _main_metrics(experiments: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the `metric` of each experiment."""
    metrics = (found["spec"].metric for found in experiments)
    return list(dict.fromkeys(metric.name for metric in metrics if metric))


def _places(runs: Sequence[str]) -> dict[str, list[int]]:
    """Return the indices of the runs of each id, which several groups may have."""
    places: dict[str, list[int]] = {}
    for place, run in enumerate(runs):
        places.setdefault(run, []).append(place)
    return places
