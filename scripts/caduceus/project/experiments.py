"""Experiments: the user's files, and the runs that follow from them."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import cast

from caduceus.errors import SpecError
from caduceus.io.files import Json, canonical_json, digest_text, is_file
from caduceus.io.phrases import pasted
from caduceus.io.validation import brief, dotted, suggestion, validate
from caduceus.io.yaml_files import Key, Source
from caduceus.project.adoption import read_adoptions
from caduceus.project.combinations import variants_of, zip_keys
from caduceus.project.command_checks import check_command, check_environment, check_parameters
from caduceus.project.snapshots import code_root, is_snapshot
from caduceus.project.sweep_files import read_experiment
from caduceus.runs import source_code
from caduceus.runs.absent_parameters import names_in, without_absent
from caduceus.runs.files.environment import EnvironmentSpec
from caduceus.runs.files.params import Params
from caduceus.runs.files.plan import Plan, Run, Spec
from caduceus.runs.files.sweep import SweepDefinition
from caduceus.runs.preloads import AUTO, Modules
from caduceus.sweeps.configs import SweepConfig
from caduceus.sweeps.experiment_sweep import read_sweep
from caduceus.sweeps.folders import is_confirmation, variant_of
from caduceus.sweeps.plans import Sweep, plan_sweep

Parameters = Mapping[str, Json]

_MOST_BYTES = 100_000  # of a word of a command line; Linux takes 128 KiB, quotes included
_SHARED_BY_TRIALS = ("program", "command", "parameters", "dataset", "code", "seed_argument")
_HASH_DIGITS = 12  # 48 bits: two of a million runs share an id once in 500 projects


@dataclass(frozen=True)
class Experiment:
    """An experiment file with every default filled in, and its runs in the order of the file.

    Attributes:
        spec: the experiment.
        source: its file.
        runs: its runs.
        sweep: the sweep that chooses their parameters; None without one.
        preload: modules that are imported before runs start, or `auto`; no part of what defines
            them.
        code: the files of its program's code.
        environment: in which its program runs; None for that of Caduceus. Like `preload`, it is no
            part of what defines its runs.
    """

    spec: Spec
    source: Source
    runs: tuple[Run, ...]
    sweep: Sweep | None
    preload: Modules = ()
    code: tuple[Path, ...] = ()
    environment: EnvironmentSpec | None = None

    @property
    def id(self) -> str:
        """Its id, which starts its runs' ids."""
        return self.spec.id

    @property
    def plan(self) -> Plan:
        """The experiment as results/experiments/ID.json holds it."""
        return Plan(self.spec, self.source.path, self.runs)


def load_experiment(
    path: str,
    defaults: Parameters,
    groups: Mapping[str, str],
    root: Path,
    count: int | None = None,
) -> Experiment:
    """Read an experiment file, or a W&B sweep file in its place, and list its runs.

    Args:
        path: the file, relative to `root`; that of a snapshot plans runs of the snapshot's code.
        defaults: parameters every experiment starts from, and `seed`; a snapshot has them already.
        groups: the W&B groups that config.yaml declares.
        root: the project's folder.
        count: the number of trials of a sweep file; None for run_cap or the whole grid.

    Raises:
        SpecError: the first thing in the file that is wrong, with its line.
    """
    source = read_experiment(path, root, count)
    root = code_root(path, root)
    given = validate(source.value, "experiment", source.where)
    config, from_sweep = read_sweep(given, source, root)
    given |= from_sweep
    found = given.pop("preload")
    preload: Modules = AUTO if found == AUTO else tuple(cast(list[str], found))
    environment = EnvironmentSpec.from_json(given.pop("environment"))
    check_environment(environment, preload, source)
    if "program" not in given:
        raise SpecError(
            "missing key 'program': add it, the training program, a path from the folder you work "
            "in",
            source.where([]),
        )
    searched = {parameter.path[0] for parameter in config.space.parameters} if config else ()
    others = {"seed", *(defaults if is_snapshot(path) else ()), *searched}
    own = {key: value for key, value in defaults.items() if key not in others}
    default_seed = cast(int, defaults["seed"])  # the schema sees to it
    spec = Spec.from_json(
        given
        | {
            "name": given["name"] or given["id"],
            "group": given["group"] or given["type"],
            "seeds": given.get("seeds") or [default_seed],  # none if a sweep draws them
            "zip": [lists for lists in _as_list(given["zip"]) if lists],
            "lists_seeds": "seeds" in given,
            "seed_argument": given["seed_argument"] or None,
            "parameters": own | given["parameters"],
        }
    )
    _check(spec, source, config, groups, root)
    files = files_of_code(spec, path, root)
    code_id = source_code.code_identity(files, spec.code, root)
    if config is None:
        runs = tuple(_runs(spec, source, code_id, root))
        if spec.absent:
            _check_absent(spec, runs, source)
        return Experiment(spec, source, runs, None, preload, tuple(files), environment)
    definition = _definition(spec, code_id, spec.parameters, default_seed)
    check_parameters(spec, {**spec.parameters, **config.space.names}, "all", source, root)
    decides = _what_decides(spec, definition) | {"parameters": definition.parameters}
    shared = {name: decides[name] for name in _SHARED_BY_TRIALS if name in decides}
    sweep = plan_sweep(spec, config, SweepDefinition.from_json(shared), default_seed, source)
    runs = tuple(_sweep_runs(spec, code_id, sweep))
    return Experiment(spec, source, runs, sweep, preload, tuple(files), environment)


