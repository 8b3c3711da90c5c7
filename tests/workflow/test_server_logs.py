"""What is fetched of a run is what was logged: every row, sample, picture and artifact."""

import json
import operator
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import ServerError
from caduceus.exports import history
from caduceus.exports.equality import differences
from caduceus.exports.run import export_logs
from caduceus.io.files import files_below, read_json
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server import runs
from caduceus.server.answers import Answer
from caduceus.server.client import Server
from caduceus.server.logs import fetch_log, fetched_log
from caduceus.server.old_servers import OPTIONAL
from caduceus.server.refresh import find_run
from caduceus.server.runs import read_history, read_state
from caduceus.system.wandb_account import Account
from caduceus.wandb_log import Segment, read_log
from caduceus.wandb_log.reading import iter_contents
from caduceus.wandb_log.records import HISTORY
from caduceus.wandb_log.writing import RUN
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from wandb_server import Run, WandbServer

MANY_KINDS = """
import hashlib, os, sys, time
from base64 import b64encode
from pathlib import Path
import numpy, wandb
from caduceus.system import wandb_sdk

config = {
    "rate": 1e-5, "deep": {"a": [1, None], "b": {"c": 0.25}}, "big": 2**60 + 1, "dot.key": 1,
    "text": "1.0", "none": None, "flag": True, "nan": float("nan"), "inf": -float("inf"),
    "list": [1, "x", [2.5]], "é": "😀\\n",
}
with wandb.init(
    mode="offline", project="p", entity="alice", id="abc", name="one", group="g/h",
    job_type="train", tags=["y", "x z"], notes="two\\nlines é", config=config,
    settings=wandb.Settings(x_stats_sampling_interval=0.1),
) as run:
    run.define_metric("loss", summary="min,max,mean,last")
    run.define_metric("lat*", step_metric="loss")
    run.define_metric("half.f", step_metric="nest.a.b", step_sync=False, hidden=True)
    run.log({
        "above 2^53": 2**53 + 1, "most": 2**63 - 1, "least": -(2**63), "too big": 2**70,
        "1e21": 1e21, "1e22": 1e22, "1e16": 1e16, "1e6": 1e6, "1e20": 123456789012345678901.0,
        "tiny": 1e-7, "denormal": 5e-324, "largest": 1.7976931348623157e308, "whole": 3.0,
        "float": 0.1,
    })
    run.log({
        "nan": float("nan"), "inf": float("inf"), "minus inf": -float("inf"), "zero": -0.0,
        "none": None, "true": True, "false": False, "float32": numpy.float32(0.1),
        "int64": numpy.int64(5), "array": numpy.arange(3), "large array": numpy.arange(100.0),
    })
    run.log({
        "text": 'a, "b"\\r\\né😀\\u2028<>&', "NaN": "NaN", "number": "1.0", "exponent": "1e5",
        "null": "null", "empty": "", "brace": "{", "blank": " ", "list": [1, 2.5, None, "x", [1.0]],
        "of NaN": [float("nan"), -0.0], "no list": [], "of dicts": [{"b": 1.0}, {}],
    })
    run.log({
        "nest": {"a": {"b": 1, "c.d": 2}}, "dot.key": 2, "x": {"y": 3}, "x.y": 4, ".": 5, "..": 6,
        "no dict": {}, "half": {"empty": {}, "f": 1}, "sl/ash": 1, "sp ace": 2,
        "back\\\\": {"slash": 3}, "é": 4, "system/mine": 3, "system/cpu_percent": 5,
    }, step=7)
    pixels = numpy.arange(48, dtype=numpy.uint8).reshape(4, 4, 3)
    data = wandb.Table(columns=["a", "b"], data=[[1, "x"], [2.5, None]])
    run.log({
        "histogram": wandb.Histogram([1, 2, 3]), "image": wandb.Image(pixels, caption="ä,b"),
        "images": [wandb.Image(pixels), wandb.Image(pixels[::-1])],
        "nest": {"image": wandb.Image(pixels[:2])}, "table": data, "html": wandb.Html("<b>x</b>"),
        "plot": wandb.plot.line(wandb.Table(columns=["u", "v"], data=[[1, 2], [2, 3]]), "u", "v"),
    }, step=1000)
    for step in range(6):
        run.log({"loss": step / 7, "system/cpu_percent": step}, commit=False)
        run.log({"late": step})
        time.sleep(0.1)
    run.summary["best"] = 0.5
    run.summary["nested"] = {"a": 1, "b": {"c": [1, None]}, "e": {}}
    run.summary["nan"] = float("nan")
    run.summary["minus inf"] = -float("inf")
    run.summary["dot.key"] = {"a.b": 2**60 + 1}
    run.config.update({"later": "yes"})

    Path("local.txt").write_text("by reference")
    for version in (1, 2):
        artifact = wandb.Artifact("data", "dataset", metadata={"version": version, "f": 0.5})
        for name in ("same.txt", f"only-{version}.txt", "below/x.txt", "ä b.txt"):
            with artifact.new_file(name) as stream:
                stream.write(name + str(version) * (name != "same.txt"))
        artifact.add_reference("http://example.org/x", name="there", checksum=False)
        artifact.add_reference(Path("local.txt").absolute().as_uri())
        run.log_artifact(artifact, aliases=["best"])
    run.log_artifact(wandb.Artifact("empty", "dataset"))
    files = {"ds.txt": {"md5": b64encode(hashlib.md5(b"rows").digest()).decode(), "bytes": 4}}
    Path("ds.txt").write_text("rows")
    record = {"name": "points", "sha256": "s", "version": 1, "bytes": 4, "files": files}
    wandb_sdk.use_dataset(run, record, Path("ds.txt"))
"""
RANDOM = """
import json, sys, wandb
with wandb.init(mode="offline", project="p", entity="alice", id="abc", name="one") as run:
    for row in json.load(open(sys.argv[1])):
        run.log(row)
"""
SYNC = """
import sys
from pathlib import Path
from caduceus.system.wandb_sdk import sync_log
sync_log(Path(sys.argv[1]), "alice", "p", 20)
"""


