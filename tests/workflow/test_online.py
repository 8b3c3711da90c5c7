"""Runs on a W&B server: live, synced, made elsewhere, and the same as offline in every way."""

import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import yaml
from caduceus.exports.equality import differences
from caduceus.project.project import load_project
from online import account, caduceus
from own_ca import make_ca
from projects import CONFIG, EXPORTS, ONE_RUN, Project, end, wait_for
from wandb_server import WandbServer

SLOW = """
    Path(os.environ["CADUCEUS_OUTPUT_DIR"], "begun").touch()
    while step == 2 and not (Path(os.environ["CADUCEUS_PROJECT_DIR"]) / "go").exists():
        time.sleep(0.05)
"""


def go_online(project: Project, **settings: object) -> None:
    wandb = {"project": "tests", "mode": "online", **settings}
    project.change("config.yaml", wandb=wandb, paper={})


def slow_down(project: Project) -> None:
    """The program waits after two steps until the test makes the file `go`."""
    project.replace("experiments/train.py", "import argparse", "import argparse\nimport time")
    project.replace(
        "experiments/train.py",
        "for step in range(5):",
        "for step in range(5):" + SLOW,
    )


@pytest.mark.parametrize(
    "scratch",
    [
        pytest.param(None, id="at home", marks=pytest.mark.soak),
        pytest.param("$HOST_DISK", id="on scratch"),
    ],
)
def test_an_online_run_is_seen_while_it_runs_and_equals_the_offline_one(
    project: Project, tmp_path: Path, wandb_server: WandbServer, scratch: str | None
) -> None:
    (tmp_path / "disk").mkdir()
    go_online(project, scratch=scratch)
    project.change("experiments/toy.yaml", **ONE_RUN, tags=["mine"], description="Some notes.")
    slow_down(project)
    variables = account(wandb_server, project) | {"HOST_DISK": str(tmp_path / "disk")}
    snakemake = project.begin(*project.command("--cores", "2"), **variables)
    wait_for(lambda: any(len(run.history) >= 2 for run in wandb_server.runs))
    (run,) = wandb_server.runs
    assert run.state == "running"
    assert len(list((tmp_path / "disk").iterdir())) == (0 if scratch is None else 1)
    assert len(run.history) < 5
    project.write("go", "")
    output = end(snakemake).check().output

    (path,) = project.runs
    identity = json.loads((path / "run.json").read_text())
    assert (run.name, run.state, len(run.history)) == (path.name, "finished", 5)
    assert identity["url"] == f"{wandb_server.url}/alice/tests/runs/{path.name}"
    assert (run.group, run.job_type, run.notes) == ("baseline", "train", "Some notes.")
    assert (run.display_name, run.tags) == (identity["name"], identity["tags"])
    assert "mine" in run.tags
    assert identity["config"].items() <= run.config.items()
    logged = {name.rpartition(":")[0]: artifact for name, artifact in run.artifacts.items()}
    uploads = json.loads((path / "upload.json").read_text())["artifacts"]
    assert {name: artifact.digest for name, artifact in logged.items()} == {
        name: artifact["digest"] for name, artifact in uploads.items() if not artifact["is_used"]
    }
    delivery = json.loads((path / "work/delivery.json").read_text())
    assert (delivery["state"], delivery["differences"]) == ("delivered", [])
    assert caduceus(project, wandb_server, "verify", "--equal", path.name).check().output == (
        f"{path.name}: equal, byte for byte\n"
    )
    assert project.planned() == {}
    assert_secret(wandb_server.key, project, output)

    # Offline, nothing else differs.
    shutil.copytree(project.path, tmp_path / "offline", ignore=lambda *_: ["results", ".snakemake"])
    offline = Project(tmp_path / "offline")
    offline.change("config.yaml", wandb={"project": "tests"})
    offline.snakemake(f"results/runs/{path.name}/manifest.json").check()
    assert differences(path, offline.runs[0], with_times=False) == [
        "entity: alice here, nothing on the server"
    ]


def assert_secret(key: str, project: Project, output: str) -> None:
    assert key not in output
    for path in project.path.rglob("*"):
        if path.is_file():
            assert key.encode() not in path.read_bytes(), path


