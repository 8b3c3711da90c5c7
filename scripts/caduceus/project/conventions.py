"""What is allowed in an experiment, and yet makes its runs hard to find or to compare in W&B."""

import re
from collections.abc import Iterator, Sequence

from caduceus.io.yaml_files import Key
from caduceus.runs.files.plan import Spec

_SEED = re.compile(r"(^|[-_. ])(seed|s)[-_=]?\d+($|[-_. ])", re.IGNORECASE)
_TYPES = ("baseline", "ablation", "novel", "sweep")

Warned = tuple[Sequence[Key], str]  # the key, and what is said of it


def unconventional(spec: Spec) -> Iterator[Warned]:
    """What of an experiment's names, tags and group is unwise, in the order of the file.

    Args:
        spec: the experiment, every default filled in.
    """
    for key, words in (("id", spec.id), ("name", spec.name)):
        if _SEED.search(words):
            yield [key], "names a seed; list seeds under `seeds`, and runs are told apart by them"
            break
    if spec.group in _TYPES and spec.group != spec.type:
        said = f"group {spec.group!r} with type {spec.type!r}: W&B shows it among the others"
        yield ["group"], f"{said}; choose a group of its own or the other type"
    added = {spec.id, spec.type}
    added |= {f"dataset-{spec.dataset.name}"} if spec.dataset else set()
    seen: dict[str, str] = {}
    for index, tag in enumerate(spec.tags):
        twin = seen.setdefault(tag.lower(), tag)
        if tag in added:
            yield ["tags", index], f"{tag!r} is added by itself; leave it out"
        elif twin != tag:
            yield ["tags", index], f"{tag!r} and {twin!r} are two tags for W&B; keep one"
        elif _SEED.search(tag):
            yield ["tags", index], f"{tag!r} names a seed, which differs from run to run"
    if not spec.hypothesis:
        yield ["hypothesis"], "none: a reader of the runs can't tell what they were for"
    if spec.metric is None and spec.sweep is None:
        yield ["metric"], "none: tables mark no best variant, and comparisons want `goal`"
