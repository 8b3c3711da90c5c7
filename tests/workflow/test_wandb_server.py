"""The stand-in for W&B, against the real SDK; and what it says of a client that errs."""

import base64
import gzip
import hashlib
import http.client
import json
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from projects import REPOSITORY, wait_for
from wandb_server import WandbServer

ONLINE = """
import json, os, sys, time
import numpy, wandb

settings = wandb.Settings(x_stats_sampling_interval=0.2, x_file_stream_transmit_interval=1)
with wandb.init(
    project="p", id="abc", name="one", group="g", job_type="train", tags=["x", "y"], notes="n",
    config={"lr": 0.1, "nest": {"a": 1}}, settings=settings,
) as run:
    for step in range(20):
        run.log({"loss": step / 7, "nest": {"x": step}})
    pixels = numpy.zeros((4, 4, 3), dtype=numpy.uint8)
    table = wandb.Table(columns=["a"], data=[[1], [2]])
    run.log({"image": wandb.Image(pixels), "table": table, "nan": float("nan")})
    print("printed")
    print("warned", file=sys.stderr)
    run.summary["best"] = 0.01
    with open("model.txt", "w") as file:
        file.write("weights")
    model = wandb.Artifact("model", "model", metadata={"k": 1})
    model.add_file("model.txt")
    model.add_reference("http://example.org/x", name="there", checksum=False)
    logged = run.log_artifact(model, aliases=["best"]).wait()
    while not wandb.Api().run("alice/p/abc").history(stream="system", pandas=False):
        time.sleep(0.2)

api = wandb.Api()
run = api.run("alice/p/abc")
files = {file.name: file for file in run.files(per_page=2)}
artifact = api.artifact("alice/p/model:best")
seen = {
    "waited": [logged.version, sorted(logged.aliases), logged.digest],
    "run": [run.state, run.name, run.group, run.job_type, run.notes],
    "changed later": [list(run.tags), dict(run.config)],
    "summary": [run.summary["best"], run.summary["nest"]["x"]],
    "sampled": [len(run.history(samples=5, pandas=False)), len(run.history(pandas=False))],
    "of keys": run.history(keys=["loss"], pandas=False)[1],
    "system": "system.proc.cpu.threads" in run.history(stream="system", pandas=False)[0],
    "scanned": [row["_step"] for row in run.scan_history(page_size=7)],
    "scanned keys": list(run.scan_history(keys=["loss", "nest.x"], page_size=7))[::19],
    "nan": list(run.scan_history(keys=["nan"])),
    "last": run.lastHistoryStep,
    "files": sorted(files),
    "log": run.file("output.log").download(root="log").read(),
    "metadata": run.metadata["program"],
    "logged": {one.name: [one.type, sorted(one.aliases)] for one in run.logged_artifacts()},
    "artifact": [artifact.metadata, artifact.size, sorted(artifact.manifest.entries)],
    "by": artifact.logged_by().id,
    "exists": [api.artifact_exists("alice/p/model:" + version) for version in ("v0", "v1")],
    "viewer": [api.viewer.username, api.viewer.teams, api.default_entity],
}
for one in run.logged_artifacts():
    if one.type == "run_table":
        os.environ["WANDB_CACHE_DIR"] = "empty"
        seen["table"] = os.listdir(one.download(root="table"))
api.create_project("made", "lab")
seen["projects"] = [[one.name for one in api.projects(entity)] for entity in ("alice", "lab")]
run.tags.append("z")
run.config["new"] = 5
run.notes = "changed"
run.summary["best"] = 7
run.update()
print(json.dumps(seen))
"""

