"""What the board says of one run, of sweeps and of the paper."""

import json
import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from board_server import Server
from caduceus.io.files import write_json
from caduceus.overview.board.paper_rows import claim_row, paper_rows
from caduceus.overview.board.watch import Watch
from caduceus.paper.rounding import round_p
from caduceus.runs.equal_seeds import EqualSeeds, equal_notes
from caduceus.runs.files.plan import Plan
from caduceus.runs.files.train import TrialOutcome
from growing_runs import Results, log_rows, running
from run_files import attempt, sweep_plan, train

PIXEL = bytes.fromhex("89504e470d0a1a0a")
DECIDED = {"verdict": "supported", "p": 0.01, "reason": "Because.", "effect": 1.0, "low": 0.5}


def claim(*sides: tuple[str, int]) -> dict[str, Any]:
    listed = [{"experiment": "toy", "variant": name, "runs": runs} for name, runs in sides]
    return {"name": "c", "statement": "S", "kind": "compare", "sides": listed} | DECIDED


def test_a_run_has_its_files_on_one_page(server: Server, results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}], config={"rate": 0.1, "api_key": "0123456789abcdef"})
    server.read_all()
    found = server.ask("/api/run?run=r1")
    assert found["run"]["state"] == "finished" and found["program"] == "experiments/train.py"
    assert found["config"] == {"rate": 0.1, "api_key": "[a secret, not shown]"}
    assert [each["attempt"] for each in found["attempts"]] == [1]
    assert server.request("/api/run?run=none")[0].status == 404
    results.folder("r1").manifest_json.write_text("{")
    assert "manifest.json" in server.ask("/api/run?run=r1")["damage"][0]


def test_the_console_is_followed_by_bytes(server: Server, results: Results) -> None:
    results.start("r1")
    log = results.folder("r1").attempts / "1.log"
    log.write_bytes(b"\x1b[31mred\x1b[0m\n10 %\r100 %\n\x00" + "é".encode()[:1])
    server.read_all()
    found = server.ask("/api/console?run=r1")
    assert found["text"].startswith("red\n100 %\n") and found["attempts"] == [1]
    log.write_bytes(b"first\n")
    start = server.ask("/api/console?run=r1")["to"]
    log.write_bytes(b"first\n" + "é".encode()[:1])
    found = server.ask(f"/api/console?run=r1&from={start}")
    assert (found["text"], found["to"]) == ("", start)
    log.write_bytes(b"first\n" + "é\n".encode())
    assert server.ask(f"/api/console?run=r1&from={start}")["text"] == "é\n"
    log.write_bytes(b"x" * 10 + b"\n" + b"y" * 63_999 + b"\n")
    found = server.ask("/api/console?run=r1")
    assert found["is_cut"] and found["size"] == found["to"]
    assert server.ask("/api/console?run=r1&attempt=7")["text"] == ""
    assert server.request("/api/console?run=r1&from=-1")[0].status == 400
    assert server.ask("/api/console?run=r2")["attempts"] == []


def test_a_console_that_leads_elsewhere_isnt_shown(server: Server, results: Results) -> None:
    results.start("r1")
    secret = results.project / "secret"
    secret.write_text("hunter2")
    (results.folder("r1").attempts / "1.log").symlink_to(secret)
    os.mkfifo(results.folder("r1").attempts / "2.log")
    server.read_all()
    for number in (1, 2):
        response, content = server.request(f"/api/console?run=r1&attempt={number}")
        assert response.status == 503 and b"hunter2" not in content


def test_pictures_are_listed_by_step_and_served_as_pictures(
    server: Server, results: Results
) -> None:
    log = results.start("r1")
    name = "media/images/a b?.png"
    file = log.parent / "files" / name
    file.parent.mkdir(parents=True)
    file.write_bytes(PIXEL)
    picture = {"_type": "images/separated", "filenames": [name, "media/gone.png"]}
    log_rows(log, [{f"sample.{key}": value for key, value in picture.items()} | {"loss": 1.0}])
    with running(results.folder("r1")):
        server.read_all()
        assert server.ask("/api/run?run=r1")["media"] == [
            {"metric": "sample", "kind": "image", "count": 2}
        ]
        first, gone = server.ask("/api/media?run=r1&metric=sample")["items"]
    assert first["step"] == 0 and not gone["is_there"] and gone["url"] is None
    response, content = server.request(first["url"])
    assert content == PIXEL and response.getheader("Content-Type") == "image/png"
    assert "sandbox" in (response.getheader("Content-Security-Policy") or "")


def test_a_page_that_was_logged_is_only_kept(server: Server, results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}])
    file = results.folder("r1").path / "media/html/a.html"
    file.parent.mkdir(parents=True)
    file.write_text("<script>alert(1)</script>")
    server.read_all()
    response, _ = server.request("/media/r1/media/html/a.html")
    assert response.getheader("Content-Disposition") == "attachment"
    assert response.getheader("Content-Type") == "application/octet-stream"


