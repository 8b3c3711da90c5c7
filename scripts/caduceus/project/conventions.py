"""Warnings about experiments that are valid but hard to find or to compare in W&B."""

import re
from collections.abc import Iterator, Sequence

from caduceus.io.yaml_files import Key
from caduceus.runs.files.plan import Spec

_SEED = re.compile(r"(^|[-_. ])(seed|s)[-_=]?\d+($|[-_. ])", re.IGNORECASE)
_TYPES = ("baseline", "ablation", "novel", "sweep")

KeyWarning = tuple[Sequence[Key], str]  # the keys in the file, and the warning


def convention_warnings(spec: Spec) -> Iterator[KeyWarning]:
    """Yield warnings about an experiment's names, group, tags, hypothesis and metric."""
    for key, words in (("id", spec.id), ("name", spec.name)):
        if _SEED.search(words):
            yield (
                [key],
                "contains a seed; list seeds under `seeds`, and runs are named by them",
            )
            break
    if spec.group in _TYPES and spec.group != spec.type:
        yield (
            ["group"],
            f"{spec.group!r} is the group of another type: these runs of type {spec.type!r} would "
            f"be compared with its own; choose another group, or type {spec.group!r}",
        )
    added = {spec.id, spec.type}
    added |= {f"dataset-{spec.dataset.name}"} if spec.dataset else set()
    seen: dict[str, str] = {}
    for index, tag in enumerate(spec.tags):
        twin = seen.setdefault(tag.lower(), tag)
        if tag in added:
            yield ["tags", index], f"{tag!r} is added automatically; remove it"
        elif twin != tag:
            yield ["tags", index], f"{tag!r} and {twin!r} are two tags in W&B; keep one"
        elif _SEED.search(tag):
            yield ["tags", index], f"{tag!r} contains a seed, which differs between runs; remove it"
    if not spec.lists_seeds and spec.seeds != (0,):
        yield (
            ["seeds"],
            f"missing: the program doesn't get the seed {spec.seeds[0]} that `defaults` in "
            "config.yaml has; list it under `seeds`",
        )
    if not spec.hypothesis:
        yield ["hypothesis"], "missing: it tells readers what the runs are for"
    if spec.metric is None and spec.sweep is None:
        yield (
            ["metric"],
            "missing: tables can't mark the best variant without its `goal`",
        )
