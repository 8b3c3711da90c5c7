"""Sentences on runs that are averaged or compared though they ran differently."""

from collections.abc import Iterator, Sequence

from caduceus.io.phrases import listed
from caduceus.paper.results import Variant
from caduceus.runs.differences import differences, merged
from caduceus.runs.files.attempt import Attempt

_NAMED = 4  # files or packages in a sentence


def difference_sentences(variants: Sequence[Variant]) -> Iterator[str]:
    """Yield a sentence on each difference in code or environment between runs that are compared."""
    averaged: dict[tuple[str, ...], list[str]] = {}
    environments: dict[str, None] = {}
    for variant in variants:
        of_seeds = differences(_finished([variant]), are_seeds=True)
        if code := of_seeds.code:
            averaged.setdefault(code, []).append(variant.name)
        environments.update(dict.fromkeys(of_seeds.environment))
    for code, names in averaged.items():
        yield f"Seeds of {listed(names, _NAMED)} ran different code: {listed(code, _NAMED)}."
    found = differences(_finished(variants))
    # The programs of two experiments differ, which is no news; a file beyond them is one.
    said = {name for code in averaged for name in code}
    others = [name for name in found.files if name not in said]
    if others:
        yield f"Rows ran different versions of {listed(others, _NAMED)}."
    if parts := merged(found.environment, environments):
        yield f"Runs differ in their environment: {listed(parts, _NAMED)}."


def _finished(variants: Sequence[Variant]) -> list[Sequence[Attempt]]:
    return [
        result.record.attempts
        for variant in variants
        for result in variant.results
        if result.state == "finished"
    ]