@pytest.mark.parametrize(
    "path",
    [
        "media/../run.json",
        "media/%2e%2e/run.json",
        "media/..%2frun.json",
        "media/out/secret.txt",
        "media/secret.txt",
        "media//etc/passwd",
        "media/a%00.png",
        "run.json",
    ],
)
def test_no_path_leads_out_of_a_runs_folder(
    server: Server, results: Results, tmp_path: Path, path: str
) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    results.finish("r1", [{"loss": 1.0}])
    media = results.folder("r1").path / "media"
    media.mkdir()
    (media / "out").symlink_to(outside)
    (media / "secret.txt").symlink_to(outside / "secret.txt")
    server.read_all()
    for run in ("r1", "..", "%2e%2e", "none"):
        response, content = server.request(f"/media/{run}/{path}")
        assert response.status == 404 and b"secret" not in content
    response, _ = server.request(f"/api/table?run=r1&path={path}")
    assert response.status == 404


def test_tables_show_the_pictures_in_their_cells(server: Server, results: Results) -> None:
    about = {"_type": "table-file", "path": "media/table/t.table.json"}
    results.finish("r1", [{"predictions": about}])
    folder = results.folder("r1").path
    picture = {"_type": "image-file", "path": "media/images/x.png", "caption": "<b>"}
    table = {"columns": ["image", "n"], "data": [[picture, 1], ["</td>", None]]}
    write_json(folder / "media/table/t.table.json", table)
    (folder / "media/images").mkdir()
    (folder / "media/images/x.png").write_bytes(PIXEL)
    server.read_all()
    [listed] = server.ask("/api/run?run=r1")["tables"]
    found = server.ask(f"/api/table?run=r1&path={listed['path']}&limit=1")
    assert found["total"] == 2
    assert found["rows"] == [
        [{"text": "<b>", "url": "/media/r1/media/images/x.png"}, {"text": "1"}]
    ]


def test_a_sweep_has_its_best_trial_so_far(server: Server, results: Results) -> None:
    config = {"method": "random", "metric": {"name": "loss"}, "parameters": {}}
    plan = sweep_plan(config)
    folder = results.path / "sweeps" / plan.sweep
    plan.write(folder / "sweep.json")
    run = f"{plan.sweep}-t0000"
    results.finish(run, [{"loss": 1.0}])
    server.read_all()
    [listed] = server.ask("/api/sweeps")["sweeps"]
    assert listed["metric"] == "loss" and listed["states"] == {"finished": 1}
    found = server.ask(f"/api/sweep?sweep={plan.sweep}")
    assert [trial["run"] for trial in found["trials"]] == [run]
    for name in ("none", "..", "../sweeps/" + plan.sweep, ""):
        assert server.request(f"/api/sweep?sweep={name}")[0].status == 404


def test_the_best_trial_is_that_of_the_sweeps_export(server: Server, results: Results) -> None:
    plan = sweep_plan({"method": "random", "metric": {"name": "loss"}, "parameters": {}})
    plan.write(results.path / "sweeps" / plan.sweep / "sweep.json")
    # By the mean of its two runs trial 1 is the best; trial 0 has the best single run. Of trial 2
    # a run is still to come, and trial 3 has failed, with the value that the sweep gives it then.
    objectives = {"0": (0.0, 4.0), "1": (1.0, 1.0), "2": (-5.0, None), "3": (-9.0, -9.0)}
    runs = {}
    for trial, values in objectives.items():
        for seed, value in enumerate(values):
            run = f"{plan.sweep}-t000{trial}-s{seed}"
            runs[run] = (trial, seed, value)
    results.plan({run: ("v", seed) for run, (_, seed, _) in runs.items()})
    planned = Plan.read(results.path / "experiments/toy.json")
    with_trials = tuple(replace(run, trial=f"000{runs[run.id][0]}") for run in planned.runs)
    replace(planned, runs=with_trials).write(results.path / "experiments/toy.json")
    for run, (trial, seed, value) in runs.items():
        if value is not None:
            results.finish(run, [{"loss": value}], variant="v", seed=seed)
            outcome = TrialOutcome(objective=value, stopped_at=None)
            state = "failed" if trial == "3" else "finished"
            train(run, trial=outcome, state=state).write(results.folder(run).train_json)
    server.read_all()
    [listed] = server.ask("/api/sweeps")["sweeps"]
    assert listed["best"] == {"trial": 1, "run": f"{plan.sweep}-t0001-s0", "objective": 1.0}
    assert listed["planned"] == 4
    found = server.ask(f"/api/sweep?sweep={plan.sweep}")["trials"]
    assert [trial["best_so_far"] for trial in found] == [2, 2, 1, 1, 1, 1, 1, 1]
    assert [trial["objective"] for trial in found[-2:]] == [None, None]


def test_a_damaged_sweep_costs_only_itself(server: Server, results: Results) -> None:
    plan = sweep_plan({"method": "random", "metric": {"name": "loss"}, "parameters": {}})
    plan.write(results.path / "sweeps" / plan.sweep / "sweep.json")
    damaged = results.path / "sweeps/other-1/sweep.json"
    damaged.parent.mkdir()
    damaged.write_text("{")
    server.read_all()
    first, second = server.ask("/api/sweeps")["sweeps"]
    assert "sweep.json" in first["error"] and first["experiment"] == "other"
    assert second["sweep"] == plan.sweep and second["error"] is None