def test_a_wrong_account_stops_everything_before_anything_trains(
    project: Project, wandb_server: WandbServer
) -> None:
    go_online(project)
    done = project.snakemake(**account(wandb_server, project) | {"WANDB_API_KEY": "short"})

    assert done.code != 0
    assert "the API key has 5 characters" in done.line("caduceus check-account: ")
    assert not list(project.path.glob("results/runs/*/work/attempts"))


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"WANDB_API_KEY": ""}, "no API key for"),
        ({"WANDB_API_KEY": "x" * 40}, "doesn't know the API key from WANDB_API_KEY"),
        ({"WANDB_ENTITY": "nobody"}, "allowed: alice, lab, readers"),
        ({"WANDB_ENTITY": "readers"}, "permission denied"),
        ({"WANDB_BASE_URL": "http://127.0.0.1:9"}, "can't be reached: Connection refused"),
    ],
)
def test_a_wrong_account_is_one_line(
    project: Project, wandb_server: WandbServer, variables: dict[str, str], message: str
) -> None:
    words = ("check-account", "tests", "--out", "results/account.json")
    environment = account(wandb_server, project) | variables
    done = project.run(sys.executable, "-m", "caduceus", *words, **environment)

    assert done.code == 1
    assert message in done.line("caduceus check-account: ")
    assert not (project.path / "results/account.json").exists()
    assert_secret(variables.get("WANDB_API_KEY") or "x" * 40, project, done.output)


def test_a_server_that_dies_costs_nothing_and_sync_brings_the_rest(
    project: Project, wandb_server: WandbServer
) -> None:
    go_online(project, patience_s=2)
    project.change("experiments/toy.yaml", **ONE_RUN)
    slow_down(project)
    variables = account(wandb_server, project)
    snakemake = project.begin(*project.command("--cores", "2"), **variables)
    wait_for(lambda: any(len(run.history) >= 2 for run in wandb_server.runs))
    wandb_server.stop()
    project.write("go", "")
    output = end(snakemake).check().output

    (path,) = project.runs
    assert f"not on the server yet: {path.name}" in output
    assert (path / "metrics_history.csv").read_text().count("\n") == 6
    wandb_server.start()
    synced = project.snakemake("sync", **variables).check()
    assert "synced, and equal on both sides: 1" in synced.output
    (run,) = wandb_server.runs
    assert [row["_step"] for row in run.history] == [0, 1, 2, 3, 4]
    assert run.state == "finished"
    assert project.planned() == {}


def test_a_run_that_crashes_and_is_tried_again_is_one_run_there(
    project: Project, wandb_server: WandbServer
) -> None:
    go_online(project)
    project.change("config.yaml", retries=1)
    project.change("experiments/toy.yaml", seeds=[0, 1], matrix={"rate": [0.1]})
    project.replace(
        "experiments/train.py",
        "for step in range(5):",
        """seen = Path(os.environ["CADUCEUS_CHECKPOINT_DIR"], "seen")
for step in range(5):
    if step == 3 and (options.seed == 1 or not seen.exists()):
        seen.touch()
        raise SystemExit("crash")""",
    )
    done = project.snakemake(**account(wandb_server, project))
    assert done.code != 0  # since the run with seed 1 fails again
    # A second attempt has system metrics of its own, in the places of the first one's.
    wandb_server.problems[:] = [p for p in wandb_server.problems if "wandb-events" not in p]

    for path in project.runs:
        stored = wandb_server.run(path.name)
        train = json.loads((path / "train.json").read_text())
        delivery = json.loads((path / "work/delivery.json").read_text())
        assert len(train["attempts"]) == 2
        assert (delivery["state"], delivery["differences"]) == ("delivered", [])
        assert stored.state == train["state"]
        rows = 5 if train["state"] == "finished" else 3
        assert [row["_step"] for row in stored.history] == list(range(rows))


