"""Caduceus: experiment files in, a paper's numbers out."""

from pathlib import Path

__version__ = "0.1.0"

# The workflow, for the Snakefile of a project of one's own: module caduceus: snakefile: SNAKEFILE
SNAKEFILE = str(Path(__file__).parent / "pipeline" / "Snakefile")
