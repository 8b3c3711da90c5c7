"""Read what a project's Snakefile says: which configuration it has, and where its results lie."""

import re
from pathlib import Path

# Where Snakemake looks for one.
_SNAKEFILES = ("Snakefile", "snakefile", "workflow/Snakefile", "workflow/snakefile")
_PREFIX = re.compile(r"""^\s+prefix:\s*["'](.+?)["']""", re.MULTILINE)
_CONFIGFILE = re.compile(r"""^configfile:\s*["'](.+?)["']""", re.MULTILINE)


def _read_snakefile(root: Path) -> str:
    """Return the text of the project's Snakefile; none if there is none."""
    found = (root / name for name in _SNAKEFILES if (root / name).is_file())
    return next((path.read_text(errors="replace") for path in found), "")


def config_file(root: Path) -> Path:
    """Return the configuration file that a Snakefile names last; config.yaml if it names none."""
    named = _CONFIGFILE.findall(_read_snakefile(root))
    return root / (named[-1] if named else "config.yaml")


def chosen_config(name: str) -> Path:
    """Return the file of an option --config; without a name that of the present folder."""
    return Path(name) if name else config_file(Path())


def chosen_results(name: str) -> Path:
    """Return the folder of an option --results; without a name that of the present folder.

    It is results/, or where there is none, that below the prefix of a module of the Snakefile.
    """
    results = Path(name or "results")
    if name or results.exists():
        return results
    below = (Path(prefix) / results for prefix in _PREFIX.findall(_read_snakefile(Path())))
    return next((folder for folder in below if (folder / "experiments").is_dir()), results)
