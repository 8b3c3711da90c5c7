"""Experiments: what the user's file says, and the runs that follow from it."""

import itertools
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.files import canonical_json, digest_text
from caduceus.io.validation import shown, validate
from caduceus.io.yaml_files import Source, load
from caduceus.runs import command_line, source_code
from caduceus.runs.variants import matches, variant_name
from caduceus.sweeps.folders import variant_of
from caduceus.sweeps.plans import Sweep, plan_sweep, read_sweep

Parameters = dict[str, Any]

_MOST_BYTES = 100_000  # of a word of a command line; Linux takes 128 KiB, quotes included
_HASH_DIGITS = 12  # 48 bits: two of a million runs share an id once in 500 projects


@dataclass(frozen=True)
class Run:
    """One variant with one seed.

    `definition` holds all that decides its result, and nothing else: program, command, parameters,
    seed, dataset, code. Of a sweep's run it lacks the parameters that the sweep chooses: those of
    its `trial`.
    """

    id: str
    variant: str
    seed: int
    definition: dict[str, Any]
    trial: str | None = None

    @property
    def parameters(self) -> Parameters:
        """The run's parameters, without the seed."""
        parameters: Parameters = self.definition["parameters"]
        return parameters


@dataclass(frozen=True)
class Experiment:
    """An experiment file with every default filled in, and its runs in the order of the file.

    `sweep` is None unless a sweep chooses their parameters.
    """

    spec: dict[str, Any]
    source: Source
    runs: list[Run]
    sweep: Sweep | None

    @property
    def id(self) -> str:
        """Its id, which starts its runs' ids."""
        return str(self.spec["id"])

    def run_name(self, run: Run) -> str:
        """What W&B shows: experiment, variant, seed."""
        return f"{self.id} {run.variant} seed={run.seed}"

    def plan(self) -> dict[str, Any]:
        """The experiment as results/experiments/ID.json holds it.

        Keys: `spec` (the file, defaults filled in), `file` (its path), `runs` (by id: `name`,
        `variant`, `seed`, `definition`, and the `trial` of a sweep, or null).
        """
        return {
            "spec": self.spec,
            "file": self.source.path,
            "runs": {
                run.id: {
                    "name": self.run_name(run),
                    "variant": run.variant,
                    "seed": run.seed,
                    "definition": run.definition,
                    "trial": run.trial,
                }
                for run in self.runs
            },
        }


def load_experiment(
    path: str, defaults: Mapping[str, Any], groups: Mapping[str, str], root: Path
) -> Experiment:
    """Read an experiment file and list its runs.

    Args:
        path: the file, relative to `root`.
        defaults: parameters every experiment starts from, and `seed`.
        groups: the W&B groups that config.yaml declares.
        root: the project's folder.

    Raises:
        SpecError: the first thing in the file that is wrong, with its line.
    """
    source = load(root / path, path)
    if isinstance(source.value, dict) and source.value.keys() >= {"method", "parameters"}:
        raise SpecError(
            "a W&B sweep configuration; write an experiment with `type: sweep` and "
            f"`sweep: {{config: {path}, count: 50}}`",
            source.where(["method"]),
        )
    spec = validate(source.value, "experiment", source.where)
    config = read_sweep(spec, source, root)
    if "program" not in spec:
        raise SpecError(
            "missing key 'program': add it, the training program, a path from the folder you work "
            "in",
            source.where([]),
        )
    spec["name"] = spec["name"] or spec["id"]
    spec["group"] = spec["group"] or spec["type"]
    spec.setdefault("seeds", [defaults["seed"]])
    searched = {parameter.path[0] for parameter in config.space.parameters} if config else ()
    spec["parameters"] = {
        key: value for key, value in defaults.items() if key != "seed" and key not in searched
    } | spec["parameters"]
    _check(spec, source, groups, root)
    files = source_code.code_files(root / spec["program"], spec["code"], root)
    common = _common_definition(spec, source_code.code_identity(files, spec["code"], root))
    if config is None:
        return Experiment(spec, source, list(_runs(spec, source, common)), None)
    sweep = plan_sweep(spec, config, common, defaults["seed"], source)
    trials = [
        Run(run_id, variant_of(trial), seed, common | {"seed": seed}, trial)
        for run_id, trial, seed in sweep.trials()
    ]
    return Experiment(spec, source, trials, sweep)


