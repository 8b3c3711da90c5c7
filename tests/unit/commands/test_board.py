"""Of which folder `caduceus board` shows the results."""

from argparse import Namespace
from pathlib import Path
from typing import Any

import pytest
from caduceus.commands import board
from caduceus.errors import ResourceError
from caduceus.overview.board import serving


@pytest.fixture
def served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    found: list[Path] = []
    monkeypatch.chdir(tmp_path)

    def serve(results: Path, *_: Any) -> None:
        found.append(results)

    monkeypatch.setattr(serving, "serve", serve)
    return found


def start(project: Path = Path()) -> None:
    board.run(Namespace(project=project, port=0))


def test_a_folder_without_a_project_is_refused(served: list[Path]) -> None:
    with pytest.raises(ResourceError, match="holds no results/"):
        start()
    assert not served


def test_a_project_before_its_first_build_is_shown(served: list[Path]) -> None:
    Path("config.yaml").write_text("experiments: [a.yaml]\n")
    start()
    start(Path().absolute())
    assert served == [Path("results"), Path("results").absolute()]


def test_results_below_the_prefix_of_a_module_are_shown(served: list[Path]) -> None:
    lines = ["module caduceus:", "    snakefile: SNAKEFILE", '    prefix: "lab"']
    Path("Snakefile").write_text("\n".join(lines))
    Path("lab/results/experiments").mkdir(parents=True)
    start()
    assert served == [Path("lab/results")]
