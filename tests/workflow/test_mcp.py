"""`caduceus mcp`, asked by the SDK's own client over standard input and output."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from caduceus.io.cells import to_csv
from caduceus.io.files import read_json, write_json, write_whole
from caduceus.overview.mcp import toolbox
from caduceus.paper.claims import decide_claims
from caduceus.project.paper import parse_paper
from caduceus.statistics import compare_paired
from caduceus.statistics.settings import Methods
from exported_runs import export_runs
from projects import REPOSITORY, Project

if TYPE_CHECKING:  # a second to import, for each worker
    from mcp import Client
    from mcp.types import CallToolResult

TEMPLATE = REPOSITORY / "scripts/caduceus/project/template"
SECRET = "0123456789abcdef0123456789abcdef01234567"
SEEDS = 6
CLAIMS = {
    "low_wins": {
        "statement": "A low rate is better.",
        "compare": {
            "better": {"rate": 0.1},
            "worse": {"rate": 0.3},
            "metric": "val/accuracy",
            "margin": 0.0,
            "goal": "maximize",
        },
        "experiments": ["toy"],
    }
}


def logged(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
    """A learning curve; of rate 0.2 nearly that of 0.1, of rate 0.3 far below."""
    rate = parameters.get("rate", 0.3)
    if rate == 0.2 and seed == 5:
        return None
    rng = np.random.default_rng((int(100 * rate), seed))
    top = 0.9 - (rate == 0.3) * 0.4 + rng.normal(0, 0.02)
    rows = [
        {"val/accuracy": float(top * (1 - 0.5**step)), "loss": 1 / step} for step in range(1, 9)
    ]
    return [*rows, {"loss": float("nan"), "note": f"with {SECRET}", "word": "x" * 1000}]


class Asked:
    """A client of a server on a project."""

    def __init__(
        self, call: "Callable[..., CallToolResult]", client: "Client", portal: Any
    ) -> None:
        self._call, self.client, self.portal = call, client, portal

    def __call__(self, tool: str, **arguments: Any) -> dict[str, Any]:
        result = self._call(tool, arguments)
        [content] = result.content
        assert not result.is_error, content.text
        assert json.loads(content.text) == result.structured_content
        assert len(content.text) < 25_000 and SECRET not in content.text
        answer: dict[str, Any] = result.structured_content
        return answer

    def error(self, tool: str, **arguments: Any) -> str:
        result = self._call(tool, arguments)
        assert result.is_error
        [content] = result.content
        assert "\n" not in content.text
        return str(content.text)


@contextmanager
def serving(folder: Path) -> Iterator[Asked]:
    from anyio.from_thread import start_blocking_portal
    from mcp import Client, StdioServerParameters

    environment = {"PYTHONPATH": str(REPOSITORY / "scripts"), "WANDB_API_KEY": SECRET}
    arguments = ["-m", "caduceus", "mcp", "--project", str(folder)]
    server = StdioServerParameters(command=sys.executable, args=arguments, env=environment)
    with start_blocking_portal() as portal:
        started: AbstractContextManager[Client] = portal.wrap_async_context_manager(Client(server))
        with started as client:
            yield Asked(
                lambda tool, given: portal.call(partial(client.call_tool, tool, given)),
                client,
                portal,
            )


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with 18 runs, a sweep of four trials, a claim, what the paper shows of them."""
    project = Project.create(tmp_path_factory.mktemp("mcp") / "project")
    project.change(
        "experiments/toy.yaml",
        matrix={"rate": [0.1, 0.2, 0.3]},
        seeds=list(range(SEEDS)),
        parameters={"width": 4, "api_key": "not-for-anyone"},
    )
    project.write_yaml(
        "experiments/tune.yaml",
        {
            "id": "tune",
            "type": "sweep",
            "program": "experiments/train.py",
            "sweep": {
                "count": 4,
                "config": {
                    "method": "random",
                    "metric": {"name": "loss", "goal": "minimize"},
                    "parameters": {"lr": {"min": 0.1, "max": 1.0}},
                },
            },
        },
    )
    project.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/tune.yaml"])
    chosen = {f"{trial:04d}": {"lr": 0.1 * (trial + 1)} for trial in range(4)}
    loaded = export_runs(project, sweep_or_toy, chosen)
    results = project.path / "results"
    [sweep] = loaded.sweeps
    loaded.sweeps[sweep].sweep.plan.write(results / f"sweeps/{sweep}/sweep.json")
    plans = [results / "experiments/toy.json"]
    claims = parse_paper({"claims": CLAIMS}, str).claims
    write_json(results / "paper/claims.json", decide_claims(plans, claims, Methods()))
    runs = sorted(path.name for path in (results / "runs").glob("toy-*"))
    add_artifact(results / "runs" / runs[0])
    about = {"name": "r", "state": "finished", "commit": None, "is_dirty": None, "manifest": "0"}
    write_json(
        results / "paper/provenance.json",
        {
            "items": {
                "figures/curves": {"command": "snakemake …", "inputs": {}, "runs": runs},
                "tables/accuracy": {
                    "command": "snakemake …",
                    "inputs": {},
                    "cells": {"0.1 | acc": {"value": 0.9, "metric": "acc", "runs": runs[:2]}},
                },
            },
            "runs": dict.fromkeys(runs, about),
        },
    )
    (results / "linked").symlink_to("/etc")
    return project.path


