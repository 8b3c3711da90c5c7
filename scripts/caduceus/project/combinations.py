"""The variants of an experiment: the combinations of its matrix, and those that it lists."""

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from caduceus.errors import SpecError
from caduceus.io.files import Json, canonical_json
from caduceus.io.phrases import count_of, pasted
from caduceus.io.validation import brief, dotted
from caduceus.io.yaml_files import Key, Source
from caduceus.runs.files.plan import Spec
from caduceus.runs.variants import matches, variant_name

Parameters = Mapping[str, Json]

_MOST_RUNS = 100_000  # Snakemake takes one or two seconds to plan 1,000


@dataclass(frozen=True)
class _Combination:
    """A combination of a method, values of the matrix and rows of `zip`, by its variant's name."""

    name: str
    chosen: Parameters


def variants_of(spec: Spec, source: Source) -> dict[str, Parameters]:
    """Return each variant's parameters by its name.

    First the combinations of `methods`, `matrix` and `zip` less those that `exclude` matches, with
    what `include` adds to them; then the combinations that `include` adds; then `variants`.
    `include` and `exclude` mean what they do in GitHub's workflows: an entry of `include` is added
    to each combination that it contradicts in no value, and is a combination of its own if there is
    none.

    Raises:
        SpecError: the first thing that is wrong in them.
    """
    _check_axes(spec, source)
    common = dict(spec.parameters)
    variants: dict[str, Parameters] = {}
    has_axes = bool(spec.methods or spec.matrix or spec.zip)
    is_lone = not has_axes and not spec.variants and not spec.include
    left = _left(spec, source) if has_axes or is_lone or spec.exclude else []
    added, others = _included(spec, left if has_axes else [], source)
    for combination, more in zip(left, added or [{}] * len(left), strict=True):
        name = combination.name
        parameters: Parameters = {**common, **combination.chosen, **more}
        if canonical_json(variants.get(name, parameters)) != canonical_json(parameters):
            raise SpecError(
                f"matrix: two combinations are called {pasted(name)}; a number and the same "
                "number in quotes have one name",
                source.where(["matrix"]),
            )
        variants[name] = parameters
    for index, parameters in others.items():
        name = variant_name(parameters)
        if name in variants:
            raise SpecError(
                f"include[{index}]: another combination is called {pasted(name)}; remove one",
                source.where(["include", index]),
            )
        variants[name] = {**common, **parameters}
    for name, parameters in spec.variants.items():
        if name in variants:
            raise SpecError(
                f"variants.{name}: the matrix has a variant of this name; choose another",
                source.where(["variants", name]),
            )
        variants[name] = {**common, **parameters}
    _check_variants(spec, source, variants)
    return variants


def _check_axes(spec: Spec, source: Source) -> None:
    """Check that the lists of a row of `zip` are equally long, and that no parameter is set twice.

    Raises:
        SpecError: the first thing that is wrong.
    """
    for index, lists in enumerate(spec.zip):
        lengths = {name: len(values) for name, values in lists.items()}
        first = next(iter(lengths))
        for name, length in lengths.items():
            if length != lengths[first]:
                raise SpecError(
                    f"zip.{name}: found {count_of(length, 'value')}, allowed: "
                    f"{lengths[first]}, as {first} has",
                    source.where([*zip_keys(source, index), name]),
                )
        rows = list(map(canonical_json, zip(*lists.values(), strict=True)))
        for place, row in enumerate(rows):
            if row in rows[:place]:
                raise SpecError(
                    f"zip.{first}[{place}]: the values at places {rows.index(row)} and {place} are "
                    "equal; remove one",
                    source.where([*zip_keys(source, index), first, place]),
                )
    set_by = dict.fromkeys(spec.matrix, "matrix")
    for index, lists in enumerate(spec.zip):
        for name in lists:
            keys = [*zip_keys(source, index), name]
            _refuse_twice(set_by, name, f"zip.{name}", source.where(keys))
            set_by[name] = "zip"
    for method, parameters in spec.methods.items():
        for name in parameters:
            keys = ["methods", method, name]
            _refuse_twice(set_by, name, dotted(keys), source.where(keys))
    for name, axis in set_by.items() if not spec.variants else ():
        if name in spec.parameters:
            raise SpecError(
                f"parameters.{name}: the {axis} has it too; remove it here or there",
                source.where(["parameters", name]),
            )
    combinations = math.prod(
        [*map(len, spec.matrix.values()), *map(_length, spec.zip), len(spec.methods) or 1]
    )
    if combinations * len(spec.seeds) > _MOST_RUNS:
        raise SpecError(
            f"matrix: found {brief(combinations)} combinations, each with {len(spec.seeds)} seeds, "
            f"allowed: at most {_MOST_RUNS:,} runs",
            source.where(["matrix"]),
        )


