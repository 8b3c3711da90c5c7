"""A run whose files are broken in any way costs only itself: the others are read as before."""

from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Any

import pytest
from caduceus.analysis import load_history
from caduceus.errors import CaduceusError
from caduceus.io.files import write_json
from caduceus.overview.mcp.toolbox import tools
from caduceus.overview.run_notes import run_notes
from caduceus.overview.status import DAMAGED, read_states
from caduceus.project.project import Project as Loaded
from caduceus.runs.record import read_records
from caduceus.runs.states import STATES
from caduceus.system import slurm
from exported_runs import export_runs
from mutations import mutated_bytes, mutated_json
from projects import Project
from run_files import attempt

ASKED = ("query_runs", "get_history", "artifacts", "compute_summary", "load_history")


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]]:
    return [{"val/accuracy": 1 / (step + seed + 1), "text": 'a, "b"\nc'} for step in range(4)]


@pytest.fixture
def project(tmp_path: Path) -> tuple[Project, Loaded]:
    project = Project.create(tmp_path / "project")
    project.change("experiments/toy.yaml", matrix={"rate": [0.1]})
    loaded = export_runs(project, logged)
    for folder in project.runs:
        write_json(folder / "manifest.json", {"files": {}, "lost": None})
        attempt().write(folder / "work/attempts/1.json")
    return project, loaded


def look(project: Project, loaded: Loaded, asked: str) -> dict[str, str]:
    """Read all runs as `status` does, and as MCP or pandas does; the state of each."""
    results = project.path / "results"
    records = read_records(results)
    states = {
        run.run: run.state
        for runs in read_states(loaded, results, records).values()
        for run in runs
    }
    for record in records:
        with suppress(CaduceusError):
            if record.exported:
                list(run_notes([record], None))
    with suppress(CaduceusError):
        if asked == "load_history":
            load_history(records[0].run, project=results)
        else:
            call = {each.__name__: each for each in tools(results)}[asked]
            call(**({"run": records[0].run} if asked in ("get_history", "artifacts") else {}))
    return states


@pytest.mark.slow
@pytest.mark.parametrize("times", [150, pytest.param(20_000, marks=pytest.mark.soak)])
def test_a_broken_run_costs_only_itself(
    project: tuple[Project, Loaded], monkeypatch: pytest.MonkeyPatch, times: int
) -> None:
    made, loaded = project
    monkeypatch.chdir(made.path)
    monkeypatch.setattr(slurm, "jobs", dict)
    run, *others = made.runs
    whole = {path: path.read_bytes() for path in sorted(run.rglob("*")) if path.is_file()}
    states: Counter[str] = Counter()
    for seed in range(times):
        rng = Random(seed)
        path = rng.choice([*whole])
        is_json = path.suffix == ".json" and rng.random() < 0.7
        content = (mutated_json if is_json else mutated_bytes)(whole[path], rng)
        path.write_bytes(content)
        try:
            found = look(made, loaded, rng.choice(ASKED))
        except Exception as error:
            error.add_note(f"seed {seed}: {path.relative_to(run)}: {content[:2000]!r}")
            raise
        assert {found[each.name] for each in others} == {"finished"}, seed
        states[found[run.name]] += 1
        path.write_bytes(whole[path])
    assert set(look(made, loaded, ASKED[0]).values()) == {"finished"}
    assert set(states) <= {*STATES, DAMAGED}
    assert states[DAMAGED] > 0.2 * times and states["finished"] > 0.2 * times, states