def test_sync_delivers_offline_runs_once_and_says_what_differs(
    finished: Project, wandb_server: WandbServer
) -> None:
    variables = account(wandb_server, finished)
    finished.snakemake("sync", **variables).check()
    assert sorted(run.name for run in wandb_server.runs) == [run.name for run in finished.runs]
    assert {(run.state, len(run.history)) for run in wandb_server.runs} == {("finished", 5)}

    wandb_server.requests.clear()
    assert (
        "synced, and equal on both sides: 4"
        in caduceus(finished, wandb_server, "sync").check().output
    )
    assert len(wandb_server.requests) <= 4  # nothing is sent or compared again
    assert finished.planned() == {}

    elsewhere = Project(finished.path / "data")
    assert caduceus(elsewhere, wandb_server, "sync").line() == (
        "caduceus sync: results/runs: no such folder; work in a project that has runs"
    )
    run = wandb_server.runs[0]
    run.history_lines[3] = run.history_lines[3].replace('"val/loss":0.25', '"val/loss":0.75')
    run.tags.append("new")
    checked = caduceus(finished, wandb_server, "verify", "--equal", run.name)
    assert checked.code == 1
    assert (
        f"{run.name}: metrics_history.csv: 1 values differ, the first is val/loss at _step 3: "
        "0.25 here, 0.75 on the server" in checked.output
    )

    # A server that has lost the first rows takes none before its last one.
    other = wandb_server.runs[1]
    del other.history_lines[:2], other.steps[:2]
    other.updated_at = wandb_server.store.now()
    page = f"{wandb_server.url}/alice/{other.project.name}/runs/{other.name}"
    again = caduceus(finished, wandb_server, "sync", other.name)
    assert again.code == 1
    assert (
        f"{other.name}: differs: the server has lost 2 rows of {other.name}, from _step 0 to 1, "
        "and takes none before its last one, at _step 4; all are here. To mend it, delete the run "
        f"on {page}, or," in again.output
    )
    del other.project.runs[other.name]
    caduceus(finished, wandb_server, "sync", other.name).check()
    assert [row["_step"] for row in wandb_server.run(other.name).history] == list(range(5))


def test_a_custom_ca_needs_one_setting(finished: Project, tmp_path: Path) -> None:
    ca, context = make_ca(tmp_path)
    with WandbServer(tls=context) as server:
        name = finished.runs[0].name
        unset = {"REQUESTS_CA_BUNDLE": "", "SSL_CERT_FILE": "", "CURL_CA_BUNDLE": ""}
        words = sys.executable, "-m", "caduceus", "sync", name
        variables = account(server, finished) | unset
        refused = finished.run(*words, **variables)
        assert refused.line() == (
            f"caduceus sync: {server.url}/graphql: can't be reached: its certificate isn't trusted "
            "(unable to get local issuer certificate); set REQUESTS_CA_BUNDLE to the file of the "
            "CA that signed it"
        )
        for setting in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE"):
            done = finished.run(*words, **variables | {setting: str(ca)}).check()
            assert "synced, and equal on both sides: 1" in done.output
            assert len(server.run(name).history) == 5
            server.store.projects.clear()
        assert server.problems == []


def test_what_is_set_for_wandb_elsewhere_changes_no_step(
    finished: Project, wandb_server: WandbServer
) -> None:
    caduceus(finished, wandb_server, "sync").check()
    for run in wandb_server.runs:
        del run.history_lines[2:], run.steps[2:]
        run.updated_at = "2100-01-01T00:00:00Z"
    wrong = {"WANDB_RESUME": "allow", "WANDB_RUN_ID": "x", "WANDB_MODE": "disabled"}
    variables = account(wandb_server, finished) | wrong | {"WANDB_PROJECT": "y", "WANDB_TAGS": "z"}
    finished.run(sys.executable, "-m", "caduceus", "sync", **variables).check()
    for run in wandb_server.runs:
        assert [row["_step"] for row in run.history] == [0, 1, 2, 3, 4]
    assert {run.project.name for run in wandb_server.runs} == {"tests"}


def test_a_moved_project_is_delivered_whole_and_nothing_false(
    project: Project, wandb_server: WandbServer
) -> None:
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.replace(
        "experiments/train.py", "run = wandb.init()", "run = wandb.init()\nrun.tags += ('own',)"
    )
    project.snakemake(*EXPORTS).check()
    moved = Project(project.path.rename(project.path.with_name("moved")))
    data = moved.path / "data/points.csv"
    right = data.read_text()
    data.write_text("x,y\n9,9\n")
    done = caduceus(moved, wandb_server, "sync")
    assert done.code == 1
    changed = "dataset-points can't be uploaded: data/points.csv has changed since it was logged"
    assert changed in done.output
    assert not any("dataset" in name for name in wandb_server.runs[0].artifacts)

    data.write_text(right)
    caduceus(moved, wandb_server, "sync").check()
    (run,) = wandb_server.runs
    assert [artifact.type for artifact in run.used] == ["dataset"]
    assert "own" in run.tags
    (path,) = moved.runs
    assert "own" in json.loads((path / "run_summary.json").read_text())["tags"]
    caduceus(moved, wandb_server, "verify", "--equal", path.name).check()