def sweep_or_toy(parameters: Mapping[str, Any], seed: int) -> list[dict[str, Any]] | None:
    return [{"loss": parameters["lr"]}] if "lr" in parameters else logged(parameters, seed)


def add_artifact(run: Path) -> None:
    files = {"model.pt": {"bytes": 7, "md5": "abc"}}
    model = {"name": "model-x", "type": "model", "digest": "d", "aliases": [], "metadata": {}}
    summary = read_json(run / "run_summary.json") | {"artifacts": [model | {"files": files}]}
    write_json(run / "run_summary.json", summary)


@pytest.fixture(scope="module")
def asked(folder: Path) -> Iterator[Asked]:
    with serving(folder) as client:
        yield client


def test_every_tool_says_what_it_does_and_that_it_only_reads(asked: Asked) -> None:
    tools = asked.portal.call(asked.client.list_tools).tools
    assert {tool.name for tool in tools} == {tool.__name__ for tool in toolbox.tools(Path())}
    for tool in tools:
        assert tool.annotations.read_only_hint
        assert "results" not in tool.input_schema["properties"]
        for argument in tool.input_schema["properties"]:
            assert f"{argument}: " in tool.description, (tool.name, argument)
    assert "compare_groups" in asked.client.instructions


def test_a_probe_says_what_there_is(asked: Asked) -> None:
    found = asked("probe")
    assert found["runs"]["by_state"] == {"finished": 21, "failed": 1}
    assert found["runs"]["by_kind"] == {"planned": 18, "trial": 4}
    toy, tune = found["experiments"]
    assert toy["varies"] == {"rate": [0.1, 0.2, 0.3]} and toy["seeds"] == list(range(SEEDS))
    assert toy["metric"] == {"name": "val/accuracy", "goal": "maximize"}
    assert tune["variants"] == "4 trials of a sweep"
    assert found["metrics"]["runs_with_it"]["val/accuracy"] == 17
    assert found["paper"]["has_claims"] and not found["has_verification"]


def test_runs_are_filtered_sorted_and_paged(asked: Asked) -> None:
    first = asked("query_runs", experiment="toy", limit=10)
    assert first["columns"][:2] == ["run", "experiment"] and "config.rate" in first["columns"]
    assert (first["total"], len(first["rows"])) == (18, 10)
    assert first["more"] == "8 more: call again with offset=10"
    rest = asked("query_runs", experiment="toy", offset=10)
    assert len(rest["rows"]) == 8 and "more" not in rest
    assert not {row[0] for row in first["rows"]} & {row[0] for row in rest["rows"]}

    best = asked(
        "query_runs",
        where={"rate": [0.1, 0.3], "val/accuracy": {"min": 0.6}},
        columns=["config.rate", "val/accuracy", "wall_s"],
        sort="-val/accuracy",
    )
    rates, values, _ = zip(*best["rows"], strict=True)
    assert set(rates) == {0.1} and sorted(values, reverse=True) == list(values)
    assert best["units"] == {"wall_s": "seconds"} and "other_columns" not in best
    assert "summary.loss" in first["other_columns"]
    assert "one seed" in best["note"]
    [failed] = asked("query_runs", state="failed", columns=["error"])["rows"]
    assert failed == ["ValueError: no"]


def test_long_pages_end_before_their_limit(asked: Asked) -> None:
    columns = ["run", "note", "word", "config.hypothesis"] * 3
    page = asked("query_runs", experiment="toy", columns=columns, limit=100)
    assert 0 < len(page["rows"]) < 18 and page["more"]
    [cut] = {row[2] for row in page["rows"] if row[2]}
    assert cut.endswith("(700 more characters)")