def watched(results: Results) -> list[Any]:
    watch = Watch(results.path)
    while watch.is_reading:
        watch.look()
    return [*watch.runs.values()]


def test_a_claim_waits_for_all_planned_seeds(results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}])
    results.finish("r3", [{"loss": 1.0}], variant="b")
    found = claim_row(claim(("a", 1), ("b", 1)), watched(results))
    assert found["waits"] == "decided by the number of seeds planned: 1 of 2 are there"
    assert [found[name] for name in DECIDED] == [None] * len(DECIDED)
    results.finish("r2", [{"loss": 1.0}], seed=1)
    found = claim_row(claim(("a", 1), ("b", 1)), watched(results))
    assert found["waits"], "claims.json was made before the last seed came"
    found = claim_row(claim(("a", 2), ("b", 1)), watched(results))
    assert found["waits"] is None and found["verdict"] == "supported" and found["p"] == 0.01


def test_p_is_rounded_as_in_the_texts(results: Results) -> None:
    """A browser rounds ties such as 0.125 up, and Python to the even digit."""
    texts = {0.125: "0.12", 0.375: "0.38", 0.0625: "0.062", 1e-5: "< 0.0001", None: None}
    found = {p: claim_row(claim() | {"p": p}, [])["p_text"] for p in texts}
    assert found == texts
    assert [round_p(p) for p in (0.125, 0.375, 0.0625)] == ["0.12", "0.38", "0.062"]


def test_a_table_of_the_paper_has_its_units_and_numbers_of_runs(results: Results) -> None:
    about = {"value": 0.5, "decimals": 1, "spread": [], "n": 2, "mark": None, "is_second": False}
    cells = {"loss": about | {"runs": ["r1", "r2"]}, "loss: change": about | {"runs": ["r2"]}}
    row = {"labels": ["a"], "experiment": None, "variant": None, "runs": 2, "failed": 0}
    table = {
        "title": "T",
        "notes": [],
        "label_names": ["model"],
        "headings": ["loss", "size", "loss: change"],
        "heads": [{"title": "against a", "columns": {"loss: change": "loss (%)"}}],
        "units": {"size": "×10⁶"},
        "rows": [row | {"cells": cells}, row | {"cells": {}}],
    }
    write_json(results.path / "paper/tables/t.json", table)
    [found] = paper_rows(results.path, [])["tables"]
    titles = {"loss": "loss", "size": "size (×10⁶)", "loss: change": "loss (%)"}
    assert (found["error"], found["titles"]) == (None, titles)
    assert [each["n"] for each in found["rows"]] == [2, 0]


@pytest.mark.parametrize("counts_once", [True, False])
def test_a_table_that_waits_for_seeds_says_how_equal_ones_count_and_no_verdict(
    results: Results, counts_once: bool
) -> None:
    equal = equal_notes([EqualSeeds("toy", "a", ("r1", "r3"), (0, 2), counts_once)])
    row = {"labels": ["a"], "experiment": "toy", "variant": "a", "runs": 1, "failed": 0}
    table = {"title": "T", "notes": ["Bold: the best.", *equal], "label_names": ["model"]}
    write_json(
        results.path / "paper/tables/t.json",
        table | {"headings": [], "rows": [row | {"cells": {}}]},
    )
    results.finish("r1", [{"loss": 1.0}])
    [found] = paper_rows(results.path, watched(results))["tables"]
    assert not found["is_final"] and found["notes"] == equal
    results.finish("r2", [{"loss": 1.0}], seed=1)
    write_json(
        results.path / "paper/tables/t.json",
        table | {"headings": [], "rows": [row | {"cells": {}, "runs": 2}]},
    )
    [found] = paper_rows(results.path, watched(results))["tables"]
    assert found["is_final"] and found["notes"] == table["notes"]


def test_a_failed_seed_is_there(results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}])
    results.finish("r2", [], seed=1, state="failed")
    found = claim_row(claim(("a", 2)), watched(results))
    assert found["waits"] is None


def test_a_running_seed_isnt_there(results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}])
    results.start("r2", seed=1)
    with running(results.folder("r2")):
        found = claim_row(claim(("a", 2)), watched(results))
    assert found["waits"] == "decided by the number of seeds planned: 1 of 2 are there"
    attempt(1, state="interrupted").write(results.folder("r2").attempts / "1.json")
    assert claim_row(claim(("a", 2)), watched(results))["waits"]


def test_damaged_results_of_the_paper_are_a_line_each(server: Server, results: Results) -> None:
    paper = results.path / "paper"
    (paper / "tables").mkdir(parents=True)
    (paper / "tables/one.json").write_text("{")
    write_json(paper / "tables/two.json", {"rows": [3]})
    (paper / "claims.json").write_text(json.dumps([1]))
    server.read_all()
    found = server.ask("/api/paper")
    assert all(table["error"] for table in found["tables"]) and found["error"]
    assert server.request("/figures/..%2f..%2fx.svg")[0].status == 404