def run_client(server: WandbServer, folder: Path, *words: str | Path) -> None:
    done = subprocess.run(
        words,
        env=server.environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def log_in(folder: Path) -> Path:
    """The log that the SDK has written."""
    (log,) = folder.glob("wandb-dir/wandb/offline-run-*/run-abc.wandb")
    return log


def connect(server: WandbServer) -> Server:
    return Server(Account(server.url, server.key, "WANDB_API_KEY"), patience_s=0)


def state_of(server: WandbServer, run: str = "abc", project: str = "p") -> ServerState:
    state = read_state(connect(server), RunPath("alice", project, run))
    assert state is not None
    return state


def fetch(server: WandbServer, folder: Path, run: str = "abc") -> Path:
    """The log of a run in its present state."""
    log = folder / f"run-{run}.wandb"
    fetch_log(connect(server), state_of(server, run), log)
    return log


@dataclass(frozen=True)
class Fetched:
    """A run logged by the real SDK, delivered by ours, and fetched again; both exported."""

    server: WandbServer
    log: Path
    fetched: Path
    here: Path
    there: Path
    requests: list[str]


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Fetched]:
    folder = tmp_path_factory.mktemp("fetched")
    with WandbServer() as server:
        run_client(server, folder, sys.executable, "-c", MANY_KINDS)
        log = log_in(folder)
        run_client(server, folder, sys.executable, "-c", SYNC, log)
        assert (server.problems, server.doubled) == ([], [])
        before = len(server.requests)
        copy = fetch(server, folder / "server")
        requests = server.requests[before:]
        export_logs([log], folder / "here")
        export_logs([copy], folder / "there")
        yield Fetched(server, log, copy, folder / "here", folder / "there", requests)


@pytest.mark.parametrize("limit", [0, 1 << 40])
@pytest.mark.parametrize("name", ["metrics_history.csv", "system_metrics.csv"])
def test_tables_have_the_same_bytes(
    fetched: Fetched, name: str, limit: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "_LARGE_LOG", limit)  # read by numpy, or row by row
    for log in (fetched.log, fetched.fetched):
        export_logs([log], tmp_path)
        assert (tmp_path / name).read_bytes() == (fetched.here / name).read_bytes()
    assert (fetched.there / name).read_bytes() == (fetched.here / name).read_bytes()
    assert len((fetched.here / name).read_text().splitlines()) > 6


@pytest.mark.parametrize("name", ["media", "artifacts"])
def test_files_have_the_same_bytes(fetched: Fetched, name: str) -> None:
    here, there = (
        {str(path.relative_to(folder)): path.read_bytes() for path in files_below(folder / name)}
        for folder in (fetched.here, fetched.there)
    )
    assert here == there
    assert len(here) >= 4
    if name == "artifacts":
        assert here["artifacts/data/only-2.txt"] == b"only-2.txt2"
        assert here["artifacts/data/same.txt"] == b"same.txt"


def test_there_are_no_differences(fetched: Fetched) -> None:
    assert differences(fetched.here, fetched.there) == []