def test_a_history_is_exact_and_paged(asked: Asked, folder: Path) -> None:
    run = asked("query_runs", experiment="toy", columns=["run"], limit=1)["rows"][0][0]
    page = asked("get_history", run=run, metrics=["val/accuracy", "loss"], first_step=2, limit=3)
    assert page["columns"] == ["_step", "val/accuracy", "loss"]
    lines = (folder / "results/runs" / run / "metrics_history.csv").read_text().splitlines()
    rows = [line.split(",")[:3] for line in lines[3:6]]
    assert [list(map(json.dumps, row)) for row in page["rows"]] == rows
    assert page["total"] == 7 and "offset=3" in page["more"]
    last = asked("get_history", run=run, metrics=["loss"], offset=8)
    assert last["rows"] == [[8, "NaN"]]
    assert last["summary"]["loss"]["least"] == {"value": 0.125, "step": 7}
    assert last["summary"]["loss"]["not_finite"] == 1
    ended = asked("get_history", run=run, last_step=1, metrics=["loss"])
    assert [row[0] for row in ended["rows"]] == [0, 1]


def test_variants_are_compared_by_seed_with_interval_p_and_verdict(asked: Asked) -> None:
    found = asked("compare_groups", metric="val/accuracy", variants=["rate=0.3", "rate=0.1"])
    [row] = found["comparisons"]
    assert (row["variant"], row["than"], row["n"]) == ("rate=0.1", "rate=0.3", SEEDS)
    values = {
        rate: [logged({"rate": rate}, seed)[-2]["val/accuracy"] for seed in range(SEEDS)]
        for rate in (0.1, 0.3)
    }
    known = compare_paired(values[0.1], values[0.3])
    for name in ("effect", "low", "high", "p", "minimum_p"):
        assert row[name] == pytest.approx(getattr(known, name)), name
    assert row["verdict"] == "better" and row["adjusted_p"] == row["p"] == known.minimum_p
    assert [side["variant"] for side in found["variants"]] == ["rate=0.1", "rate=0.3"]
    assert found["variants"][0]["low"] < found["variants"][0]["mean"]
    assert "rate=0.3, better: rate=0.1" in found["conclusion"]


def test_the_best_of_several_is_named_with_what_cannot_be_told_from_it(asked: Asked) -> None:
    found = asked("compare_groups", metric="val/accuracy")
    assert len(found["comparisons"]) == 2 and "joint sign flips over 3" in found["method"]
    verdicts = {row["variant"]: row["verdict"] for row in found["comparisons"]}
    assert verdicts["rate=0.3"] == "not enough runs"  # five pairs
    assert "seeds of each are the fewest that can decide" in found["conclusion"]
    assert found["left_out"] == {"failed": 1, "trials of sweeps": 4}
    fewest = max(row["runs_that_would_do"] for row in found["comparisons"])
    assert fewest == SEEDS  # one of its six runs failed


def test_a_metric_can_be_taken_at_a_step_or_where_another_is_best(asked: Asked) -> None:
    pair = {"metric": "val/accuracy", "variants": ["rate=0.1", "rate=0.3"]}
    early = asked("compare_groups", **pair, at=0)
    assert early["variants"][0]["mean"] == pytest.approx(0.45, abs=0.03)
    chosen = asked("compare_groups", **pair, best_by={"name": "loss", "goal": "maximize"})
    assert chosen["variants"] == early["variants"]
    assert "one step" in asked.error(
        "compare_groups", **pair, at=0, best_by={"name": "loss", "goal": "maximize"}
    )


def test_a_best_of_one_seed_is_refused_and_how_many_would_do_is_said(asked: Asked) -> None:
    message = asked.error("compare_groups", metric="loss", experiment="tune")
    assert "refused: a single seed can't decide what is better" in message
    assert "t0000 has 1 of 1" in message
    assert "to decide 6 comparisons, list at least 6 seeds under `seeds`" in message


def test_single_runs_are_shown_side_by_side_and_decide_nothing(asked: Asked) -> None:
    rows = asked("query_runs", experiment="toy", columns=["run", "variant", "seed"])["rows"]
    runs = {(variant, seed): run for run, variant, seed in rows}
    found = asked("compare_runs", runs=[runs["rate=0.1", 0], runs["rate=0.3", 0]])
    assert found["parameters_that_differ"] == {"rate": [0.1, 0.3]}
    [row] = found["comparisons"]
    assert (row["n"], row["low"], row["verdict"]) == (1, None, "not enough runs")
    assert row["runs_that_would_do"] == 6 and row["minimum_p"] == 1

    seeds = asked("compare_runs", runs=[runs["rate=0.1", seed] for seed in range(3)])
    assert "comparisons" not in seeds and seeds["spread"]["val/accuracy"]["n"] == 3
    assert "none of them is better" in seeds["note"]


