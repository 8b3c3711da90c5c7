"""A whole project where what only Linux has is missing: a stand-in for macOS."""

import json
from pathlib import Path

from projects import REPOSITORY, Project

WITHOUT = str(REPOSITORY / "tests/support/without_linux")


def test_a_project_is_built_without_what_only_linux_has(trained: Project, tmp_path: Path) -> None:
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", preload="auto")
    built = project.snakemake(NO_LINUX="1", PYTHONPATH=WITHOUT).check()
    assert {run.name for run in project.runs} == {run.name for run in trained.runs}
    for run in project.runs:
        for name in ("metrics_history.csv", "params.json"):
            expected = trained.path / "results/runs" / run.name / name
            ours, theirs = (values(path) for path in (run / name, expected))
            assert ours == theirs
        usage = json.loads((run / "train.json").read_text())["attempts"][0]
        assert usage["cpu_s"] > 0 and usage["machine"]["mps"] is None
    assert (project.path / "results/report/index.html").exists()
    assert "Traceback" not in built.output
    again = project.snakemake(NO_LINUX="1", PYTHONPATH=WITHOUT).check()
    assert "Nothing to be done" in again.output


def values(path: Path) -> list[str]:
    """The rows of a history without times; the words of another file."""
    text = path.read_text()
    if path.suffix != ".csv":
        return text.split()
    header, *rows = (line.split(",") for line in text.splitlines())
    kept = [at for at, name in enumerate(header) if name not in ("_timestamp", "_runtime")]
    return [",".join(row[at] for at in kept) for row in (header, *rows)]
