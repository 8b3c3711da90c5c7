"""Patterns of files such as `src/**/*.py`, which mean the same with every version of Python."""

from pathlib import Path


def matching_paths(root: Path, pattern: str) -> list[Path]:
    """Return the files and folders below `root` that a pattern matches, sorted.

    Raises:
        ValueError: the pattern isn't valid.
    """
    # From Python 3.13 on, pathlib takes src/**.py for src/*.py; before, it refuses it.
    if any("**" in part and part != "**" for part in pattern.split("/")):
        raise ValueError(f"in {pattern!r}, '**' can only be a whole folder, as in src/**/*.py")
    # Before Python 3.13, a last ** matches folders alone.
    whole = f"{pattern}/*" if pattern.endswith("**") else pattern
    try:
        return sorted(root.glob(whole))
    except NotImplementedError as error:  # an absolute path
        raise ValueError(str(error)) from None