def test_a_sweep_has_leading_trials_and_no_best_before_it_is_confirmed(
    asked: Asked, folder: Path
) -> None:
    found = asked("sweep_status", limit=2)
    assert found["method"] == "random" and found["runs_by_state"] == {"finished": 4}
    assert [trial["objective"] for trial in found["trials"]] == [0.1, 0.2]
    assert found["trials"][0] | {"runs": []} == {
        "trial": "t0000",
        "n": 1,
        "objective": 0.1,
        "stopped_early": False,
        "parameters": {"lr": 0.1},
        "runs": [],
    }
    assert found["best"] is None and "confirm: 3" in found["best_refused"]

    export_sweep_tables(folder / "results/sweeps" / found["sweep"])
    found = asked("sweep_status", sweep="tune")
    assert found["best"]["mean"] == 0.15 and found["best"]["n"] == 3
    assert found["importance"] == [{"name": "lr", "mean": 0.9, "low": 0.8, "high": 1}]


def export_sweep_tables(folder: Path) -> None:
    trials = [{"trial": 0, "runs": "a", "state": "finished", "objective": 0.1}]
    trials = [row | {"stopped_early": False, "wall_s": 1.0} for row in trials]
    write_whole(folder / "trials.csv", to_csv(trials, ["trial"]))
    confirmed = {"trial": "c4.0", "of_trial": 0, "runs": "x y z", "n": 3, "mean": 0.15}
    confirmed |= {"low": 0.1, "high": 0.2, "config.lr": 0.1}
    write_whole(folder / "confirmed.csv", to_csv([confirmed], ["trial"]))
    importance = {"name": "lr", "mean": 0.9, "low": 0.8, "high": 1.0}
    write_whole(folder / "importance.csv", to_csv([importance], ["name"]))


def test_claims_come_short_and_one_in_full(asked: Asked) -> None:
    [claim] = asked("claims")["claims"]
    assert claim["verdict"] == "supported" and "sides" not in claim
    assert len(asked("claims", name="low_wins")["sides"]) == 2
    assert "did you mean 'low_wins'?" in asked.error("claims", name="low_win")


def test_cost_is_summed_over_all_attempts(asked: Asked) -> None:
    found = asked("compute_summary")
    assert found["total"]["wall_hours"] == pytest.approx(22 / 60)
    assert found["parts"]["failed"]["failed"] == 1
    assert found["units"]["wall_hours"] == "hours"


def test_artifacts_and_lineage_say_what_made_what(asked: Asked, folder: Path) -> None:
    run = sorted(path.name for path in (folder / "results/runs").glob("toy-*"))[0]
    [artifact] = asked("artifacts", run=run)["artifacts"]
    assert (artifact["name"], artifact["files"], artifact["bytes"]) == ("model-x", 1, 7)
    assert asked("artifacts", run=run, name="model-x")["files"] == [
        {"file": "model.pt", "bytes": 7, "md5": "abc"}
    ]
    about = asked("lineage", of=run)
    assert about["definition"]["parameters"]["width"] == 4
    assert about["shown_in"] == ["figures/curves", "tables/accuracy"]
    assert len(asked("lineage", of="figures/curves")["runs"]) == 18
    cell = asked("lineage", of="tables/accuracy")
    assert cell["cells"][0]["n"] == 2 and not cell["is_current"]
    file = asked("lineage", of="experiments/toy.json")
    assert file["file"] == "results/experiments/toy.json" and len(file["sha256"]) == 64
    assert file["runs"] == [] and file["total"] == 0


def test_no_secret_is_answered(asked: Asked) -> None:
    notes = asked("query_runs", experiment="toy", columns=["note", "config.api_key"])["rows"]
    assert ["with [WANDB_API_KEY, not shown]", "[a secret, not shown]"] in notes
    run = asked("query_runs", experiment="toy", columns=["run"], limit=1)["rows"][0][0]
    hidden = asked("lineage", of=run)["definition"]["parameters"]["api_key"]
    assert hidden == "[a secret, not shown]"
    assert SECRET not in asked.error("get_history", run=SECRET)


