"""Which rule a plain `snakemake` makes in a Snakefile that loads Caduceus as a module."""

import re
from pathlib import Path

_ALL = re.compile(r"^rule\s+all\s*:", re.MULTILINE)
_CHOICE = re.compile(r"^\s+default_target\s*:", re.MULTILINE)
_INCLUDE = re.compile(r"""^\s*include\s*:\s*["'](.+?)["']""", re.MULTILINE)


def read_snakefile(path: Path) -> str:
    """Return the text of a Snakefile and of all files that it includes by their names."""
    texts: dict[Path, str] = {}
    waiting = [path.resolve()]
    while waiting:
        file = waiting.pop()
        if file not in texts and file.is_file():
            texts[file] = file.read_text(errors="replace")
            waiting += [(file.parent / name).resolve() for name in _INCLUDE.findall(texts[file])]
    return "\n".join(texts.values())


def default_target(snakefile: str, before: str | None, ours: str) -> str:
    """Return the name of the default target, as it stands when the module has been loaded.

    It is the user's rule `all`, wherever that stands, else ours. A rule that the user marks by
    `default_target: True` further down wins over what is returned, as Snakemake then sets it
    itself.

    Args:
        snakefile: the text of the user's Snakefile with what it includes.
        before: the default target before the module was loaded; None if it is the first.
        ours: the name that the module's rule `all` has there.
    """
    if _CHOICE.search(snakefile):
        return before or ours
    if ours != "all" and (before == "all" or _ALL.search(snakefile)):
        return "all"
    return ours