SEVERAL = """
import json, os, wandb

def init(**settings):
    return wandb.init(project="p", settings=wandb.Settings(console="off"), **settings)

def refused(**settings):
    try:
        init(**settings).finish()
    except wandb.Error as error:
        return str(error)

seen = {}
with init(id="res", resume="allow", config={"a": 1}) as run:
    for step in range(5):
        run.log({"x": step})
    data = wandb.Artifact("data", "dataset")
    with data.new_file("d.txt") as file:
        file.write("d")
    run.log_artifact(data).wait()
with init(id="res", resume="must", config={"b": 2}) as run:
    seen["starting step"] = run.starting_step
    os.environ["WANDB_CACHE_DIR"] = "empty"
    seen["used"] = os.listdir(run.use_artifact("data:latest").download("data"))
    for step in range(5):
        run.log({"x": step})
    again = wandb.Artifact("data", "dataset")
    with again.new_file("d.txt") as file:
        file.write("d")
    seen["same"] = run.log_artifact(again, aliases=["again"]).wait().version
    other = wandb.Artifact("data", "dataset")
    with other.new_file("e.txt") as file:
        file.write("e")
    seen["other"] = run.log_artifact(other).wait().version
seen["absent"] = refused(id="none", resume="must")
seen["readers"] = refused(id="r1", entity="readers")
seen["nobody"] = refused(id="r2", entity="nobody")
with init(id="second", entity="lab") as run:
    run.log({"x": 1})

api = wandb.Api()
run = api.run("alice/p/res")
seen["artifacts"] = {one.name: sorted(one.aliases) for one in run.logged_artifacts()}
seen["inputs"] = [one.name for one in run.used_artifacts()]
api.run("lab/p/second").delete()
seen["left"] = [len(api.runs("lab/p")), len(api.runs("alice/p"))]
print(json.dumps(seen))
"""

OFFLINE = """
import sys, time, wandb

settings = wandb.Settings(x_transaction_log_flush_interval=0.2)
with wandb.init(
    project="p", id=sys.argv[1], mode="offline", group="g", config={"a": 1}, settings=settings
) as run:
    for step in range(20):
        run.log({"x": step})
        time.sleep(float(sys.argv[2]))
    print("printed")
    data = wandb.Artifact(run.id, "dataset")
    with data.new_file("d.txt") as file:
        file.write(run.id)
    run.log_artifact(data)
"""

FILTERS = """
import json, wandb

api = wandb.Api()
filters = {
    "group": {"group": "g1"},
    "job type": {"jobType": "eval"},
    "state": {"state": {"$ne": "finished"}},
    "tag": {"tags": "even"},
    "tags": {"tags": {"$in": ["odd", "none"]}},
    "config": {"config.seed": {"$gt": 3, "$lte": 5}},
    "config value": {"config.seed.value": 3},
    "nested": {"config.opt.lr": 0.5},
    "summary": {"summary_metrics.loss": {"$lt": 0.3}},
    "name": {"display_name": {"$regex": "^run [45]"}},
    "and": {"$and": [{"group": "g0"}, {"tags": "odd"}]},
    "or": {"$or": [{"config.seed": 0}, {"summary_metrics.loss": 0.5}]},
    "not": {"tags": {"$nin": ["odd"]}},
    "by id": {"name": {"$in": ["r1", "r2"]}},
    "missing": {"config.seed": {"$exists": False}},
}
seen = {key: [run.id for run in api.runs("lab/q", wanted)] for key, wanted in filters.items()}
for order in ("-created_at", "+summary_metrics.loss", "-config.seed"):
    seen[order] = [run.id for run in api.runs("lab/q", order=order, per_page=2)]
seen["lazy"] = [dict(run.summary) for run in api.runs("lab/q", {"group": "g1"}, lazy=False)]
seen["rows"] = list(api.run("lab/q/r1").scan_history())
try:
    len(api.runs("lab/none"))
except ValueError as error:
    seen["none"] = str(error)
print(json.dumps(seen))
"""

SWEEP = """
import json, wandb

def train():
    with wandb.init(settings=wandb.Settings(console="off")) as run:
        run.log({"loss": run.config.lr * run.config.n})

sweep_id = wandb.sweep({
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"lr": {"values": [0.1, 0.2]}, "n": {"min": 1, "max": 5}},
}, project="p")
wandb.agent(sweep_id, train, count=2, project="p")
sweep = wandb.Api().sweep(f"alice/p/{sweep_id}")
print(json.dumps({
    "runs": {run.id: [run.config, run.summary["loss"]] for run in sweep.runs},
    "best": sweep.best_run().summary["loss"],
    "state": sweep.state,
}))
"""

TROUBLED = """
import os, time, wandb

settings = wandb.Settings(console="off", x_file_stream_transmit_interval=1)
with wandb.init(project="p", id="abc", settings=settings) as run:
    for step in range(30):
        run.log({"x": step})
        while step == 9 and not os.path.exists("gone"):
            time.sleep(0.05)
"""


