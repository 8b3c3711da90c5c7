"""What the server has of runs, asked in few questions and noted where it has changed."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import run_files
from caduceus.errors import AccountError, ServerError
from caduceus.exports.group_names import group_folder
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.client import Server
from caduceus.server.refresh import find_run, planned_runs, refresh_planned, refresh_project
from caduceus.system.wandb_account import Account
from wandb_server import Run, WandbServer

IDS = [f"run-{number:03}" for number in range(300)]


def connect(server: WandbServer, entity: str | None = None) -> Server:
    return Server(Account(server.url, server.key, "WANDB_API_KEY", entity), patience_s=0)


MINE, ALICES, LABS = (ProjectPath(entity, "p") for entity in ("", "alice", "lab"))


def fill(server: WandbServer) -> list[Run]:
    """300 runs in two groups, with a row each."""
    return [
        server.add_run(name, "p", rows=[{"loss": 1}], group="ab"[number % 2], state="running")
        for number, name in enumerate(IDS)
    ]


def go_on(server: WandbServer, run: Run) -> None:
    run.history_lines.append('{"_step": 7}')
    run.steps.append(7)
    run.updated_at = server.store.now()


def times(folder: Path) -> dict[str, int]:
    """When each file was written, by the run it is about."""
    return {path.parent.name: path.stat().st_mtime_ns for path in folder.glob("*/server.json")}


def state_of(folder: Path) -> ServerState:
    return ServerState.read(folder / "server.json")


Refresh = Callable[[Server], tuple[list[str], list[str]]]


@pytest.fixture(params=["planned", "project"])
def refresh(request: pytest.FixtureRequest, tmp_path: Path) -> Refresh:
    """Either way to ask after all 300 runs, noted below runs/."""
    if request.param == "planned":
        return lambda server: refresh_planned(server, MINE, IDS, tmp_path / "runs")
    return lambda server: refresh_project(server, ALICES, [], tmp_path)


def test_three_hundred_runs_take_a_handful_of_questions(
    wandb_server: WandbServer, refresh: Refresh, tmp_path: Path
) -> None:
    fill(wandb_server)
    changed, others = refresh(connect(wandb_server))
    assert (sorted(changed), others) == (IDS, [])
    assert len(wandb_server.requests) <= 5
    assert sorted(times(tmp_path / "runs")) == IDS
    state = state_of(tmp_path / "runs/run-007")
    assert state == ServerState(
        path=RunPath("alice", "p", "run-007"),
        group="b",
        state="running",
        rows=1,
        last_step=0,
        updated_at=wandb_server.run("run-007").updated_at,
    )


def test_only_runs_that_have_changed_are_noted_anew(
    wandb_server: WandbServer, refresh: Refresh, tmp_path: Path
) -> None:
    runs = fill(wandb_server)
    server = connect(wandb_server)
    refresh(server)
    before = times(tmp_path / "runs")
    assert refresh(server) == ([], [])
    assert times(tmp_path / "runs") == before

    for run in runs[::30]:
        go_on(wandb_server, run)
    changed, _ = refresh(server)
    after = times(tmp_path / "runs")
    assert sorted(changed) == [run.name for run in runs[::30]]
    assert {name for name in after if after[name] != before[name]} == set(changed)
    assert len(changed) == 10
    state = state_of(tmp_path / "runs/run-030")
    assert (state.rows, state.last_step) == (2, 7)


@pytest.mark.parametrize(
    ("attribute", "value"),
    [("state", "finished"), ("group", "c"), ("updated_at", "2030-01-01T00:00:00Z")],
)
def test_each_change_counts(
    wandb_server: WandbServer, tmp_path: Path, attribute: str, value: str
) -> None:
    run = wandb_server.add_run("abc", "p", state="running")
    server = connect(wandb_server)
    for expected in (["abc"], []):
        assert refresh_planned(server, MINE, ["abc"], tmp_path) == (expected, [])
    setattr(run, attribute, value)
    assert refresh_planned(server, MINE, ["abc"], tmp_path) == (["abc"], [])
    assert getattr(state_of(tmp_path / "abc"), attribute) == value


def test_runs_that_the_server_lacks_are_named(wandb_server: WandbServer, tmp_path: Path) -> None:
    fill(wandb_server)
    wanted = ["x", *IDS[:150], "y", *IDS[150:160], "z"]
    changed, missing = refresh_planned(connect(wandb_server), MINE, wanted, tmp_path)
    assert (sorted(changed), missing) == (IDS[:160], ["x", "y", "z"])
    assert sorted(times(tmp_path)) == IDS[:160]
    assert refresh_planned(connect(wandb_server), MINE, [], tmp_path) == ([], [])


def test_a_run_without_a_row_is_known_all_the_same(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    wandb_server.add_run("abc", "p", summary={})
    assert refresh_planned(connect(wandb_server), MINE, ["abc"], tmp_path) == (["abc"], [])
    state = state_of(tmp_path / "abc")
    assert (state.rows, state.last_step, state.group) == (0, -1, "")


def test_runs_of_some_groups_are_noted_with_the_folders_of_these(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    groups = {"1": "ablation/width", "2": "other", "3": None, "4": "über alles", "5": "other"}
    for name, group in groups.items():
        wandb_server.add_run(name, "p", "lab", group=group)
    server = connect(wandb_server)
    wanted = ["ablation/width", "other", "none of these"]
    assert refresh_project(server, LABS, wanted, tmp_path / "some") == (["1", "2", "5"], [])
    index = json.loads((tmp_path / "some/runs.json").read_text())
    assert index == {"1": "ablation_width-b3906a", "2": "other", "5": "other"}
    assert sorted(times(tmp_path / "some/runs")) == ["1", "2", "5"]

    refresh_project(server, LABS, [], tmp_path / "all")
    index = json.loads((tmp_path / "all/runs.json").read_text())
    assert index == {
        "1": "ablation_width-b3906a",
        "2": "other",
        "3": "ungrouped",
        "4": group_folder("über alles"),
        "5": "other",
    }


def test_groups_of_different_names_stay_apart(wandb_server: WandbServer, tmp_path: Path) -> None:
    groups = ["a/b", "a_b", "a b", "a:b", None, "ungrouped", ".", "..", "A_B", "ä_b"]
    for group in groups:
        wandb_server.add_run(None, "p", group=group)
    refresh_project(connect(wandb_server), ALICES, [], tmp_path)
    folders = json.loads((tmp_path / "runs.json").read_text()).values()
    assert len(set(folders)) == len(groups)
    assert all(re.fullmatch(r"[A-Za-z0-9_.-]+", folder) for folder in folders)
    assert not {".", ".."} & set(folders)


@pytest.mark.parametrize("name", ["a/b", "../up", "a b", "ä", "a\n", "$(x)", "a:b"])
def test_an_id_that_is_no_name_of_a_folder_is_left_out(
    wandb_server: WandbServer, tmp_path: Path, name: str
) -> None:
    wandb_server.add_run(name, "p")
    wandb_server.add_run("good-1_2.3", "p")
    found = refresh_project(connect(wandb_server), ALICES, [], tmp_path)
    assert found == (["good-1_2.3"], [name])
    assert json.loads((tmp_path / "runs.json").read_text()) == {"good-1_2.3": "ungrouped"}
    assert [path.name for path in tmp_path.rglob("server.json")] == ["server.json"]


@pytest.mark.parametrize("name", [".", ".."])
def test_an_id_of_dots_is_left_out(wandb_server: WandbServer, tmp_path: Path, name: str) -> None:
    wandb_server.add_run(name, "p")
    assert refresh_project(connect(wandb_server), ALICES, [], tmp_path / "p") == ([], [name])
    assert list(tmp_path.rglob("server.json")) == []


def test_the_list_of_runs_is_written_only_when_it_has_changed(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    run = wandb_server.add_run("1", "p", group="a")
    server = connect(wandb_server)
    refresh_project(server, ALICES, [], tmp_path)
    written = (tmp_path / "runs.json").stat().st_mtime_ns
    go_on(wandb_server, run)
    assert refresh_project(server, ALICES, [], tmp_path) == (["1"], [])
    assert (tmp_path / "runs.json").stat().st_mtime_ns == written
    wandb_server.add_run("2", "p", group="a")
    assert refresh_project(server, ALICES, [], tmp_path) == (["2"], [])
    assert json.loads((tmp_path / "runs.json").read_text()) == {"1": "a", "2": "a"}


def test_a_project_that_is_not_there_is_an_error_and_not_made(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    server = connect(wandb_server)
    message = f"alice/none: not found on {wandb_server.url}"
    for call in (
        lambda: refresh_planned(server, ProjectPath("", "none"), ["abc"], tmp_path),
        lambda: refresh_project(server, ProjectPath("alice", "none"), [], tmp_path),
    ):
        with pytest.raises(ServerError) as error:
            call()
        assert str(error.value) == message
    with pytest.raises(AccountError, match="'nobody' is neither 'alice' nor one of its teams"):
        refresh_planned(server, ProjectPath("nobody", "p"), ["abc"], tmp_path)
    assert wandb_server.store.projects == {}
    assert list(tmp_path.iterdir()) == []


def test_one_run_is_found_by_its_path(wandb_server: WandbServer) -> None:
    wandb_server.add_run("abc", "p", "lab", rows=[{"a": 1}] * 3)
    server = connect(wandb_server, entity="lab")
    state = find_run(server, LABS, "abc")
    assert (str(state.path), state.rows, state.last_step) == ("lab/p/abc", 3, 2)
    assert find_run(server, MINE, "abc") == state
    with pytest.raises(ServerError, match=r"^lab/p/xyz: no such run on http://127.* to train it"):
        find_run(server, LABS, "xyz")


def test_planned_runs_are_those_of_all_plans(tmp_path: Path) -> None:
    plans = [tmp_path / "a.json", tmp_path / "b.json"]
    for plan, runs in zip(plans, (["1", "2"], ["3"]), strict=True):
        run_files.plan(dict.fromkeys(runs)).write(plan)
    assert planned_runs(plans) == ["1", "2", "3"]