def test_the_axes_of_metrics_are_the_same(fetched: Fetched) -> None:
    late = {"step_metric": "loss", "step_sync": True, "hidden": False}
    half = {"step_metric": "nest.a.b", "step_sync": False, "hidden": True}
    for folder in (fetched.here, fetched.there):
        summary = read_json(folder / "run_summary.json")
        assert summary["defined_metrics"] == {"half.f": half, "late": late}


def test_who_the_run_is_and_how_it_ended_is_the_same(fetched: Fetched) -> None:
    logged, found = read_log(fetched.log), read_log(fetched.fetched)
    assert found.run is not None and logged.run is not None
    for name in ("id", "entity", "project", "group", "job_type", "name", "notes", "tags"):
        assert getattr(found.run, name) == getattr(logged.run, name), name
    assert found.run.host == logged.environment["host"]
    assert (found.exit_code, found.program) == (0, logged.program)
    assert len(found.stats) == len(logged.stats) > 3
    summary = read_json(fetched.there / "run_summary.json")
    assert [artifact["name"] for artifact in summary["artifacts"]] == ["data", "data", "empty"]
    assert [artifact["name"] for artifact in summary["used_artifacts"]] == ["dataset-points"]
    assert {"there", "local.txt"} < summary["artifacts"][0]["files"].keys()


def test_what_an_artifact_consists_of_is_the_same(fetched: Fetched) -> None:
    logged, found = (
        {
            (artifact.name, artifact.type, artifact.digest, artifact.is_used): {
                name: (file.digest, file.bytes, file.ref) for name, file in artifact.files.items()
            }
            for artifact in read_log(log).artifacts
            if artifact.type != "run_table"
        }
        for log in (fetched.log, fetched.fetched)
    )
    assert found == logged
    assert {kind for _, kind, *_ in found} == {"dataset"}
    assert all(found.type == "dataset" for found in read_log(fetched.fetched).artifacts)


def test_an_artifact_that_the_run_logged_and_used_is_one_it_used(
    fetched: Fetched, tmp_path: Path
) -> None:
    run = fetched.server.run("abc")
    run.used.append(run.artifacts["data:v0"])
    try:
        found = read_log(fetch(fetched.server, tmp_path)).artifacts
    finally:
        run.used.pop()
    assert sorted((one.name, one.is_used) for one in found) == [
        ("data", False),
        ("data", True),
        ("dataset-points", True),
        ("empty", False),
    ]


def test_files_that_the_run_only_used_are_not_fetched(fetched: Fetched) -> None:
    (used,) = [found for found in read_log(fetched.fetched).artifacts if found.is_used]
    assert used.files["ds.txt"].path is None
    assert not any(
        b"rows" in path.read_bytes() for path in files_below(fetched.there / "artifacts")
    )


def test_files_are_left_out_on_demand(fetched: Fetched, tmp_path: Path) -> None:
    before = len(fetched.server.requests)
    log = tmp_path / "run-abc.wandb"
    fetch_log(connect(fetched.server), state_of(fetched.server), log, with_files=False)
    export_logs([log], tmp_path / "out")
    assert differences(fetched.here, tmp_path / "out", with_files=False) == []
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "run-abc.wandb"]
    for request in fetched.server.requests[before:]:
        assert request.startswith(("POST /graphql", "GET /storage/Manifest")) or request.endswith(
            "/wandb-metadata.json"
        )


def test_a_file_of_two_versions_is_fetched_once(fetched: Fetched) -> None:
    assert sum(request.endswith("/same.txt") for request in fetched.requests) == 1
    assert sum(request.endswith("/below/x.txt") for request in fetched.requests) == 2