def run_client(server: WandbServer, folder: Path, program: str, *words: str) -> Any:
    """What a program printed last, as JSON."""
    done = subprocess.run(
        [sys.executable, "-c", program, *words],
        env=server.environment(folder),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=1200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("{")]
    return json.loads(lines[-1]) if lines else None


@contextmanager
def started(server: WandbServer, folder: Path, program: str, *words: str) -> Iterator[None]:
    """Run a program meanwhile; it must end well."""
    command = [sys.executable, "-c", program, *words]
    with subprocess.Popen(command, env=server.environment(folder), cwd=folder) as process:
        try:
            yield
            assert process.wait(300) == 0
        finally:
            process.kill()


def encoded(key: str) -> str:
    return base64.b64encode(f"api:{key}".encode()).decode()


def call(
    server: WandbServer,
    method: str,
    path: str,
    body: Any = None,
    key: str | None = None,
    **headers: str,
) -> tuple[int, Any]:
    """Status and answer of one request by hand."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    token = encoded(key or server.key)
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=60)
    connection.request(method, path, content, {"Authorization": f"Basic {token}"} | headers)
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text) if text.startswith((b"{", b"[")) else text


def ask(server: WandbServer, query: str, **variables: Any) -> Any:
    status, answer = call(server, "POST", "/graphql", {"query": query, "variables": variables})
    assert status == 200, answer
    return answer["data"]


def stream(server: WandbServer, run: str, **files: tuple[int, list[str]]) -> None:
    names = {"history": "wandb-history.jsonl", "summary": "wandb-summary.json"}
    parts = {names[key]: {"offset": at, "content": lines} for key, (at, lines) in files.items()}
    assert (
        call(server, "POST", f"/files/alice/project/{run}/file_stream", {"files": parts})[0] == 200
    )


def test_an_online_run_with_all_it_may_have(wandb_server: WandbServer, tmp_path: Path) -> None:
    seen = run_client(wandb_server, tmp_path, ONLINE)
    run = wandb_server.run("abc", project="p", entity="alice")

    assert (run.state, run.exit_code, run.display_name) == ("finished", 0, "one")
    assert (run.group, run.job_type, run.tags) == ("g", "train", ["x", "y", "z"])
    assert (run.config["lr"], run.config["new"], run.notes) == (0.1, 5, "changed")
    assert [row["_step"] for row in run.history] == list(range(21))
    assert run.summary["best"] == 7
    assert run.console[0].endswith(" printed")
    assert run.console[1].startswith("ERROR ") and run.console[1].endswith(" warned")
    assert run.artifacts["model:v0"].files == {"model.txt": b"weights"}
    assert sorted(run.artifacts["model:v0"].aliases) == ["best", "latest"]

    assert seen["waited"] == ["v0", ["best", "latest"], run.artifacts["model:v0"].digest]
    assert seen["run"] == ["finished", "one", "g", "train", "n"]
    assert seen["changed later"] == [["x", "y"], {"lr": 0.1, "nest": {"a": 1}}]
    assert seen["summary"] == [0.01, 19]
    assert seen["sampled"] == [5, 21]
    assert seen["of keys"] == {"_step": 1, "loss": 1 / 7}
    assert seen["system"]
    assert seen["scanned"] == list(range(21))
    assert [row["nest.x"] for row in seen["scanned keys"]] == [0, 19]
    assert seen["nan"] == [{"_step": 20, "nan": "NaN"}]
    assert seen["last"] == 20
    assert {"config.yaml", "output.log", "wandb-metadata.json"} < set(seen["files"])
    assert seen["files"] == sorted(run.files)
    assert "printed\nwarned\n" in seen["log"]
    assert seen["metadata"] == "<python with no main file>"
    assert seen["logged"]["model:v0"] == ["model", ["best", "latest"]]
    assert seen["artifact"] == [{"k": 1}, 7, ["model.txt", "there"]]
    assert (seen["by"], seen["exists"]) == ("abc", [True, False])
    assert seen["viewer"] == ["alice", ["lab", "readers"], "alice"]
    assert seen["table"] == ["table.table.json"]
    assert seen["projects"] == [["p"], ["made"]]


def test_runs_that_go_on_and_those_that_are_refused(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    seen = run_client(wandb_server, tmp_path, SEVERAL)
    run = wandb_server.run("res")

    assert [row["_step"] for row in run.history] == list(range(10))
    assert {"a": 1, "b": 2}.items() <= run.config.items()
    assert (seen["starting step"], seen["used"]) == (5, ["d.txt"])
    assert (seen["same"], seen["other"]) == ("v0", "v1")
    assert seen["artifacts"] == {"data:v0": ["again"], "data:v1": ["latest"]}
    assert seen["inputs"] == ["data:v0"]
    assert "does not exist" in seen["absent"]
    assert seen["readers"] == "permission denied to access readers/p during upsertBucket"
    assert "entity nobody not found during upsertBucket" in seen["nobody"]
    assert seen["left"] == [0, 1]
    assert [one.name for one in wandb_server.runs] == ["res"]


def test_offline_runs_are_delivered_by_both_kinds_of_sync(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    environment = wandb_server.environment(tmp_path)
    wandb = str(Path(sys.executable).with_name("wandb"))
    run_client(wandb_server, tmp_path, OFFLINE, "past", "0")
    assert wandb_server.requests == []
    with started(wandb_server, tmp_path, OFFLINE, "live", "0.1"):
        (past,) = tmp_path.rglob("offline-run-*-past")
        subprocess.run([wandb, "sync", past], env=environment, cwd=tmp_path, check=True)
        log = wait_for(lambda: list(tmp_path.rglob("offline-run-*-live/*.wandb")))[0]
        live = [wandb, "beta", "sync", "--live", log.parent]
        subprocess.run(live, env=environment, cwd=tmp_path, check=True)

    for name in ("past", "live"):
        run = wandb_server.run(name)
        assert (run.state, run.group, run.config["a"]) == ("finished", "g", 1)
        assert [row["x"] for row in run.history] == list(range(20))
        assert run.summary["x"] == 19
        assert [line.partition(" ")[2] for line in run.console] == ["printed"]
        assert run.artifacts[f"{name}:v0"].files == {"d.txt": name.encode()}


def test_runs_are_filtered_ordered_and_paged(wandb_server: WandbServer, tmp_path: Path) -> None:
    for number in range(6):
        wandb_server.add_run(
            f"r{number}",
            "q",
            "lab",
            rows=[{"loss": 1.0}, {"loss": number / 10}],
            config={"seed": number, "opt": {"lr": number / 2}} if number else {},
            state="finished" if number else "crashed",
            group=f"g{number % 2}",
            tags=["odd" if number % 2 else "even"],
            job_type="eval" if number == 2 else "train",
            display_name=f"run {number}",
        )
    seen = run_client(wandb_server, tmp_path, FILTERS)

    found = {key: "".join(names) for key, names in seen.items() if key[0] not in "lr-+n"}
    assert {key: names.replace("r", "") for key, names in found.items()} == {
        "group": "135",
        "job type": "2",
        "state": "0",
        "tag": "024",
        "tags": "135",
        "config": "45",
        "config value": "3",
        "summary": "012",
        "and": "",
        "or": "5",
        "by id": "12",
        "missing": "0",
    }
    assert (seen["nested"], seen["name"], seen["not"]) == (["r1"], ["r4", "r5"], ["r0", "r2", "r4"])
    assert seen["-created_at"] == ["r5", "r4", "r3", "r2", "r1", "r0"]
    assert seen["+summary_metrics.loss"] == ["r0", "r1", "r2", "r3", "r4", "r5"]
    assert seen["-config.seed"][-5:] == ["r5", "r4", "r3", "r2", "r1"]
    assert seen["lazy"][0] == {"_step": 1, "loss": 0.1}
    assert seen["rows"] == [{"_step": 0, "loss": 1.0}, {"_step": 1, "loss": 0.1}]
    assert seen["none"] == "Could not find project none"


def test_a_sweep_hands_out_its_trials(wandb_server: WandbServer, tmp_path: Path) -> None:
    seen = run_client(wandb_server, tmp_path, SWEEP)

    assert len(seen["runs"]) == 2
    for config, loss in seen["runs"].values():
        assert config["lr"] in (0.1, 0.2) and config["n"] in range(1, 6)
        assert loss == pytest.approx(config["lr"] * config["n"])
    assert seen["best"] == min(loss for _, loss in seen["runs"].values())
    assert seen["state"] == "RUNNING"


def test_a_grid_ends(wandb_server: WandbServer) -> None:
    config = json.dumps(
        {"method": "grid", "parameters": {"a": {"values": [1, 2]}, "b": {"value": 3}}}
    )
    made = ask(
        wandb_server,
        'mutation($config: String) { upsertSweep(input: {config: $config, projectName: "p"})'
        " { sweep { name } } }",
        config=config,
    )
    agent = ask(
        wandb_server,
        'mutation($sweep: String!) { createAgent(input: {host: "h", sweep: $sweep,'
        ' projectName: "p"}) { agent { id } } }',
        sweep=made["upsertSweep"]["sweep"]["name"],
    )["createAgent"]["agent"]["id"]
    beat = "mutation($id: ID!) { agentHeartbeat(input: {id: $id}) { commands } }"
    commands = [
        json.loads(ask(wandb_server, beat, id=agent)["agentHeartbeat"]["commands"])[0]
        for _ in range(3)
    ]
    assert [command.get("args") for command in commands] == [
        {"a": {"value": 1}, "b": {"value": 3}},
        {"a": {"value": 2}, "b": {"value": 3}},
        None,
    ]
    assert commands[2] == {"type": "exit"}


def test_a_client_outlasts_faults_and_a_server_that_is_gone(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    wandb_server.fail("UpsertBucket", drop="after", times=1)
    with started(wandb_server, tmp_path, TROUBLED):
        wait_for(lambda: any(len(run.history) > 3 for run in wandb_server.runs))
        wandb_server.stop()
        with pytest.raises(ConnectionRefusedError):
            call(wandb_server, "GET", "/")
        (tmp_path / "gone").touch()
        assert len(wandb_server.run("abc").history) <= 10
        wandb_server.fail("file_stream", drop="after", times=1)
        wandb_server.fail("file_stream", 503, times=1)
        wandb_server.start()
    assert wandb_server.run("abc").state == "finished"
    assert [row["x"] for row in wandb_server.run("abc").history] == list(range(30))


def test_faults_strike_when_they_are_to(wandb_server: WandbServer) -> None:
    wandb_server.add_run("abc")
    query = {"query": "query Viewer { viewer { id } }"}
    wandb_server.fail("^POST /graphql Viewer$", 429, after=1, times=2, headers={"Retry-After": "1"})
    assert [call(wandb_server, "POST", "/graphql", query)[0] for _ in range(4)] == [
        200,
        429,
        429,
        200,
    ]
    wandb_server.fail("graphql", 500, message="broken")
    assert call(wandb_server, "POST", "/graphql", query) == (
        500,
        {"errors": [{"message": "broken"}]},
    )
    wandb_server.heal()
    wandb_server.fail("graphql", delay=0.3)
    started = time.monotonic()
    assert call(wandb_server, "POST", "/graphql", query)[0] == 200
    assert time.monotonic() - started > 0.3
    wandb_server.heal()

    line = {"files": {"wandb-history.jsonl": {"offset": 0, "content": ['{"_step": 0}']}}}
    for drop, rows in ((True, 0), ("after", 1)):
        wandb_server.fail("file_stream", drop=drop, times=1)
        with pytest.raises(http.client.RemoteDisconnected):
            call(wandb_server, "POST", "/files/alice/project/abc/file_stream", line)
        assert len(wandb_server.run("abc").history) == rows
    assert wandb_server.requests[-1] == "POST /files/alice/project/abc/file_stream"
    assert wandb_server.requests[0] == "POST /graphql Viewer"


def test_a_zipped_body_is_read(wandb_server: WandbServer) -> None:
    body = gzip.compress(b'{"query": "query Viewer { viewer { username } }"}')
    coded = {"Content-Encoding": "gzip"}
    answer = call(wandb_server, "POST", "/graphql", body, **coded)
    assert answer == (200, {"data": {"viewer": {"username": "alice"}}})


def test_the_server_runs_by_hand(tmp_path: Path) -> None:
    command = [sys.executable, str(REPOSITORY / "tests/support/wandb_server")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as process:
        settings = dict(word.split("=") for word in process.stdout.readline().split()[1:])
        request = urllib.request.Request(
            settings["WANDB_BASE_URL"] + "/graphql",
            b'{"query": "query Q { nothing }"}',
            {"Authorization": f"Basic {encoded(settings['WANDB_API_KEY'])}"},
        )
        with pytest.raises(urllib.error.HTTPError, match="400") as refused:
            urllib.request.urlopen(request)
        refused.value.close()
        assert process.stdout.readline() == "POST /graphql Q\n"
        process.send_signal(signal.SIGINT)
        assert process.stdout.read() == "Q: Cannot query field 'nothing' on type 'Query'.\n"
    assert process.returncode == 0


def test_who_may_do_what(wandb_server: WandbServer) -> None:
    wandb_server.add_run("abc", "q", "others")
    wandb_server.add_run("abc", "q", "readers")
    query = 'query($entity: String) { project(name: "q", entityName: $entity) { runCount } }'

    body = {"query": "{ viewer { id } }"}
    denied = {"errors": [{"message": "user is not logged in"}]}
    assert call(wandb_server, "POST", "/graphql", body, key="x" * 40) == (401, denied)
    assert call(wandb_server, "POST", "/files/alice/q/abc/file_stream", {}, key="x" * 40)[0] == 401
    assert ask(wandb_server, query, entity="others") == {"project": None}
    assert ask(wandb_server, query, entity="alice") == {"project": None}
    assert ask(wandb_server, query, entity="readers") == {"project": {"runCount": 1}}
    assert call(wandb_server, "POST", "/files/readers/q/abc/file_stream", {})[0] == 403
    assert call(wandb_server, "POST", "/files/alice/q/none/file_stream", {})[0] == 404


def test_the_queries_of_our_own_client(wandb_server: WandbServer) -> None:
    lines = ['{"_step": 0, "a": 1.0}', '{"a":2,"_step":1}', '{"_step": 5, "a": NaN}']
    run = wandb_server.add_run(
        "abc", config={"lr": 0.1}, files={"wandb-metadata.json": b'{"os": "L"}'}
    )
    stream(wandb_server, "abc", history=(0, lines), summary=(0, ['{"a":1e5}']))
    before = run.updated_at
    stream(wandb_server, "abc", summary=(0, ['{"a":1e5}']))
    assert run.updated_at > before

    found = ask(
        wandb_server,
        """query($filters: JSONString) { project(name: "project", entityName: "alice") {
            id runCount(filters: $filters)
            runs(first: 10, filters: $filters, order: "+created_at") {
            edges { cursor node {
                id name displayName state createdAt updatedAt heartbeatAt config summaryMetrics
                historyLineCount eventsLineCount logLineCount tags notes group jobType sweepName
                host commit historyKeys github
                runInfo { program args os python gpu cpuCount codePath }
                files(first: 5, names: ["wandb-metadata.json"]) {
                    edges { node { name url sizeBytes md5 directUrl } } }
                outputArtifacts(first: 5) { edges { node {
                    metadata digest aliases { alias } currentManifest { file { directUrl } } } } }
            } } pageInfo { hasNextPage endCursor } } } }""",
        filters='{"config.lr": 0.1}',
    )["project"]
    node = found["runs"]["edges"][0]["node"]
    assert (found["runCount"], node["summaryMetrics"], node["historyLineCount"]) == (
        1,
        '{"a":1e5}',
        3,
    )
    assert node["historyKeys"]["lastStep"] == 5
    assert node["runInfo"]["os"] == "L"
    file = node["files"]["edges"][0]["node"]
    assert call(wandb_server, "GET", file["url"])[1] == {"os": "L"}
    assert file["md5"] == base64.b64encode(hashlib.md5(b'{"os": "L"}').digest()).decode()

    rows = """query($min: Int64!, $max: Int64!, $size: Int!) {
        project(name: "project", entityName: "alice") {
        run(name: "abc") { history(minStep: $min, maxStep: $max, samples: $size) } } }"""

    def history(low: int, high: int, size: int) -> list[str]:
        return ask(wandb_server, rows, min=low, max=high, size=size)["project"]["run"]["history"]

    assert history(0, 100, 100) == lines
    assert history(0, 5, 100) == lines[:2]
    assert history(0, 6, 1) == lines[:1]


def test_a_client_that_errs_is_told_of(wandb_server: WandbServer) -> None:
    wandb_server.add_run("abc")
    upsert = """mutation M($config: JSONString) {
        upsertBucket(input: {name: "abc", modelName: "project", config: $config}) { inserted } }"""
    for body in (
        {"query": "query Q { viewer { nothing } }"},
        {"query": "query Q { viewer(a: 1) { id } }"},
        {"query": "query Q { unknown }"},
        {"query": "query Q {"},
        {"query": upsert, "variables": {"config": "{"}},
        {"query": 'query Q { project(name: "project") { runCount(filters: "{\\"x\\": 1}") } }'},
    ):
        assert call(wandb_server, "POST", "/graphql", body)[0] == 400
    stream(wandb_server, "abc", history=(0, ['{"_step":0}', '{"_step":1}']))
    stream(wandb_server, "abc", history=(1, ['{"_step":1}', '{"_step":2}']))
    assert len(wandb_server.problems) == 6
    stream(wandb_server, "abc", history=(1, ['{"_step":7}']))
    stream(wandb_server, "abc", history=(9, ['{"_step":9}']))
    stream(wandb_server, "abc", history=(4, ["{"]), summary=(0, ["{"]))
    call(wandb_server, "GET", "/nowhere")

    noted = "\n".join(wandb_server.problems)
    for problem in (
        "Q: Cannot query field 'nothing' on type 'User'.",
        "Q: Unknown argument 'a' on field 'Query.viewer'.",
        "Q: Cannot query field 'unknown' on type 'Query'.",
        "Syntax Error",
        "M: Variable '$config' has invalid value",
        "Q: x is nothing to filter or order runs by",
        "alice/project/abc: wandb-history.jsonl was sent again from line 1 on, but changed",
        "alice/project/abc: wandb-history.jsonl goes on at line 9, but 3 are held",
        "alice/project/abc: wandb-history.jsonl has a line that isn't JSON",
        "alice/project/abc: wandb-summary.json has a line that isn't JSON",
        "GET /nowhere is no address of W&B's",
    ):
        assert problem in noted
    assert len(wandb_server.problems) == 11
    wandb_server.problems.clear()


def test_a_step_that_comes_twice_is_told_of(wandb_server: WandbServer) -> None:
    wandb_server.add_run("abc")
    stream(wandb_server, "abc", history=(0, ['{"_step":0}', '{"_step":1}']))
    stream(wandb_server, "abc", history=(2, ['{"_step":1,"a":2}']))
    assert wandb_server.doubled == ["alice/project/abc: step 1"]
    wandb_server.doubled.clear()


def test_an_artifact_that_isnt_whole_is_told_of(wandb_server: WandbServer) -> None:
    wandb_server.add_run("abc")
    right = base64.b64encode(hashlib.md5(b"right").digest()).decode()
    made = ask(
        wandb_server,
        """mutation { createArtifact(input: {entityName: "alice", projectName: "project",
        runName: "abc", artifactTypeName: "t", artifactCollectionName: "a", digest: "d"})
        { artifact { id state } } }""",
    )["createArtifact"]["artifact"]
    assert made["state"] == "PENDING"
    manifest = ask(
        wandb_server,
        """mutation($id: ID!) { createArtifactManifest(input: {artifactID: $id, name: "m",
        digest: "wrong", entityName: "alice", projectName: "project", runName: "abc"})
        { artifactManifest { file { uploadUrl } } } }""",
        id=made["id"],
    )["createArtifactManifest"]["artifactManifest"]["file"]["uploadUrl"]
    (edge,) = ask(
        wandb_server,
        """mutation($files: [CreateArtifactFileSpecInput!]!) {
        createArtifactFiles(input: {artifactFiles: $files})
        { files { edges { node { uploadUrl uploadHeaders } } } } }""",
        files=[{"artifactID": made["id"], "name": "f", "md5": right}],
    )["createArtifactFiles"]["files"]["edges"]
    assert edge["node"]["uploadHeaders"] == [f"Content-MD5: {right}"]
    call(wandb_server, "PUT", edge["node"]["uploadUrl"], b"wrong")
    contents = {"f": {"digest": right, "size": 5}, "g": {"digest": right, "size": 5}}
    call(wandb_server, "PUT", manifest, {"contents": contents})
    commit = "mutation($id: ID!) { commitArtifact(input: {artifactID: $id}) { artifact { id } } }"
    ask(wandb_server, commit, id=made["id"])

    assert [problem.partition(" ")[2] for problem in wandb_server.problems] == [
        "hasn't the md5 that was declared",
        "hasn't the md5 that was declared",
        "the digest isn't that of the manifest's entries",
        "the manifest has another digest of f",
        "it was committed without g",
    ]
    wandb_server.problems.clear()