@pytest.mark.parametrize("times", [3, pytest.param(30, marks=pytest.mark.soak)])
def test_a_sync_killed_at_any_moment_neither_loses_nor_doubles_a_row(
    finished: Project, wandb_server: WandbServer, times: int
) -> None:
    variables = account(wandb_server, finished)
    wandb_server.fail("", delay=0.03)  # so that there are moments to be killed in
    helpers: list[psutil.Process] = []
    for attempt in range(times):
        sync = finished.begin(sys.executable, "-m", "caduceus", "sync", **variables)
        time.sleep(0.7 + 1.5 * attempt / times)
        helpers += psutil.Process(sync.pid).children(recursive=True)
        sync.send_signal(signal.SIGKILL)
        end(sync)
    wandb_server.heal()
    assert not psutil.wait_procs(helpers, timeout=1200)[1]
    wandb_server.stop()  # once what was on its way is taken
    wandb_server.start()
    caduceus(finished, wandb_server, "sync").check()

    for run in wandb_server.runs:
        assert [row["_step"] for row in run.history] == [0, 1, 2, 3, 4]
    assert len(wandb_server.runs) == 4


def test_a_watch_brings_the_runs_of_nodes_without_a_network(
    project: Project, wandb_server: WandbServer
) -> None:
    project.change("experiments/toy.yaml", **ONE_RUN)
    slow_down(project)
    (project.path / "results/runs").mkdir(parents=True)
    watch = project.begin(
        *(sys.executable, "-m", "caduceus", "sync", "--watch"),
        **account(wandb_server, project),
    )
    try:
        snakemake = project.begin(*project.command("--cores", "2", *EXPORTS))  # knows no account
        wait_for(lambda: any(len(run.history) >= 2 for run in wandb_server.runs))
        assert wandb_server.runs[0].state == "running"
        project.write("go", "")
        end(snakemake).check()
        (path,) = project.runs
        wait_for((path / "work/delivery.json").exists)
        wait_for(lambda: '"delivered"' in (path / "work/delivery.json").read_text())
    finally:
        watch.send_signal(signal.SIGTERM)
        output = end(watch).output
    assert f"{path.name}: synced" in output
    assert wandb_server.runs[0].state == "finished"
    assert [row["_step"] for row in wandb_server.runs[0].history] == [0, 1, 2, 3, 4]


def test_a_watch_leaves_damaged_runs_out_and_names_them_at_its_end(
    finished: Project, wandb_server: WandbServer
) -> None:
    first, second, *others = (run.name for run in finished.runs)
    damaged = [
        finished.path / "results/runs" / first / "train.json",
        finished.path / "results/runs" / second / "run.json",
    ]
    content = damaged[0].read_bytes()

    def sent() -> set[str]:
        return {run.name for run in wandb_server.runs}

    for path in damaged:
        path.write_text("{")
    watch = finished.begin(
        *(sys.executable, "-m", "caduceus", "sync", "--watch"),
        **account(wandb_server, finished),
    )
    try:
        wait_for(lambda: watch.poll() or sent() >= {*others})
        damaged[0].write_bytes(content)  # mended while the watch goes on
        wait_for(lambda: watch.poll() or sent() >= {first, *others})
    finally:
        watch.send_signal(signal.SIGTERM)
        done = end(watch)
    assert done.code == 3
    for path in damaged:
        where = path.relative_to(finished.path)
        assert done.output.count(f"{path.parent.name}: left out: {where}: not JSON") == 1
    assert f"left out, as its files are damaged: {second}" in done.output.splitlines()
    assert f"left out, as its files are damaged: {first}" not in done.output
    assert len(wandb_server.runs) == len(finished.runs) - 1


@pytest.mark.parametrize(
    ("refused", "why"),
    [
        pytest.param("file_stream", "pending: ", id="rows"),
        pytest.param("Viewer|Models|Project", "no such rights", id="access"),
    ],
)
def test_a_watch_of_a_run_that_can_not_be_sent_fails_and_says_which_and_why(
    finished: Project, wandb_server: WandbServer, refused: str, why: str
) -> None:
    first = finished.runs[0].name
    watch = ("sync", "--patience", "1", "--watch", first)
    wandb_server.fail(refused, 403, message="no such rights")
    failed = caduceus(finished, wandb_server, *watch)
    assert failed.code == 1
    watched, line = failed.output.splitlines()
    assert watched.startswith("watching ")
    assert line.startswith(f"caduceus sync: {first}: ")
    assert why in line
    wandb_server.heal()
    caduceus(finished, wandb_server, *watch).check()
    assert [run.name for run in wandb_server.runs] == [first]


