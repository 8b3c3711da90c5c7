"""Which rule a plain `snakemake` makes in a Snakefile that loads Caduceus as a module."""

import re

_ALL = re.compile(r"^rule\s+all\s*:", re.MULTILINE)
_CHOICE = re.compile(r"^\s+default_target\s*:", re.MULTILINE)


def default_target(snakefile: str, before: str | None, ours: str) -> str:
    """Return the name of the default target, as it stands when the module has been loaded.

    A rule that the user marks by `default_target: True` further down wins over what is returned, as
    Snakemake then sets it itself.

    Args:
        snakefile: the text of the user's Snakefile.
        before: the default target before the module was loaded; None if it is the first.
        ours: the name that the module's rule `all` has there.
    """
    if _CHOICE.search(snakefile):
        return before or ours
    if _ALL.search(snakefile) and ours != "all":
        return "all"
    return ours