def files_of_code(spec: Spec, path: str | Path, root: Path) -> list[Path]:
    """Return the files of an experiment's code.

    Args:
        spec: the experiment.
        path: its file.
        root: the folder that paths of code start from, as `code_root` returns it.
    """
    if is_snapshot(path):  # what is imported there may be found by files that aren't code
        return source_code.snapshot_files(root)
    return source_code.code_files(root / spec.program, spec.code, root, spec.command)


def _check(
    spec: Spec,
    source: Source,
    config: SweepConfig | None,
    groups: Mapping[str, str],
    root: Path,
) -> None:
    """Check what a schema can't express.

    Raises:
        SpecError: the first thing that is wrong.
    """
    if spec.group not in groups:
        key = "group" if source.find(["group"]) else "type"
        raise SpecError(
            f"group: found {brief(spec.group)}, allowed: {', '.join(groups)}; "
            "declare others under wandb.groups in config.yaml",
            source.where([key]),
        )

    def where(key: str) -> str:
        """Return `file:line` of a key of the experiment, or of its sweep's configuration."""
        if config is None or source.find([key]) is not None:
            return source.where([key])
        return config.where([key])

    if Path(os.path.normpath(spec.program)).parts[:1] in [("..",), ("/",)]:
        raise SpecError(
            f"program: {spec.program} lies outside the folder you work in; put it inside, so "
            "that each run can keep a copy of it",
            where("program"),
        )
    if not is_file(root / spec.program):
        of_sweep = config is not None and source.find(["program"]) is None
        raise SpecError(
            f"program: {spec.program} doesn't exist; give its path from the folder you work in"
            + (
                ", or for a module or a command write an experiment with this sweep, whose "
                "`program` is the file with its code"
                if of_sweep
                else ""
            ),
            where("program"),
        )
    writer = spec.dataset and spec.dataset.program
    if writer and not is_file(root / writer):
        raise SpecError(
            f"dataset.program: {writer} doesn't exist; give its path from the folder you work in",
            source.where(["dataset", "program"]),
        )
    for keys, values in _mappings(spec, source):
        if "seed" in values:
            raise SpecError(
                f"{dotted([*keys, 'seed'])}: list seeds under `seeds`",
                source.where([*keys, "seed"]),
            )
    for index, pattern in enumerate(spec.code if isinstance(spec.code, tuple) else ()):
        try:
            files = source_code.matching_files([pattern], root)
        except ValueError as error:
            raise SpecError(f"code[{index}]: {error}", source.where(["code", index])) from None
        if not files:
            raise SpecError(
                f"code[{index}]: no file matches {brief(pattern)}; patterns start at the folder "
                "you work in",
                source.where(["code", index]),
            )
    check_command(spec, source, where("command"))


def _as_list(lists: Json) -> list[Json]:
    return lists if isinstance(lists, list) else [lists]