def _check(spec: dict[str, Any], source: Source, groups: Mapping[str, str], root: Path) -> None:
    """What a schema can't say of an experiment."""
    if spec["group"] not in groups:
        key = "group" if source.find(["group"]) else "type"
        raise SpecError(
            f"group: found {shown(spec['group'])}, allowed: {', '.join(groups)}; "
            "declare others under wandb.groups in config.yaml",
            source.where([key]),
        )
    if Path(os.path.normpath(spec["program"])).parts[:1] in [("..",), ("/",)]:
        raise SpecError(
            f"program: {spec['program']} lies outside the folder you work in; put it inside, so "
            "that each run can keep a copy of it",
            source.where(["program"]),
        )
    if not (root / spec["program"]).is_file():
        raise SpecError(
            f"program: {spec['program']} doesn't exist; give its path from the folder you work in",
            source.where(["program"]),
        )
    dataset = spec["dataset"] or {}
    if "program" in dataset and not (root / dataset["program"]).is_file():
        raise SpecError(
            f"dataset.program: {dataset['program']} doesn't exist; "
            "give its path from the folder you work in",
            source.where(["dataset", "program"]),
        )
    for section in ("parameters", "matrix"):
        if "seed" in spec[section]:
            raise SpecError(
                f"{section}.seed: list seeds under `seeds`", source.where([section, "seed"])
            )
    for key in spec["matrix"] if not spec["variants"] else ():
        if key in spec["parameters"]:
            raise SpecError(
                f"parameters.{key}: the matrix has it too; remove it here or there",
                source.where(["parameters", key]),
            )
    for keys, value in _values(spec):
        try:
            json.dumps(value)
        except TypeError:
            raise SpecError(
                f"{'.'.join(map(str, keys))}: found a {type(value).__name__}; put it in quotes",
                source.where(keys),
            ) from None
    for index, pattern in enumerate(spec["code"] if isinstance(spec["code"], list) else []):
        try:
            files = source_code.matching_files([pattern], root)
        except (ValueError, NotImplementedError) as error:
            raise SpecError(f"code[{index}]: {error}", source.where(["code", index])) from None
        if not files:
            raise SpecError(
                f"code[{index}]: no file matches {shown(pattern)}; patterns start at the folder "
                "you work in",
                source.where(["code", index]),
            )
    wrong = command_line.wrong_word(spec["command"])
    if wrong:
        raise SpecError(
            f"command: found {wrong}, allowed: {command_line.ALLOWED}", source.where(["command"])
        )


def _values(spec: dict[str, Any]) -> Iterator[tuple[list[str | int], Any]]:
    for key, value in spec["parameters"].items():
        yield ["parameters", key], value
    for key, choices in spec["matrix"].items():
        for index, value in enumerate(choices):
            yield ["matrix", key, index], value
    for name, parameters in spec["variants"].items():
        for key, value in parameters.items():
            yield ["variants", name, key], value


def _common_definition(spec: dict[str, Any], code_id: str) -> dict[str, Any]:
    """What decides the results of all runs of an experiment."""
    dataset = spec["dataset"]
    return {
        "program": spec["program"],
        "command": spec["command"],
        "parameters": spec["parameters"],
        "dataset": dataset
        and {key: dataset[key] for key in ("name", "version", "sha256") if key in dataset},
        "code": code_id,
    }


def _runs(spec: dict[str, Any], source: Source, common: dict[str, Any]) -> Iterator[Run]:
    for variant, parameters in _variants(spec, source).items():
        for seed in spec["seeds"]:
            definition = common | {"parameters": parameters, "seed": seed}
            text = canonical_json(definition)
            if len(text.encode()) > _MOST_BYTES:
                raise SpecError(
                    f"parameters: {len(text) // 1000} kB of variant {variant!r}, allowed: at most "
                    f"{_MOST_BYTES // 1000}, since they go by the command line; put what is long "
                    "into a file, and name that",
                    source.where(["parameters"]),
                )
            identity = digest_text(text)[:_HASH_DIGITS]
            yield Run(f"{spec['id']}-{identity}", variant, seed, definition)


def _variants(spec: dict[str, Any], source: Source) -> dict[str, Parameters]:
    """Every variant's parameters by its name: the matrix less `exclude`, then `variants`."""
    common: Parameters = spec["parameters"]
    matrix: dict[str, list[Any]] = spec["matrix"]
    excluded = [0] * len(spec["exclude"])
    variants: dict[str, Parameters] = {}
    for values in itertools.product(*matrix.values()):
        chosen = dict(zip(matrix, values, strict=True))
        hits = [matches(chosen, rule) for rule in spec["exclude"]]
        excluded = [count + hit for count, hit in zip(excluded, hits, strict=True)]
        if (matrix or not spec["variants"]) and not any(hits):
            name = variant_name(chosen)
            if canonical_json(variants.get(name, common | chosen)) != canonical_json(
                common | chosen
            ):
                raise SpecError(
                    f"matrix: two combinations are called {name!r}; a number and the same number "
                    "in quotes can't be told apart",
                    source.where(["matrix"]),
                )
            variants[name] = common | chosen
    if 0 in excluded:
        index = excluded.index(0)
        raise SpecError(
            f"exclude[{index}]: {shown(spec['exclude'][index])} matches no variant; "
            "its keys and values must stand in `matrix`",
            source.where(["exclude", index]),
        )
    for name, chosen in spec["variants"].items():
        if name in variants:
            raise SpecError(
                f"variants.{name}: the matrix has a variant of this name; choose another",
                source.where(["variants", name]),
            )
        variants[name] = common | chosen
    _check_variants(spec, source, variants)
    return variants


def _check_variants(spec: dict[str, Any], source: Source, variants: dict[str, Parameters]) -> None:
    if not variants:
        raise SpecError("exclude: no variant is left; remove a rule", source.where(["exclude"]))
    seen: dict[str, str] = {}
    for name, parameters in variants.items():
        twin = seen.setdefault(canonical_json(parameters), name)
        if twin != name:
            key = ["variants", name] if name in spec["variants"] else ["matrix"]
            raise SpecError(
                f"variants {twin!r} and {name!r} have the same parameters; remove one",
                source.where(key),
            )
    baseline = spec["baseline"]
    if baseline is not None and not any(matches(found, baseline) for found in variants.values()):
        raise SpecError(
            f"baseline: {shown(baseline)} matches no variant; variants: {'; '.join(variants)}",
            source.where(["baseline"]),
        )