def test_numbers_in_config_and_summary_are_spelled_as_the_server_does(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    # Fails for "more" and "unsigned": the server gets floats from 2^63 on; and for "enormous":
    # OverflowError, the server gets Infinity.
    values = (
        '{"ten": 10.0, "zero": -0.0, "list": [1.0, {"a": 2.0}], "huge": 2**70, "half": {"e": {}, '
        '"f": 1.0}, "most": 2**63 - 1, "more": 2**63, "unsigned": 2**64 - 1, "least": -(2**63), '
        '"enormous": 10**400}'
    )
    program = f"""
import wandb
about = dict(project="p", entity="alice", id="abc", name="one")
with wandb.init(mode="offline", config={values}, **about) as run:
    run.config["later"] = 5.0
    run.summary.update({values})
"""
    run_client(wandb_server, tmp_path, sys.executable, "-c", program)
    run_client(wandb_server, tmp_path, sys.executable, "-c", SYNC, log_in(tmp_path))
    export_logs([log_in(tmp_path)], tmp_path / "here")
    export_logs([fetch(wandb_server, tmp_path / "server")], tmp_path / "there")
    assert differences(tmp_path / "here", tmp_path / "there") == []


def test_dictionaries_in_lists_are_spelled_as_on_the_server(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    program = """
import wandb
about = dict(project="p", entity="alice", id="abc", name="one")
with wandb.init(mode="offline", **about) as run:
    for step in range(50):
        run.log({"boxes": [{"x": 1, "y": 2, "z": 3}]})
"""
    run_client(wandb_server, tmp_path, sys.executable, "-c", program)
    run_client(wandb_server, tmp_path, sys.executable, "-c", SYNC, log_in(tmp_path))
    export_logs([log_in(tmp_path)], tmp_path / "here")
    export_logs([fetch(wandb_server, tmp_path / "server")], tmp_path / "there")
    assert differences(tmp_path / "here", tmp_path / "there") == []


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
names = st.text("ab./é ", min_size=1, max_size=6)
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans()
leaves = st.dictionaries(
    names, numbers | texts | st.none() | st.lists(numbers | texts, max_size=4), max_size=4
)
# A name has a dictionary always or never: of one that changes, W&B's core sends a summary with or
# without the old keys, by chance.
mappings = st.recursive(
    leaves,
    lambda below: st.builds(
        operator.or_, leaves, st.dictionaries(names.map("{}:".format), below, max_size=2)
    ),
    max_leaves=4,
)
rows = st.lists(mappings.filter(len), min_size=50, max_size=100)


@given(rows)
@settings(max_examples=2, deadline=None, phases=[Phase.explicit, Phase.generate])
def test_whatever_was_logged_is_fetched(logged: list[dict[str, Any]]) -> None:
    """Delivered by W&B's own command."""
    with tempfile.TemporaryDirectory() as name, WandbServer() as server:
        folder = Path(name)
        (folder / "rows.json").write_text(json.dumps(logged))
        run_client(server, folder, sys.executable, "-c", RANDOM, "rows.json")
        log = log_in(folder)
        run_client(server, folder, Path(sys.executable).with_name("wandb"), "sync", log.parent)
        export_logs([log], folder / "here")
        export_logs([fetch(server, folder / "server")], folder / "there")
        assert (server.problems, server.doubled) == ([], [])
        assert differences(folder / "here", folder / "there") == []
        for table in ("metrics_history.csv", "system_metrics.csv"):
            here, there = ((folder / side / table).read_bytes() for side in ("here", "there"))
            assert here == there


# --- Histories, in pages.


def put(server: WandbServer, steps: Sequence[int], name: str = "abc", **more: Any) -> Run:
    """A run with a row at each of these steps."""
    found = [{"_step": step, "a": index} for index, step in enumerate(steps)]
    return server.add_run(name, "p", rows=found, **more)


def asked(server: WandbServer, operation: str) -> int:
    return server.requests.count(f"POST /graphql {operation}")


def history_of(server: WandbServer, name: str = "abc") -> list[str]:
    state = state_of(server, name)
    rows = read_history(connect(server), state.path, 0, state.last_step, state.rows)
    return [row.text() for row in rows]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "_ROWS", 10)


STEPS = {
    "none": [],
    "one": [0],
    "one that is late": [500],
    "dense, a page": range(8),
    "dense, many pages": range(205),
    "dense, from far on": range(900, 1000),
    "sparse": range(0, 2000, 37),
    "sparse, then dense": [*range(0, 500, 100), *range(500, 560)],
    "dense, then sparse": [*range(50), *range(100, 400, 50)],
    "twice": [0, 1, 1, 2, 2, 2, 3],
}


@pytest.mark.parametrize("kind", STEPS)
@pytest.mark.usefixtures("small_pages")
def test_every_row_comes_once_and_in_order(
    wandb_server: WandbServer, kind: str, tmp_path: Path
) -> None:
    run = put(wandb_server, STEPS[kind])
    assert history_of(wandb_server) == run.history_lines
    found = read_log(fetch(wandb_server, tmp_path)).history
    assert [{name: json.loads(text) for name, text in row.items()} for row in found] == run.history


@given(st.lists(st.integers(0, 300), max_size=80, unique=True).map(sorted), st.integers(2, 12))
@settings(max_examples=40, deadline=None)
def test_no_row_is_lost_wherever_it_stands(steps: list[int], page: int) -> None:
    with pytest.MonkeyPatch.context() as patch, WandbServer() as server:
        patch.setattr(runs, "_ROWS", page)
        assert history_of_steps(server, steps) == steps


def history_of_steps(server: WandbServer, steps: Sequence[int]) -> list[int]:
    put(server, steps)
    return [json.loads(line)["_step"] for line in history_of(server)]


@pytest.mark.usefixtures("small_pages")
def test_a_history_takes_few_questions(wandb_server: WandbServer) -> None:
    assert history_of_steps(wandb_server, range(1000)) == list(range(1000))
    assert asked(wandb_server, "History") <= 1000 / 8 + 1
    wandb_server.requests.clear()
    put(wandb_server, range(0, 10**12, 10**9), "sparse")
    assert len(history_of(wandb_server, "sparse")) == 1000
    assert asked(wandb_server, "History") <= 1000 / 8 + 1


@pytest.mark.usefixtures("small_pages")
def test_a_history_that_gets_sparse_takes_few_questions_too(wandb_server: WandbServer) -> None:
    put(wandb_server, [*range(50), 6000])
    assert len(history_of(wandb_server)) == 51
    assert asked(wandb_server, "History") < 100


def test_more_rows_of_one_step_than_come_at_once_are_an_error(
    wandb_server: WandbServer, tmp_path: Path, small_pages: None
) -> None:
    put(wandb_server, [0, *[1] * 30, 2])
    with pytest.raises(ServerError, match=r"^alice/p/abc: returned 12 of 32 rows; try again; if"):
        fetch(wandb_server, tmp_path)
    assert not (tmp_path / "run-abc.wandb").exists()


# --- Failures in the middle.


class Noting(Server):
    """Notes the first step of each question about a history."""

    def __init__(self, server: WandbServer):
        super().__init__(Account(server.url, server.key, "WANDB_API_KEY"), patience_s=0)
        self.first_steps: list[int] = []

    def query(self, text: str, **variables: Any) -> Answer:
        if "min" in variables:
            self.first_steps.append(variables["min"])
        return super().query(text, **variables)


@pytest.mark.usefixtures("small_pages")
def test_fetching_goes_on_after_the_rows_that_have_come(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    run = put(wandb_server, range(100), events=[{"_timestamp": 1.5e9, "system.cpu": 1}])
    log = tmp_path / "run-abc.wandb"
    wandb_server.fail("History", 400, after=4)
    state, server = state_of(wandb_server), Noting(wandb_server)
    with pytest.raises(ServerError, match=r"status 400: injected fault"):
        fetch_log(server, state, log)
    assert server.first_steps == [0, 8, 16, 24, 32]
    assert not log.exists()

    wandb_server.heal()
    again = Noting(wandb_server)
    fetch_log(again, state, log)
    assert again.first_steps[0] == 32
    found = read_log(log)
    assert [kind for kind, _ in iter_contents(Segment(log))].count(RUN) == 1
    assert [json.loads(row["a"]) for row in found.history] == [row["a"] for row in run.history]
    assert (len(found.stats), found.exit_code) == (1, 0)
    assert not found.damage.is_corrupt
    assert [path.name for path in tmp_path.iterdir()] == ["run-abc.wandb"]


@pytest.mark.parametrize("operation", ["Events", "Files", "Artifacts", "/storage/.*wandb-meta"])
def test_a_failure_elsewhere_leaves_nothing_double(
    wandb_server: WandbServer, tmp_path: Path, operation: str
) -> None:
    events = [{"_timestamp": 1.5e9 + second, "system.cpu": second} for second in range(5)]
    files = {"wandb-metadata.json": b'{"program": "train.py"}'}
    put(wandb_server, range(20), events=events, files=files)
    expected = read_log(fetch(wandb_server, tmp_path / "whole"))
    log, failures = tmp_path / "broken/run-abc.wandb", 0
    while not log.exists():
        wandb_server.fail(operation, 400, after=failures, times=1)
        with suppress(ServerError):
            fetch(wandb_server, tmp_path / "broken")
        failures += not log.exists()
    assert failures == (2 if operation == "Artifacts" else 1)  # those used, and those logged
    found = read_log(log)
    for name in ("history", "stats", "summary", "config", "environment", "artifacts", "run"):
        assert getattr(found, name) == getattr(expected, name), name


def test_a_failure_after_the_samples_leaves_none_double(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    events = [{"_timestamp": 1.5e9 + second, "system.cpu": second} for second in range(2)]
    put(wandb_server, range(20), events=events, summary={})
    wandb_server.fail("Artifacts", 400)
    with pytest.raises(ServerError):
        fetch(wandb_server, tmp_path)
    wandb_server.heal()
    assert len(read_log(fetch(wandb_server, tmp_path)).stats) == 2


def test_a_failure_among_the_media_leaves_nothing_double(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    put(wandb_server, range(20), summary={}, files={"media/a.txt": b"a"})
    wandb_server.fail("/storage/.*/media/a.txt", 400)
    with pytest.raises(ServerError):
        fetch(wandb_server, tmp_path)
    wandb_server.heal()
    kinds = [kind for kind, _ in iter_contents(Segment(fetch(wandb_server, tmp_path)))]
    assert all(kinds.count(kind) == 1 for kind in set(kinds) - {HISTORY})
    assert (tmp_path / "files/media/a.txt").read_bytes() == b"a"


@pytest.mark.parametrize("size", [*range(7, 60, 13), 200, 500, 900])
@pytest.mark.usefixtures("small_pages")
def test_fetching_goes_on_after_being_killed_anywhere(
    wandb_server: WandbServer, tmp_path: Path, size: int
) -> None:
    run = put(wandb_server, range(60))
    wandb_server.fail("History", 400, after=5)
    with pytest.raises(ServerError):
        fetch(wandb_server, tmp_path)
    wandb_server.heal()
    part = tmp_path / "run-abc.wandb.part"
    assert part.stat().st_size > 900
    os.truncate(part, size)
    found = read_log(fetch(wandb_server, tmp_path))
    assert [json.loads(row["_step"]) for row in found.history] == run.steps
    assert not found.damage.is_corrupt


@pytest.mark.parametrize("content", [b"", b":W&", b"nothing of the kind"])
def test_what_is_no_log_is_fetched_anew(
    wandb_server: WandbServer, tmp_path: Path, content: bytes
) -> None:
    put(wandb_server, range(5))
    (tmp_path / "run-abc.wandb.part").write_bytes(content)
    assert len(read_log(fetch(wandb_server, tmp_path)).history) == 5


def make_again(server: WandbServer, run: Run, steps: Sequence[int], created_at: str) -> Run:
    """Delete a run, and have another one under its id."""
    del run.project.runs[run.name]
    rows = [{"_step": step, "new": True} for step in steps]
    return server.add_run(run.name, "p", rows=rows, created_at=created_at)


@pytest.mark.parametrize(
    "created_at",
    [
        "2026-01-01T00:00:01.000000Z",
        "2026-01-01T00:00:00.900000Z",
    ],
)
@pytest.mark.usefixtures("small_pages")
def test_a_run_that_was_made_again_is_not_mixed_with_the_old_one(
    wandb_server: WandbServer, tmp_path: Path, created_at: str
) -> None:
    run = put(wandb_server, range(100), created_at="2026-01-01T00:00:00.000000Z")
    wandb_server.fail("History", 400, after=3)
    with pytest.raises(ServerError):
        fetch(wandb_server, tmp_path)
    wandb_server.heal()
    make_again(wandb_server, run, range(0, 200, 2), created_at)
    found = read_log(fetch(wandb_server, tmp_path)).history
    assert [int(row["_step"]) for row in found] == list(range(0, 200, 2))
    assert all(row.keys() == {"_step", "new"} for row in found)


def test_a_run_that_is_deleted_meanwhile_is_an_error(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    run = put(wandb_server, range(3))
    state = state_of(wandb_server)
    del run.project.runs[run.name]
    with pytest.raises(ServerError, match=r"^alice/p/abc: no such run on http://127"):
        fetch_log(connect(wandb_server), state, tmp_path / "x.wandb")


def test_rows_that_the_server_has_lost_are_an_error(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    run = put(wandb_server, range(10))
    state = state_of(wandb_server)
    del run.history_lines[4], run.steps[4]
    message = (
        "alice/p/abc: returned 9 of 10 rows; try again; if the numbers stay the same, the server "
        "has lost rows: where the run was trained, delete it on the server, and `caduceus sync "
        "abc` sends all rows"
    )
    for _ in range(2):
        with pytest.raises(ServerError) as error:
            fetch_log(connect(wandb_server), state, tmp_path / "x.wandb")
        assert str(error.value) == message
    assert not (tmp_path / "x.wandb").exists()


def test_rows_that_come_later_are_fetched_later(wandb_server: WandbServer, tmp_path: Path) -> None:
    run = put(wandb_server, range(10))
    state = state_of(wandb_server)
    line = run.history_lines.pop(4)
    del run.steps[4]
    with pytest.raises(ServerError):
        fetch_log(connect(wandb_server), state, tmp_path / "x.wandb")
    run.history_lines.insert(4, line)
    run.steps.insert(4, 4)
    fetch_log(connect(wandb_server), state, tmp_path / "x.wandb")
    assert len(read_log(tmp_path / "x.wandb").history) == 10


def test_rows_that_a_running_run_has_logged_since_are_left_for_later(
    wandb_server: WandbServer, tmp_path: Path, small_pages: None
) -> None:
    run = put(wandb_server, range(20), state="running")
    state = state_of(wandb_server)
    run.history_lines += [json.dumps({"_step": step}) for step in range(20, 40)]
    run.steps += range(20, 40)
    fetch_log(connect(wandb_server), state, tmp_path / "x.wandb")
    assert [int(row["_step"]) for row in read_log(tmp_path / "x.wandb").history] == [*range(20)]


def test_a_sample_that_does_not_come_is_an_error(wandb_server: WandbServer, tmp_path: Path) -> None:
    put(wandb_server, range(3), events=[{"_timestamp": 1.5e9}] * 3)
    found = connect(wandb_server)
    with pytest.raises(
        ServerError, match=r"^alice/p/abc: returned only 3 of 4 samples of system metrics"
    ):
        runs.read_events(found, RunPath("alice", "p", "abc"), 4)


# --- What is asked, and what isn't.


@pytest.fixture
def own_account(wandb_server: WandbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is the one that the environment names."""
    for name in ("WANDB_BASE_URL", "WANDB_API_KEY", "HOME"):
        monkeypatch.setenv(name, wandb_server.environment(tmp_path)[name])


@pytest.mark.usefixtures("own_account")
def test_a_run_in_the_same_state_is_not_asked_for_again(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    run = put(wandb_server, range(3), state="running")
    state = state_of(wandb_server)
    log = fetched_log(state, tmp_path / "x")
    assert log == tmp_path / "x/run-abc.wandb"
    before = log.read_bytes()
    wandb_server.requests.clear()
    assert fetched_log(state, tmp_path / "x") == log
    assert (wandb_server.requests, log.read_bytes()) == ([], before)
    assert read_log(log).exit_code is None

    run.history_lines.append('{"_step": 3, "a": 3}')
    run.steps.append(3)
    run.state, run.updated_at = "finished", wandb_server.store.now()
    fetched_log(state_of(wandb_server), tmp_path / "x")
    found = read_log(log)
    assert [row["_step"] for row in found.history] == ["0", "1", "2", "3"]
    assert found.exit_code == 0

    log.unlink()
    fetched_log(state_of(wandb_server), tmp_path / "x")
    assert log.exists()


@pytest.mark.usefixtures("own_account")
def test_a_state_is_noted_only_once_all_has_come(wandb_server: WandbServer, tmp_path: Path) -> None:
    run = put(wandb_server, range(3))
    fetched_log(state_of(wandb_server), tmp_path / "x")
    run.updated_at = wandb_server.store.now()
    wandb_server.fail("Artifacts", 400, times=1)
    for _ in range(2):
        wandb_server.requests.clear()
        try:
            fetched_log(state_of(wandb_server), tmp_path / "x")
        except ServerError:
            assert asked(wandb_server, "Artifacts") == 1
        else:
            assert asked(wandb_server, "Artifacts") == 2


@pytest.mark.parametrize(
    ("state", "code"),
    [("finished", 0), ("failed", 1), ("crashed", 1), ("killed", 1), ("running", None)],
)
def test_a_state_becomes_an_exit_code(
    wandb_server: WandbServer, tmp_path: Path, state: str, code: int | None
) -> None:
    put(wandb_server, range(2), state=state)
    assert read_log(fetch(wandb_server, tmp_path)).exit_code == code


def test_a_run_of_nothing_is_fetched(wandb_server: WandbServer, tmp_path: Path) -> None:
    wandb_server.add_run("abc", "p", summary={})
    found = read_log(fetch(wandb_server, tmp_path))
    assert found.run is not None
    assert (found.run.id, found.history, found.stats, found.summary) == ("abc", [], [], {})
    export_logs([tmp_path / "run-abc.wandb"], tmp_path / "out")
    assert (tmp_path / "out/metrics_history.csv").read_text() == "_step,_runtime,_timestamp\n"


def test_fields_that_an_old_server_does_not_know_are_left_out_and_named(
    fetched: Fetched, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    known = fetched.server
    message = " ".join(
        f"Cannot query field '{name}' on type '{kind}'."
        for kind, _, name in (field.partition(".") for field in OPTIONAL)
    )
    known.fail("graphql Viewer", 400, message=message, times=1)
    server = connect(known)
    state = find_run(server, ProjectPath("alice", "p"), "abc")
    fetch_log(server, state, tmp_path / "run-abc.wandb")
    said = capsys.readouterr().err.splitlines()
    assert len(said) == len(OPTIONAL)
    assert (
        f"{known.url}: too old to know the field events of Run: system metrics are missing" in said
    )
    export_logs([tmp_path / "run-abc.wandb"], tmp_path / "out")
    found = differences(fetched.here, tmp_path / "out", with_times=False)
    assert found
    assert all("job_type" in line or "notes" in line or ".description" in line for line in found)


@pytest.mark.parametrize(
    ("message", "what"),
    [
        (
            'Cannot query field "historyKeys" on type "Run". Did you mean "history"?',
            "the field historyKeys of Run, so runs can't be read",
        ),
        (
            'Unknown argument "minStep" on field "Run.history".',
            "the argument minStep of the field history of Run, so runs can't be read",
        ),
    ],
)
def test_a_server_without_a_field_that_is_needed_is_too_old(
    wandb_server: WandbServer, message: str, what: str
) -> None:
    put(wandb_server, range(2))
    wandb_server.fail("graphql Run$", 400, message=message)
    with pytest.raises(ServerError) as error:
        state_of(wandb_server)
    assert str(error.value) == (
        f"{wandb_server.url}: is too old: it doesn't know {what}; update the server"
    )


@pytest.mark.parametrize("zone", ["UTC", "America/New_York"])
def test_a_time_without_a_zone_is_greenwichs(
    wandb_server: WandbServer, tmp_path: Path, zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    try:
        put(wandb_server, range(2), created_at="2026-01-01T00:00:00")
        found = read_log(fetch(wandb_server, tmp_path)).run
    finally:
        monkeypatch.undo()
        time.tzset()
    assert found is not None
    assert found.start_time == 1767225600


def test_media_and_saved_files_are_fetched_none_of_wandb_itself_and_none_outside(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    outside = ("media/../../../outside.txt", "../../outside.txt")
    names = (
        *outside,
        "media/a b/ä.png",
        "output.log",
        "medial.txt",
        "artifact/1/wandb_manifest.json",
    )
    put(wandb_server, range(2), files=dict.fromkeys(names, b"x"))
    fetch(wandb_server, tmp_path / "below/run")
    found = [path.relative_to(tmp_path).as_posix() for path in files_below(tmp_path)]
    assert found == [
        "below/run/files/media/a b/ä.png",
        "below/run/files/medial.txt",
        "below/run/run-abc.wandb",
    ]


def test_a_file_of_an_artifact_that_the_server_has_not_got_is_told_of(
    fetched: Fetched, tmp_path: Path
) -> None:
    artifact = fetched.server.run("abc").artifacts["data:v1"]
    content = artifact.files.pop("only-2.txt")
    try:
        log = fetch(fetched.server, tmp_path)
    except ServerError as error:
        assert "only-2.txt" in str(error)
    else:
        missing = export_logs([log], tmp_path / "out")["missing"]
        assert any("only-2.txt" in problem for problem in missing)
    finally:
        artifact.files["only-2.txt"] = content


def test_an_artifact_that_has_not_quite_arrived_is_none(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    put(wandb_server, range(2))
    mutation = """mutation { createArtifact(input: {entityName: "alice", projectName: "p",
        runName: "abc", artifactTypeName: "t", artifactCollectionName: "a", digest: "d"})
        { artifact { state } } }"""
    made = connect(wandb_server).query(mutation)
    assert made.value == {"createArtifact": {"artifact": {"state": "PENDING"}}}
    assert read_log(fetch(wandb_server, tmp_path)).artifacts == []


def test_a_file_of_an_artifact_that_is_damaged_is_refused(fetched: Fetched, tmp_path: Path) -> None:
    artifact = fetched.server.run("abc").artifacts["data:v1"]
    content = artifact.files["only-2.txt"]
    artifact.files["only-2.txt"] = b"damaged"
    try:
        with pytest.raises(ServerError, match=r"only-2.txt: the downloaded file has another MD5"):
            fetch(fetched.server, tmp_path)
    finally:
        artifact.files["only-2.txt"] = content
    export_logs([fetch(fetched.server, tmp_path)], tmp_path / "out")
    assert (tmp_path / "out/artifacts/data/only-2.txt").read_bytes() == content
