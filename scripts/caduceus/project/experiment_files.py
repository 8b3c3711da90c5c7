"""The experiment files that `experiments` in config.yaml names, by paths or by patterns."""

from collections.abc import Callable, Sequence
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.composition import compose
from caduceus.io.patterns import matching_paths
from caduceus.io.validation import brief
from caduceus.io.yaml_files import Source


def experiment_files(listed: Sequence[str], root: Path, where: Callable[[int], str]) -> list[str]:
    """Return the files in the order of the list, those of a pattern by name, each once.

    A pattern takes only experiments: files with an `id` or a `type`, unless another of its files
    extends them and they have no `id`. So papers, sweep configurations and base files may lie
    beside them.

    Args:
        listed: paths and patterns such as experiments/*.yaml, from the folder `root`.
        root: the project's folder.
        where: returns "file:line" of a place in the list, for messages.

    Raises:
        SpecError: a pattern matches no experiment, or a file that it matches isn't YAML.
    """
    found: dict[str, None] = {}
    for index, name in enumerate(listed):
        is_pattern = any(character in name for character in "*?[")
        if not is_pattern or (root / name).is_file():
            found[name] = None
            continue
        try:
            paths = [path for path in matching_paths(root, name) if path.is_file()]
        except ValueError as error:
            raise SpecError(f"experiments: {brief(name)}: {error}", where(index)) from None
        sources = [compose(path.relative_to(root).as_posix(), root) for path in paths]
        bases = {base for source in sources for base in source.files[1:]}
        chosen = [source.path for source in sources if _is_experiment(source, bases)]
        if not chosen:
            raise SpecError(
                f"experiments: no experiment file matches {brief(name)}; patterns start at the "
                "folder you work in",
                where(index),
            )
        found |= dict.fromkeys(chosen)
    return list(found)


def _is_experiment(source: Source, bases: set[str]) -> bool:
    value = source.value
    if not isinstance(value, dict):
        return False
    return "id" in value or ("type" in value and source.path not in bases)