def _refuse_twice(set_by: Mapping[str, str], name: str, shown: str, where: str) -> None:
    if name in set_by:
        raise SpecError(f"{shown}: the {set_by[name]} has it too; remove it here or there", where)


def _length(lists: Mapping[str, Sequence[Json]]) -> int:
    return len(next(iter(lists.values())))


def zip_keys(source: Source, index: int) -> list[Key]:
    """Return the keys of some lists of `zip`, which is a mapping of lists or a list of mappings."""
    return ["zip", index] if isinstance(source.value["zip"], list) else ["zip"]


def _left(spec: Spec, source: Source) -> list[_Combination]:
    """Return the combinations that no rule of `exclude` matches.

    Raises:
        SpecError: a rule matches none.
    """
    excluded = [0] * len(spec.exclude)
    left = []
    for combination in _combinations(spec):
        hits = [matches(combination.chosen, rule) for rule in spec.exclude]
        excluded = [count + hit for count, hit in zip(excluded, hits, strict=True)]
        if not any(hits):
            left.append(combination)
    if 0 in excluded:
        index = excluded.index(0)
        raise SpecError(
            f"exclude[{index}]: {brief(spec.exclude[index])} matches no variant; its keys and "
            "values must be those of `matrix`, `zip` and `methods`",
            source.where(["exclude", index]),
        )
    return left


def _combinations(spec: Spec) -> Iterator[_Combination]:
    rows = [
        [dict(zip(lists, values, strict=True)) for values in zip(*lists.values(), strict=True)]
        for lists in spec.zip
    ]
    for method in spec.methods or [None]:
        for values in itertools.product(*spec.matrix.values()):
            for zipped in itertools.product(*rows):
                chosen = dict(zip(spec.matrix, values, strict=True))
                for row in zipped:
                    chosen |= row
                if method is None:
                    yield _Combination(variant_name(chosen), chosen)
                    continue
                name = ",".join([method, *([variant_name(chosen)] if chosen else [])])
                yield _Combination(name, {**spec.methods[method], **chosen})


def _included(
    spec: Spec, left: Sequence[_Combination], source: Source
) -> tuple[list[dict[str, Json]], dict[int, Parameters]]:
    """Return what `include` adds to each combination, and its own combinations by their place.

    Raises:
        SpecError: an entry adds nothing.
    """
    added: list[dict[str, Json]] = [{} for _ in left]
    others: dict[int, Parameters] = {}
    for index, entry in enumerate(spec.include):
        fitting = [
            place for place, each in enumerate(left) if _contradicts_nothing(entry, each.chosen)
        ]
        if not fitting:
            others[index] = entry
        elif all(entry.keys() <= left[place].chosen.keys() for place in fitting):
            raise SpecError(
                f"include[{index}]: {brief(entry)} is a combination already; remove it, or give it "
                "more parameters",
                source.where(["include", index]),
            )
        for place in fitting:
            added[place] |= entry
    return added, others


def _contradicts_nothing(entry: Parameters, chosen: Parameters) -> bool:
    return all(name not in chosen or chosen[name] == value for name, value in entry.items())


def _check_variants(spec: Spec, source: Source, variants: dict[str, Parameters]) -> None:
    if not variants:
        raise SpecError("exclude: no variant is left; remove a rule", source.where(["exclude"]))
    seen: dict[str, str] = {}
    for name, parameters in variants.items():
        twin = seen.setdefault(canonical_json(parameters), name)
        if twin != name:
            key = ["variants", name] if name in spec.variants else [_axis(spec)]
            raise SpecError(
                f"variants {pasted(twin)} and {pasted(name)} have the same parameters; remove one",
                source.where(key),
            )
    baseline = spec.baseline
    if baseline is not None and not any(matches(found, baseline) for found in variants.values()):
        raise SpecError(
            f"baseline: {brief(baseline)} matches no variant; variants: {'; '.join(variants)}",
            source.where(["baseline"]),
        )


def _axis(spec: Spec) -> str:
    """Return the key that the combinations come from, for messages."""
    found = (key for key in ("matrix", "zip", "methods") if getattr(spec, key))
    return next(found, "include")