def _mappings(spec: Spec, source: Source) -> Iterator[tuple[list[Key], Parameters]]:
    """Yield every mapping of parameters, with its keys in the file."""
    yield ["parameters"], spec.parameters
    yield ["matrix"], spec.matrix
    for name, values in spec.variants.items():
        yield ["variants", name], values
    for name, values in spec.methods.items():
        yield ["methods", name], values
    for index, lists in enumerate(spec.zip):
        yield zip_keys(source, index), lists
    for key, rules in (("exclude", spec.exclude), ("include", spec.include)):
        for index, values in enumerate(rules):
            yield [key, index], values
    yield ["baseline"], spec.baseline or {}


def _definition(
    spec: Spec, code_id: str, parameters: Parameters, seed: int, trial: str | None = None
) -> Params:
    return Params(
        program=spec.program,
        command=spec.command,
        parameters=parameters,
        dataset=spec.dataset.identity if spec.dataset else None,
        code=code_id,
        seed=seed,
        seed_argument=spec.seed_argument if asks_for_seed(spec, trial) else None,
    )


def asks_for_seed(spec: Spec, trial: str | None) -> bool:
    """Whether the user wants a run to have its seed: `seeds` are listed, or a trial confirmed."""
    return spec.lists_seeds or (trial is not None and is_confirmation(trial))


def _what_decides(spec: Spec, definition: Params) -> dict[str, Json]:
    """Return the part of a definition that is hashed for the id.

    Experiments that list no seeds have ids as if they had passed the default one, as they once did.
    Parameters whose values `absent` gives to runs without them are left out.
    """
    found = definition.to_json()
    found["parameters"] = without_absent(definition.parameters, spec.absent)
    if not spec.lists_seeds:
        found.pop("seed_argument", None)
    return found


def _check_absent(spec: Spec, runs: Sequence[Run], source: Source) -> None:
    """Check that each name in `absent` is a parameter, and that no two runs became one by it."""
    known = {
        name for run in runs for name in names_in({**spec.parameters, **run.definition.parameters})
    }
    for name in names_in(spec.absent):
        if name not in known:
            raise SpecError(
                f"absent: no run has a parameter {pasted(name)}{suggestion(name, known)}; remove "
                "it, or correct the name",
                source.where(["absent"]),
            )
    seen: dict[str, Run] = {}
    for run in runs:
        if other := seen.get(run.id):
            raise SpecError(
                f"absent: variants {pasted(other.variant)} and {pasted(run.variant)} are one by "
                "it; remove one of them",
                source.where(["absent"]),
            )
        seen[run.id] = run


def _run(id: str, spec: Spec, variant: str, definition: Params, trial: str | None = None) -> Run:
    name = f"{spec.id} {variant} seed={definition.seed}"
    return Run(id, name, variant, definition.seed, definition, trial)


def _runs(spec: Spec, source: Source, code_id: str, root: Path) -> Iterator[Run]:
    adoptions = read_adoptions(root)
    for variant, parameters in variants_of(spec, source).items():
        check_parameters(spec, parameters, variant, source, root)
        for seed in spec.seeds:
            definition = _definition(spec, code_id, parameters, seed)
            text = canonical_json(_what_decides(spec, definition))
            if len(text.encode()) > _MOST_BYTES:
                raise SpecError(
                    f"parameters: {len(text) // 1000} kB of variant {pasted(variant)}, allowed: at "
                    f"most {_MOST_BYTES // 1000}, since they go into the command line; put long "
                    "values into a file, and pass its path",
                    source.where(["parameters"]),
                )
            id = _run_id(spec.id, text)
            if adopted := adoptions.get(id):
                id, definition = adopted.of, replace(definition, adopted=adopted)
            yield _run(id, spec, variant, definition)


def run_id(experiment: str, definition: Params) -> str:
    """Return the id of a run of an experiment that lists seeds."""
    return _run_id(experiment, canonical_json(replace(definition, adopted=None).to_json()))


def _run_id(experiment: str, decides: str) -> str:
    return f"{experiment}-{digest_text(decides)[:_HASH_DIGITS]}"


def _sweep_runs(spec: Spec, code_id: str, sweep: Sweep) -> Iterator[Run]:
    for run_id, trial, seed in sweep.trials():
        definition = _definition(spec, code_id, spec.parameters, seed, trial)
        yield _run(run_id, spec, variant_of(trial), definition, trial)