@pytest.mark.parametrize(
    ("tool", "arguments"),
    [
        ("lineage", {"of": "../../../etc/passwd"}),
        ("lineage", {"of": "/etc/passwd"}),
        ("lineage", {"of": "results/linked/passwd"}),
        ("lineage", {"of": "config.yaml"}),
        ("lineage", {"of": "tables/" + "x" * 300}),
        ("lineage", {"of": "results/a\0b"}),
        ("get_history", {"run": "../../../etc"}),
        ("artifacts", {"run": "../runs"}),
        ("sweep_status", {"sweep": "../runs"}),
        ("claims", {"name": "../../config"}),
    ],
)
def test_no_path_leads_out_of_results(asked: Asked, tool: str, arguments: Any) -> None:
    message = asked.error(tool, **arguments)
    assert "root" not in message and "hosts" not in message
    assert "isn't below results/" in message or "there is no" in message


@pytest.mark.parametrize(
    ("tool", "arguments", "message"),
    [
        ("query_runs", {"sorted": "x"}, "no argument 'sorted', did you mean 'sort'?"),
        ("query_runs", {"limit": "x"}, "argument limit: Input should be a valid integer"),
        ("query_runs", {"limit": 0}, "limit is 0, allowed: 1 to 500"),
        ("query_runs", {"offset": 99}, "offset is 99, allowed: 0 to 22"),
        ("query_runs", {"sort": "val/acuracy"}, "did you mean 'summary.val/accuracy'?"),
        ("query_runs", {"where": {"seed": {"least": 1}}}, "a value, a list, or min and max"),
        ("query_runs", {"experiment": "toys"}, "did you mean 'toy'?"),
        ("get_history", {"run": "toy"}, "there is no run 'toy'"),
        ("compare_groups", {"metric": "loss", "variants": ["rate=1"]}, "no variant 'rate=1'"),
        ("compare_groups", {"metric": "val/acc"}, "did you mean 'val/accuracy'?"),
        ("compare_runs", {"runs": ["a"]}, "found 1 runs, allowed: 2 to 10"),
        ("verification", {}, "snakemake --cores 1 verify"),
    ],
)
def test_an_error_is_one_line_that_says_what_to_do(
    asked: Asked, tool: str, arguments: Any, message: str
) -> None:
    assert message in asked.error(tool, **arguments)


def test_a_project_without_results_says_so(tmp_path: Path) -> None:
    with serving(tmp_path) as client:
        found = client("probe")
        assert found["runs"]["total"] == 0 and "snakemake --cores 2" in found["note"]
        assert client("query_runs")["total"] == 0
        for tool in ("claims", "verification", "sweep_status"):
            assert client.error(tool)
        assert client("compute_summary")["total"]["runs"] == 0
    assert list(tmp_path.iterdir()) == []


def test_asking_changes_nothing(asked: Asked, folder: Path) -> None:
    def state() -> dict[str, int]:
        paths = (folder / "results").rglob("*")
        return {str(path): path.lstat().st_mtime_ns for path in paths}

    before = state()
    asked("probe")
    asked("compare_groups", metric="val/accuracy")
    assert state() == before


def test_without_the_package_it_says_what_to_install(
    project: Project,
) -> None:
    hide = "import sys; sys.modules['mcp'] = None; from caduceus.__main__ import main; "
    hide += "sys.exit(main(['mcp']))"
    finished = project.run(sys.executable, "-c", hide)
    assert finished.code == 1
    assert finished.line() == "caduceus mcp: needs the package mcp: pip install 'mcp>=2,<3'"


def test_the_configurations_start_the_server() -> None:
    for place in (REPOSITORY, TEMPLATE):
        server = json.loads((place / ".mcp.json").read_text())["mcpServers"]["caduceus"]
        assert Path(server["command"]).name == "caduceus" and server["args"] == ["mcp"]


def test_a_plan_says_what_would_run_and_why(project: Project) -> None:
    project.write("Snakefile", (TEMPLATE / "Snakefile").read_text())
    with serving(project.path) as client:
        found = client("plan", cores=2, limit=3)
        assert found["trainings"]["total"] == 4 and len(found["trainings"]["runs"]) == 3
        assert found["unknown_lengths"] == 4 and found["cores"] == 2
        assert found["trainings"]["runs"][0]["why"]
        made = {result["item"]: result for result in found["results"]}
        assert not made["tables/accuracy"]["is_there"] and made["tables/accuracy"]["why"]
        project.write("config.yaml", "experiment: x\n")
        assert "unknown key 'experiment'" in client.error("plan")
