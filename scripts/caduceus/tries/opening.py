"""Open the ledger of a try: find its settings and its incumbent, or start a new one."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import Json
from caduceus.io.phrases import pasted, printable
from caduceus.project.experiments import load_experiment
from caduceus.project.paper import Paper, load_paper
from caduceus.project.paper_selections import declared_goal
from caduceus.project.settings import Settings
from caduceus.project.try_files import TryFile
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.plan import Spec
from caduceus.runs.files.tries import (
    Ledger,
    LedgerFolder,
    TrySettings,
    incumbent_of,
    ledger_folders,
)
from caduceus.runs.folder import RunFolder
from caduceus.runs.goal import Goal
from caduceus.runs.metric import Metric
from caduceus.runs.record import RunRecord
from caduceus.runs.unknown_metrics import no_run_logged
from caduceus.runs.variants import matches
from caduceus.tries.codes import PresentCode, code_of, read_present_code
from caduceus.tries.completeness import check_complete
from caduceus.tries.designs import design_json, new_design
from caduceus.tries.incumbents import FirstIncumbent, first_seeds, of_ledger, of_run
from caduceus.tries.protection import protected_files


@dataclass(frozen=True)
class Options:
    """The settings of a ledger on the command line; None for those it doesn't have.

    Attributes:
        against: a run of the first incumbent, or its variant.
        metric: the metric's name.
        goal: which of its values are better.
        budget: at most so many pairs on fresh seeds.
    """

    against: str | None = None
    metric: str | None = None
    goal: Goal | None = None
    budget: int | None = None


@dataclass(frozen=True)
class OpenLedger:
    """A ledger with the project's present code.

    Attributes:
        name: its name.
        folder: its folder.
        ledger: what is fixed in it.
        present: the code as it is now.
    """

    name: str
    folder: LedgerFolder
    ledger: Ledger
    present: PresentCode


def open_ledger(file: TryFile, config: Settings, options: Options, results: Path) -> OpenLedger:
    """Return the ledger of some settings; a new one if there is none.

    Args:
        file: its file of settings, which is written if it doesn't exist.
        config: config.yaml.
        options: of the command line.
        results: the folder results/.

    Raises:
        SpecError: something in the files or the options is wrong, or there is no incumbent.
    """
    if config.export.is_remote:
        raise SpecError("runs elsewhere (export.source: api); tries are trained here", file.path)
    paper = _read_paper(config)
    file, against = _with_options(file, config, paper, options, results)
    settings = file.settings
    present = read_present_code(settings, config, file.path)
    metric = settings.metric or present.experiment.spec.metric
    if metric is None:
        raise SpecError(
            "metric: neither these settings nor the experiment name one; add it, such as "
            "{name: val/accuracy, goal: maximize}",
            file.path,
        )
    _check_holdout(file, present)
    earlier, folder, ledger = _find(results, file.name, settings)
    if ledger is None:
        first = _first_incumbent(earlier, present, against, results)
        ledger = _start(folder, file, present, metric, first)
    elif against is not None and _code_id(results, against, present) != incumbent_of(folder).id:
        raise SpecError(
            f"{pasted(against)} isn't a run of the incumbent, with which each try is compared; "
            f"raise `ledger` in {file.path} to start a new ledger from it",
            "--against",
        )
    elif ledger.experiment != present.experiment.id:
        raise SpecError(
            f"id: was {ledger.experiment!r} when the ledger started; change it back, or raise "
            f"`ledger` in {file.path}",
            present.experiment.source.where(["id"]),
        )
    elif (metric.name, metric.goal) != (ledger.metric.name, ledger.metric.goal):
        raise SpecError(
            f"metric: was to {ledger.metric.goal} {ledger.metric.name} when the ledger "
            f"started; change it back, or raise `ledger` in {file.path}",
            present.experiment.source.where(["metric"]),
        )
    return OpenLedger(folder.path.name, folder, ledger, present)


def _code_id(results: Path, run: str, present: PresentCode) -> str:
    """Return the id of the code of a run."""
    record = RunRecord(RunFolder(results / "runs" / Path(run).name))
    return code_of(record.params, "", present.experiment.spec.seed_argument).id


def _with_options(
    file: TryFile, config: Settings, paper: Paper, options: Options, results: Path
) -> tuple[TryFile, str | None]:
    """Hold the options to the settings, or fill these in; return the incumbent's run if given.

    Raises:
        SpecError: an option says other than the settings.
    """
    against = options.against
    is_run = against is not None and (results / "runs" / Path(against).name).is_dir()
    spec = load_experiment(
        file.settings.experiment, config.defaults, config.wandb.groups, Path()
    ).spec
    known = file.settings.metric
    if known is not None:
        metric = replace(known, goal=declared_goal(known, spec, paper))
        file = replace(file, settings=replace(file.settings, metric=metric))
    settings = file.settings
    if against is not None and not is_run:
        settings = replace(settings, variant=_variant(file, config, against))
        against = None
    elif against is not None and not file.exists:
        variant = Identity.read(RunFolder(results / "runs" / Path(against).name).run_json).variant
        settings = replace(settings, variant=_variant(file, config, variant or ""))
    if options.budget is not None:
        settings = replace(settings, budget=options.budget)
    settings = replace(settings, metric=_metric(settings.metric, spec, paper, options))
    if not file.exists:
        return replace(file, settings=settings), against
    for name in ("variant", "budget", "metric"):
        if getattr(settings, name) != getattr(file.settings, name):
            option = {"variant": "against", "metric": "metric" if options.metric else "goal"}
            raise SpecError(
                f"{name}: the settings are fixed before the first try; change them there, which "
                "starts a new ledger",
                f"--{option.get(name, name)}, {file.path}",
            )
    return file, against


def _variant(file: TryFile, config: Settings, name: str) -> dict[str, Json]:
    """Return the parameters that tell a variant from the others.

    Raises:
        SpecError: there is no run and no variant of this name.
    """
    path = file.settings.experiment
    found = load_experiment(path, config.defaults, config.wandb.groups, Path())
    variants = {run.variant: run.definition.parameters for run in found.runs}
    if name not in variants:
        raise SpecError(
            f"{pasted(name)} is no run below results/runs and no variant of {path}; its variants "
            f"are {', '.join(map(pasted, variants))}",
            "--against",
        )
    if file.exists and matches(variants[name], file.settings.variant):
        return dict(file.settings.variant)
    own = variants[name]
    others = [of for each, of in variants.items() if each != name]
    return {key: own[key] for key in own if any(of.get(key) != own[key] for of in others)}


def _metric(known: Metric | None, spec: Spec, paper: Paper, options: Options) -> Metric | None:
    """Return the metric of the settings, or the one that the options name, with its goal if known.

    Raises:
        SpecError: the option's goal is the opposite of what is declared for this metric.
    """
    metric = known or spec.metric
    if options.metric is not None and (metric is None or metric.name != options.metric):
        own = spec.metric
        metric = own if own and own.name == options.metric else Metric(name=options.metric)
    if metric is None:
        return None
    goal = declared_goal(metric, spec, paper)
    if goal and options.goal and goal is not options.goal:
        raise SpecError(
            f"{metric.name} is declared to be {goal}d; leave the option out, or correct that",
            "--goal",
        )
    is_of_experiment = known is None and options.metric is None
    return None if is_of_experiment else replace(metric, goal=goal or options.goal)


def _find(
    results: Path, name: str, settings: TrySettings
) -> tuple[list[LedgerFolder], LedgerFolder, Ledger | None]:
    """Return the earlier ledgers of a name, the folder of the one with these settings, and it.

    The last is None if there is no such ledger yet.
    """
    known = {folder.path.name: folder for folder in ledger_folders(results)}
    earlier: list[LedgerFolder] = []
    for number in count(1):
        each = name if number == 1 else f"{name}.{number}"
        check_complete(LedgerFolder(results / "tries" / each))
        if each not in known:
            return earlier, LedgerFolder(results / "tries" / each), None
        ledger = Ledger.read(known[each].ledger)
        if ledger.settings == settings:
            return earlier, known[each], ledger
        earlier.append(known[each])
    raise AssertionError  # `count` has no end


def _start(
    folder: LedgerFolder, file: TryFile, present: PresentCode, metric: Metric, first: FirstIncumbent
) -> Ledger:
    """Start a ledger."""
    settings, dataset = file.settings, present.experiment.spec.dataset
    design = new_design(settings, file.path)
    if first.logged and metric.name not in first.logged:
        raise SpecError(f"metric: {no_run_logged(metric.name, first.logged)}", file.path)
    if metric.goal is None:
        how = "add it" if file.exists else "add --goal minimize or --goal maximize"
        raise SpecError(
            f"metric: missing key 'goal', as neither {settings.experiment} nor the paper says "
            f"which values of {metric.name} are better; {how}",
            file.path,
        )
    now = protected_files(settings.protected, dataset, Path(), where=file.path)
    first.keep(folder, Path())
    if not file.exists:
        file.write(Path())
        print(f"caduceus try: wrote {file.path}, the settings of these tries", file=sys.stderr)
    ledger = Ledger(
        settings=settings,
        design=design_json(design),
        experiment=present.experiment.id,
        metric=metric,
        first=first.code,
        seeds=_enough(first_seeds(first.experiment, settings.seeds), design.screening[-1]),
        protected=first.digests(now, protected_files(settings.protected, None, first.root)),
    )
    ledger.write(folder.ledger)
    is_new = folder.path.name == file.name
    what = "started" if is_new else f"the settings in {file.path} are others now: started"
    text = (
        f"caduceus try: {what} the ledger {folder.path}, whose goal is to "
        f"{metric.goal} {metric.name}; the incumbent is {first.origin}"
    )
    print(printable(text), file=sys.stderr)
    return ledger


def _first_incumbent(
    earlier: Sequence[LedgerFolder], present: PresentCode, against: str | None, results: Path
) -> FirstIncumbent:
    """Return the incumbent of the ledger before, if it is of the same variant; else that of a run.

    Raises:
        SpecError: there is none, or it is the code as it is now.
    """
    if earlier and against is None:
        last = earlier[-1]
        code = incumbent_of(last)
        if code.variant == present.code.variant:
            if code.id == present.code.id:
                raise SpecError(
                    "the code equals the incumbent's; edit it first", present.experiment.source.path
                )
            return of_ledger(last, code)
    return of_run(results, present.experiment, present.code, against)


def _enough(seeds: Sequence[int], number: int) -> tuple[int, ...]:
    others = (seed for seed in count() if seed not in seeds)
    missing = max(number - len(seeds), 0)
    return (*seeds, *(next(others) for _ in range(missing)))


def _read_paper(config: Settings) -> Paper:
    """Read the paper, and check that seeds aren't the folds of a cross-validation.

    Raises:
        SpecError: they are, as folds depend on each other, and there are no fresh ones; or the
            paper is wrong.
    """
    paper, where = load_paper(config.paper, lambda _: "config.yaml", Path())
    statistics = paper.statistics
    if statistics.folds is not None and statistics.fold_parameter is None:
        raise SpecError(
            "paper.statistics.folds: each seed is a fold, so there are no fresh seeds that could "
            "confirm a try; let a parameter of the matrix choose the fold (`fold_parameter`), and "
            "try the program on one of its values",
            where(["statistics", "folds"]),
        )
    return paper


def _check_holdout(file: TryFile, present: PresentCode) -> None:
    """Check that the parameters of the holdout reach the chosen variant.

    Raises:
        SpecError: the variant sets one of them itself.
    """
    holdout, spec = file.settings.holdout, present.experiment.spec
    axes = [spec.lists, *spec.methods.values(), *spec.variants.values(), *spec.include]
    for name in holdout.parameters if holdout else ():
        if any(name in axis for axis in axes):
            raise SpecError(
                f"holdout.parameters: {name!r} is set by the experiment's variants; choose another "
                "parameter",
                file.path,
            )
