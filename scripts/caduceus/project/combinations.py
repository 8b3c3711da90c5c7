"""The variants of an experiment: the combinations of its matrix, and those that it lists."""

import itertools
import math
from collections.abc import Mapping

from caduceus.errors import SpecError
from caduceus.io.files import Json, canonical_json
from caduceus.io.phrases import pasted
from caduceus.io.validation import brief
from caduceus.io.yaml_files import Source
from caduceus.runs.files.plan import Spec
from caduceus.runs.variants import matches, variant_name

Parameters = Mapping[str, Json]

_MOST_RUNS = 100_000  # Snakemake takes one or two seconds to plan 1,000


def variants_of(spec: Spec, source: Source) -> dict[str, Parameters]:
    """Return each variant's parameters by its name: the matrix less `exclude`, then `variants`."""
    common, matrix = dict(spec.parameters), spec.matrix
    combinations = math.prod(map(len, matrix.values()))
    if combinations * len(spec.seeds) > _MOST_RUNS:
        raise SpecError(
            f"matrix: found {brief(combinations)} combinations, each with {len(spec.seeds)} seeds, "
            f"allowed: at most {_MOST_RUNS:,} runs",
            source.where(["matrix"]),
        )
    excluded = [0] * len(spec.exclude)
    variants: dict[str, Parameters] = {}
    for values in itertools.product(*matrix.values()):
        chosen = dict(zip(matrix, values, strict=True))
        hits = [matches(chosen, rule) for rule in spec.exclude]
        excluded = [count + hit for count, hit in zip(excluded, hits, strict=True)]
        if (matrix or not spec.variants) and not any(hits):
            name = variant_name(chosen)
            if canonical_json(variants.get(name, common | chosen)) != canonical_json(
                common | chosen
            ):
                raise SpecError(
                    f"matrix: two combinations are called {pasted(name)}; a number and the same "
                    "number in quotes have one name",
                    source.where(["matrix"]),
                )
            variants[name] = common | chosen
    if 0 in excluded:
        index = excluded.index(0)
        raise SpecError(
            f"exclude[{index}]: {brief(spec.exclude[index])} matches no variant; "
            "its keys and values must be those of `matrix`",
            source.where(["exclude", index]),
        )
    for name, parameters in spec.variants.items():
        if name in variants:
            raise SpecError(
                f"variants.{name}: the matrix has a variant of this name; choose another",
                source.where(["variants", name]),
            )
        variants[name] = {**common, **parameters}
    _check_variants(spec, source, variants)
    return variants


def _check_variants(spec: Spec, source: Source, variants: dict[str, Parameters]) -> None:
    if not variants:
        raise SpecError("exclude: no variant is left; remove a rule", source.where(["exclude"]))
    seen: dict[str, str] = {}
    for name, parameters in variants.items():
        twin = seen.setdefault(canonical_json(parameters), name)
        if twin != name:
            key = ["variants", name] if name in spec.variants else ["matrix"]
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
