"""Snakemake's linter, less what doesn't hold for these rules: `make check` runs it."""

import re
import subprocess
import sys

# By the beginning of its title, why a lint is passed over.
PASSED_OVER = {
    "Environment variable CADUCEUS_PYTHON used": "common.smk sets it",
    "Environment variable CADUCEUS_PRELOAD used": "common.smk sets it",
    "Specify a conda environment or container": "one environment serves all rules: they need "
    "Caduceus itself",
}
_PLACE = re.compile(r"Lints for .*:")
_TITLE = re.compile(r"    \* (.*):")


def main() -> int:
    """Print the lints that remain; returns 1 if there are any, or the linter fails."""
    words = [sys.executable, "-m", "snakemake", "--lint"]
    done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    place, kept = "", []
    for line in done.stdout.splitlines():
        if _PLACE.fullmatch(line):
            place = line
        elif match := _TITLE.fullmatch(line):
            kept += [] if match[1].startswith(tuple(PASSED_OVER)) else [f"{place} {match[1]}"]
    if not place and done.returncode:
        kept.append(done.stdout)
    print(*kept, sep="\n", end="\n" if kept else "")
    return bool(kept)


if __name__ == "__main__":
    sys.exit(main())
