"""A server's answer writes nothing but what was asked for."""

import argparse
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from caduceus.commands import refresh as command
from caduceus.errors import ResultError, ServerError, SpecError
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server import logs, refresh
from caduceus.server.answers import Answer
from caduceus.server.logs import fetched_log
from caduceus.server.runs import read_states

PROJECT = ProjectPath("me", "p")
BAD_IDS = ["../../../up", "/abs", "..", ".", "", "other", "a\0b", "x" * 300, "a\nb", "nul"]


def state_of(run_id: str) -> ServerState:
    path = RunPath("me", "p", run_id)
    return ServerState(path=path, group="", state="finished", rows=1, last_step=0, updated_at="now")


@pytest.fixture(params=BAD_IDS)
def bad(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of a run with which the server answers, beside the run `good`."""
    run_id = request.param if request.param != "/abs" else f"{tmp_path}/abs"

    def answer(*_: Any) -> Iterator[ServerState]:
        yield from map(state_of, [run_id, "good"])

    monkeypatch.setattr(refresh, "check_access", lambda server, path, must_write: path)
    monkeypatch.setattr(refresh, "read_states", answer)
    monkeypatch.setattr(refresh, "read_state", lambda server, path: state_of(run_id))
    return str(run_id)


def written(folder: Path) -> list[str]:
    return sorted(p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file())


def test_of_planned_runs_only_those_asked_for_are_written(bad: str, tmp_path: Path) -> None:
    runs = tmp_path / "a/b/c/runs"
    found = refresh.refresh_planned(None, PROJECT, ["good", "gone"], runs)  # type: ignore[arg-type]
    assert found == (["good"], ["gone"])
    assert written(tmp_path) == ["a/b/c/runs/good/server.json"]


def test_of_a_project_only_ids_that_can_name_a_folder_are_written(bad: str, tmp_path: Path) -> None:
    folder = tmp_path / "a/b/c/p"
    changed, unusable = refresh.refresh_project(None, PROJECT, [], folder)  # type: ignore[arg-type]
    names = ["good", "other"] if bad == "other" else ["good"]
    assert sorted(changed) == names
    assert unusable == ([] if bad == "other" else [bad])
    runs = [f"a/b/c/p/runs/{name}/server.json" for name in names]
    assert written(tmp_path) == sorted([*runs, "a/b/c/p/runs.json"])


def test_an_answer_about_another_run_is_refused(bad: str) -> None:
    with pytest.raises(ServerError, match=r"^me/p/abc: the server answered with run '"):
        refresh.find_run(None, PROJECT, "abc")  # type: ignore[arg-type]


@pytest.mark.parametrize("run_id", [name for name in BAD_IDS if name != "other"])
def test_a_log_is_not_downloaded_to_a_place_that_the_server_names(
    run_id: str, tmp_path: Path
) -> None:
    with pytest.raises(ResultError, match=r"can't name a file$"):
        fetched_log(state_of(run_id), tmp_path / "a/b/server")
    assert written(tmp_path) == []


@pytest.mark.parametrize("digest", ["", ".", "..", "a\0b", "x" * 300, "a\nb"])
def test_a_file_of_an_artifact_is_not_downloaded_to_a_place_that_its_digest_names(
    digest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    artifact: Any = SimpleNamespace(name="data", is_used=False)
    entry = Answer({"digest": digest}, "http://server/manifest")
    monkeypatch.setattr(logs, "read_entries", lambda *_: {"x.txt": entry})
    monkeypatch.setattr(logs, "read_urls", lambda *_: {"x.txt": "http://server/x.txt"})
    with pytest.raises(ServerError, match=r"^data: its file 'x.txt' has no digest$"):
        logs._artifact(None, artifact, tmp_path / "a/artifacts")  # type: ignore[arg-type]
    assert written(tmp_path) == []


class Answers:
    """A server that answers every query in the same way."""

    def __init__(self, nodes: list[Any]):
        edges = [{"node": node} for node in nodes]
        self.runs = {"edges": edges, "pageInfo": {"hasNextPage": False}}

    def query(self, text: str, **variables: Any) -> Answer:
        return Answer({"project": {"runs": self.runs}}, "http://server", "the query Runs")


def test_a_run_whose_state_can_not_be_read_costs_no_other(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = {"name": "good", "project": {"name": "p", "entity": {"name": "me"}}}
    whole |= dict.fromkeys(("group", "historyLineCount", "historyKeys", "heartbeatAt", "createdAt"))
    whole |= {"state": "finished", "updatedAt": "now"}
    bad = [whole | {"name": "a\nb", "project": None}, {"name": "c"}, None, "text"]
    server: Any = Answers([*bad, whole])
    unreadable: list[str] = []
    states = read_states(server, PROJECT, {}, unreadable)
    assert [state.path.run for state in states] == ["good"]
    said = capsys.readouterr().err.splitlines()
    names = ["'a\\nb'", "'c'", "'None'", "'text'"]
    start = "left out, as its state can't be read: "
    assert [line.removeprefix(start).partition(": ")[0] for line in said] == names == unreadable

    # The command goes on with the others, and ends with the status of partial results.
    monkeypatch.setattr(command, "find_account", lambda: None)
    arguments = {"plans": [], "project": "me/p", "results": tmp_path}
    arguments |= {"projects": [{"project": "me/p", "groups": []}]}
    for nodes, status in (([*bad, whole], 3), ([whole], 0)):
        monkeypatch.setattr(command, "Server", lambda _, nodes=nodes: Answers(nodes))
        assert command.run(argparse.Namespace(**arguments)) == status
        assert (tmp_path / "projects/me/p/runs/good/server.json").exists()


@pytest.mark.parametrize("text", ["..", "a/..", "../a", ".", "./a"])
def test_a_project_is_no_folder_above(text: str) -> None:
    with pytest.raises(SpecError, match="found the W&B project"):
        ProjectPath.parse(text)
    assert ProjectPath.parse(".a/..b.") == ProjectPath(".a", "..b.")