def test_a_run_of_a_server_that_can_not_be_exported_ends_no_other(
    project: Project, wandb_server: WandbServer
) -> None:
    names = ["a", "b", "c", "d"]
    made = [wandb_server.add_run(name, "p", "alice", rows=[{"loss": 1}]) for name in names]
    made[0].config_text = "{"
    made[1].files = {"media/../../../up.txt": b"x", "media/x.txt": b"x"}
    project.change("config.yaml", export={"projects": [{"project": "alice/p"}]})
    variables = account(wandb_server, project)
    project.snakemake("refresh", **variables).check()
    target = "results/projects/alice/p/groups/ungrouped/runs.csv"
    done = project.snakemake(target, **variables)
    assert done.code != 0
    lines = done.output.splitlines()
    (failed,) = [line for line in lines if line.startswith("caduceus export-server-run: a: ")]
    assert "project.run.config" in failed and "not JSON" in failed
    (listed,) = [line for line in lines if line.startswith("failed: export_server_run a: ")]
    assert "project.run.config" in listed and listed.endswith("export_server_run/alice/p/a.log")
    assert "Traceback" not in done.output
    assert "b: left out, as it can't name a file: 'media/../../../up.txt'" in done.output
    runs = project.path / "results/projects/alice/p/runs"
    assert [path.parent.name for path in sorted(runs.glob("*/manifest.json"))] == names[1:]
    assert (runs / "b/media/x.txt").read_text() == "x"
    assert not list(project.path.rglob("up.txt"))


def test_runs_made_elsewhere_make_the_same_paper_without_training(
    finished: Project, tmp_path: Path, wandb_server: WandbServer
) -> None:
    caduceus(finished, wandb_server, "sync").check()
    other = Project.create(tmp_path / "other/project")
    other.change(
        "config.yaml",
        export={"source": "api", "projects": [{"project": "alice/tests", "groups": ["baseline"]}]},
        paper={"tables": CONFIG["paper"]["tables"]},
    )
    variables = account(wandb_server, other)
    refreshed = other.snakemake("refresh", **variables).check()
    assert "changed on the server: 8 of 8 runs" in refreshed.output
    other.snakemake(**variables).check()

    table = "results/paper/tables/accuracy.md"
    assert (other.path / table).read_text() == (finished.path / table).read_text()
    assert not list(other.path.glob("results/runs/*/train.json"))
    for here, there in zip(finished.runs, other.runs, strict=True):
        assert differences(here, there) == []
    project = other.path / "results/projects/alice/tests"
    assert (project / "groups/baseline/runs.csv").read_text().count("\n") == 5
    assert len(list(project.glob("runs/*/artifacts/model-*/model.txt"))) == 4
    # A year later, without the server: nothing is asked for again.
    assert other.planned() == {}
    (other.path / table).unlink()
    other.snakemake("archive").check()
    assert (other.path / table).exists()
    checked = other.caduceus("check-archive", "results/archive/tests.zip").check().output
    assert "the same: derived/projects/alice/tests/groups/baseline/runs.csv" in checked
    assert "results/archive/tests.zip: whole, and its paper is rebuilt byte for byte" in checked

    changed = wandb_server.runs[0]
    changed.tags.append("seen")
    changed.updated_at = "2100-01-01T00:00:00Z"
    assert "changed on the server: 2 of 8 runs" in other.snakemake("refresh", **variables).output
    assert other.planned() == {
        "export_fetched_run": 1,
        "export_server_run": 1,
        "export_group": 1,
        "export_server_group": 1,
        "make_table": 1,
        "sum_compute": 1,
        "record_provenance": 1,
        "fill_checklist": 1,
        "make_report": 1,
        "report_failures": 1,
    }
    changed.state = "failed"
    changed.updated_at = "2100-01-02T00:00:00Z"
    other.snakemake("refresh", **variables).check()
    done = other.snakemake(**variables)
    assert done.code != 0
    assert f"failed: {changed.name}: it failed where it was run" in done.output


