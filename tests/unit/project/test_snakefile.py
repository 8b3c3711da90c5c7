"""What a Snakefile of the user's own says of its configuration and its results."""

from pathlib import Path

import pytest
from caduceus.project.snakefile import chosen_config, chosen_results

MODULE = """
configfile: "study.yaml"

module other:
    snakefile: "other.smk"
    prefix: "elsewhere"

module caduceus:
    snakefile:
        SNAKEFILE
    config: config
    prefix:
        "study"
"""


def test_results_are_those_of_the_modules_prefix(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert (chosen_config(""), chosen_results("")) == (Path("config.yaml"), Path("results"))
    Path("Snakefile").write_text(MODULE)
    assert (chosen_config(""), chosen_results("")) == (Path("study.yaml"), Path("results"))
    for folder in ("elsewhere/results", "study/results/experiments"):
        Path(folder).mkdir(parents=True)
    assert chosen_results("") == Path("study/results")
    assert (chosen_config("x"), chosen_results("x")) == (Path("x"), Path("x"))
    Path("results").mkdir()
    assert chosen_results("") == Path("results")
