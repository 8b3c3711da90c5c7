"""The configuration file of a project: the one that its Snakefile names."""

import re
from pathlib import Path

# Where Snakemake looks for one.
_SNAKEFILES = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
_CONFIGFILE = re.compile(r"""^configfile:\s*["'](.+?)["']""", re.MULTILINE)


def config_file(root: Path) -> Path:
    """Return the configuration file that a Snakefile names last; config.yaml if it names none."""
    for name in _SNAKEFILES:
        if (root / name).is_file():
            named = _CONFIGFILE.findall((root / name).read_text(errors="replace"))
            return root / (named[-1] if named else "config.yaml")
    return root / "config.yaml"


def chosen_config(name: str) -> Path:
    """Return the file of an option --config; without a name that of the present folder."""
    return Path(name) if name else config_file(Path())