def test_what_a_program_reported_is_the_same_on_the_server(
    project: Project, tmp_path: Path, wandb_server: WandbServer
) -> None:
    reports = """run.config.update({"width": 2}, allow_val_change=True)
run.config["own"] = {"a": {"b": 1}}
run.notes = "Half the width."
run.finish()"""
    project.replace("experiments/train.py", "run.finish()", reports)
    go_online(project)
    project.change("experiments/toy.yaml", **ONE_RUN, description="A toy.")
    variables = account(wandb_server, project)
    project.snakemake(**variables).check()
    (here,) = project.runs
    assert project.read_json(f"results/runs/{here.name}/work/delivery.json")["differences"] == []
    assert wandb_server.runs[0].notes == "A toy.\n\nHalf the width."

    other = Project(tmp_path / "other/project")
    shutil.copytree(project.path, other.path, ignore=lambda *_: ["results", ".snakemake"])
    other.change("config.yaml", export={"source": "api"})
    other.snakemake(**account(wandb_server, other)).check()
    (there,) = other.runs
    assert differences(here, there) == ["entity: alice here, nothing on the server"]
    summary = other.read_json(f"results/runs/{there.name}/run_summary.json")
    assert (summary["config"]["width"], summary["config"]["own"]) == (2, {"a": {"b": 1}})
    manifests = [json.loads((run / "manifest.json").read_text()) for run in (here, there)]
    assert [manifest["changed_parameters"] for manifest in manifests] == [
        {"width": {"planned": 4, "used": 2}}
    ] * 2


@pytest.mark.soak
def test_ten_changed_of_a_thousand_are_exported_again(
    project: Project, wandb_server: WandbServer
) -> None:
    project.change("experiments/toy.yaml", seeds=list(range(500)))
    project.change("config.yaml", export={"source": "api"}, paper={})
    config = yaml.safe_load((project.path / "config.yaml").read_text())
    run_ids = list(load_project(config, [], project.path).runs)
    assert len(run_ids) == 1000
    for number, run_id in enumerate(run_ids):
        rows = [{"val/accuracy": step / 7 + number} for step in range(5)]
        wandb_server.add_run(run_id, "tests", rows=rows, group="baseline")
    variables = account(wandb_server, project)
    flags = ["--scheduler", "greedy"]
    refreshed = project.snakemake("refresh", **variables).check()
    assert "changed on the server: 1000 of 1000 runs" in refreshed.output
    assert len(wandb_server.requests) <= 14  # who we are, the project, a hundred runs at a time
    project.snakemake(*flags, **variables).check()
    assert project.planned() == {}

    for run_id in run_ids[::100]:
        wandb_server.run(run_id).updated_at = "2100-01-01T00:00:00Z"
    wandb_server.requests.clear()
    changed = project.snakemake("refresh", **variables).check()
    assert "changed on the server: 10 of 1000 runs" in changed.output
    after = ("export_group", "sum_compute", "fill_checklist", "make_report", "report_failures")
    assert project.planned() == {"export_fetched_run": 10, **dict.fromkeys(after, 1)}
    project.snakemake(*flags, **variables).check()
    assert wandb_server.requests.count("POST /graphql History") == 10


def test_a_run_that_nobody_made_is_one_line(project: Project, wandb_server: WandbServer) -> None:
    project.change("experiments/toy.yaml", **ONE_RUN)
    project.change("config.yaml", export={"source": "api"})
    done = project.snakemake(**account(wandb_server, project))
    assert done.code != 0
    assert "not found" in done.line("caduceus find-run: ") or "no such run" in done.output


def test_the_set_up_is_verified(project: Project, wandb_server: WandbServer) -> None:
    subprocess.run(["git", "init", "--quiet"], cwd=project.path, check=True)
    words = ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--allow-empty"]
    subprocess.run(["git", *words, "-m", "x"], cwd=project.path, check=True)
    done = caduceus(project, wandb_server, "verify", "--online").check()
    lines = done.output.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["ok"] * 10, done.output
    assert wandb_server.key not in done.output
    (run,) = wandb_server.runs
    assert (run.project.name, run.group) == ("caduceus-verification", "verification")

    wandb_server.fail("PUT /storage/Artifact", status=403)
    wandb_server.fail("UpsertSweep", status=403, message="no sweeps here")
    done = caduceus(project, wandb_server, "verify", "--online")
    assert done.code == 1
    assert "FAIL  artifacts come back with equal digests" in done.output
    assert "FAIL  a sweep can be initiated" in done.output
    assert "no sweeps here" in done.output
    assert "to fix it: " in done.output
