"""How the paper estimates and compares, for whoever shows numbers beside it."""

from pathlib import Path

from caduceus.project.paper import load_paper
from caduceus.project.settings import load_settings
from caduceus.project.snakefile import config_file
from caduceus.statistics.settings import Methods


def paper_methods(results: Path) -> Methods:
    """Return `paper.statistics` of the project's configuration, or its defaults without a file.

    Raises:
        SpecError: the configuration is wrong.
    """
    config = config_file(results.parent)
    if not config.exists():
        return Methods()
    paper, _ = load_paper(load_settings(config).paper, lambda keys: str(config), results.parent)
    return paper.statistics
