"""The files that no try may touch, held to their digests."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import files_below, sha256
from caduceus.io.validation import brief
from caduceus.runs.files.plan import Dataset
from caduceus.runs.source_code import matching_files


def protected_files(
    patterns: Sequence[str], dataset: Dataset | None, root: Path, where: str = ""
) -> dict[str, str]:
    """Return the sha256 of each protected file by its path.

    Args:
        patterns: `protected` of the settings.
        dataset: that of the experiment, whose data or program are protected too.
        root: the project's folder.
        where: the file of the settings if each pattern has to match a file; else empty.

    Raises:
        SpecError: a pattern isn't valid, or matches no file.
    """
    found: dict[str, Path] = {}
    for index, pattern in enumerate(patterns):
        try:
            paths = matching_files([pattern], root)
        except ValueError as error:
            raise SpecError(f"protected[{index}]: {error}", where) from None
        if where and not paths:
            raise SpecError(
                f"protected[{index}]: no file matches {brief(pattern)}; patterns start at the "
                "folder you work in",
                where,
            )
        found |= {path.relative_to(root).as_posix(): path for path in paths}
    found |= dict(_of_dataset(dataset, root))
    return {name: sha256(found[name]) for name in sorted(found)}


def touched_files(expected: Mapping[str, str], present: Mapping[str, str]) -> tuple[str, ...]:
    """Return the protected files that have changed, are gone or are new, in order."""
    names = sorted(expected.keys() | present.keys())
    return tuple(name for name in names if expected.get(name) != present.get(name))


def _of_dataset(dataset: Dataset | None, root: Path) -> Iterator[tuple[str, Path]]:
    for name in (dataset.program, dataset.path) if dataset else ():
        if name is None:
            continue
        path = root / name
        if path.is_file():
            yield name, path
        elif path.is_dir():
            for each in files_below(path):
                yield f"{name.rstrip('/')}/{each.relative_to(path).as_posix()}", each
