"""Sweeps as experiments plan them: what is refused, who they are, what is said beforehand."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.overview.sweep_preview import find_preview, preview_lines
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.sweeps.plans import Sweep

CONFIG = {
    "method": "bayes",
    "metric": {"name": "loss", "goal": "minimize"},
    "parameters": {"x": {"min": 0.0, "max": 1.0}, "kind": {"values": ["a", "b"]}},
}


def load(root: Path, sweep: dict[str, Any], **keys: Any) -> Experiment:
    (root / "train.py").write_text("import wandb\n")
    spec = {"id": "tune", "type": "sweep", "program": "train.py", **keys, "sweep": sweep}
    (root / "tune.yaml").write_text(yaml.safe_dump(spec, sort_keys=False))
    return load_experiment("tune.yaml", {"seed": 0}, {"sweep": ""}, root)


def plan(root: Path, **sweep: Any) -> Sweep:
    found = load(root, {"config": CONFIG, "count": 5} | sweep).sweep
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("sweep", "keys", "message"),
    [
        ({"count": None}, {}, "4: missing key 'count' in 'sweep': add it, the number of trials"),
        (
            {"confirm": 6},
            {},
            "19: sweep.confirm: found 6, allowed: at most the number of trials, 5",
        ),
        (
            {"config": {"method": "random", "parameters": CONFIG["parameters"]}, "confirm": 1},
            {},
            "16: sweep.confirm: the best trials are found by a metric; add `metric` to the sweep",
        ),
        ({}, {"id": "t" * 48, "seeds": [99]}, "1: id: 3 characters too long for a sweep, since"),
        (
            {"engine": "server"},
            {},
            '19: sweep.engine: found "server", allowed: caduceus, wandb',
        ),
        (
            {
                "engine": "wandb",
                "config": CONFIG | {"parameters": {"seed": {"value": 1}, "x": {"value": 2}}},
            },
            {},
            "11: parameters.seed: with engine wandb the runs' seed stands in the experiment; move "
            "it to `seeds` there",
        ),
        (
            {"engine": "wandb", "sampler": "tpe"},
            {},
            "20: sweep.sampler: not used with engine wandb, as the server has its own; remove it",
        ),
        (
            {"engine": "wandb", "seed": 3},
            {},
            "20: sweep.seed: not used with engine wandb, as the server has its own; remove it",
        ),
        (
            {"engine": "wandb"},
            {"seeds": [1, 2]},
            "4: seeds: with engine wandb each configuration has one run; list one seed, and",
        ),
    ],
)
def test_what_a_sweep_can_not_be_is_refused(
    tmp_path: Path, sweep: dict[str, Any], keys: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError) as refused:
        load(tmp_path, {"config": CONFIG, "count": 5} | sweep, **keys)
    assert str(refused.value).startswith(f"tune.yaml:{message}")


def test_sweep_json_keeps_its_bytes(tmp_path: Path) -> None:
    """They are a param of the job that writes it: others would start each user's sweep again."""
    config = {"method": "random", "metric": {"name": "loss", "target": 0.1}, "run_cap": 20.0}
    config["parameters"] = {"x": {"min": 0, "max": 1.5}, "kind": {"values": ["a", None]}}
    keys = {"parameters": {"b": 1, "a": [1, 2.0]}, "seeds": [0, 3]}
    sweep = load(tmp_path, {"config": config, "count": 5}, **keys).sweep
    assert sweep is not None
    assert json.dumps(sweep.plan.to_json()) == (
        '{"sweep": "tune-dfd6dddb", "config": {"method": "random", '
        '"metric": {"name": "loss", "target": 0.1}, "run_cap": 20.0, '
        '"parameters": {"x": {"min": 0, "max": 1.5}, "kind": {"values": ["a", null]}}}, '
        '"engine": "caduceus", "lag": 7, "seed": 0, "sampler": "gp", "seeds": [0, 3], '
        '"default_seed": 0, "file": "tune.yaml", "keys": ["sweep", "config"], '
        '"definition": {"program": "train.py", '
        '"command": ["${env}", "${interpreter}", "${program}", "${args}"], '
        '"parameters": {"b": 1, "a": [1, 2.0]}, "dataset": null, '
        '"code": "e49330e4a57cccf80be9c3ad17a3e9cf3e0c4fd762cfe5a263227e19c5cc2399"}}'
    )


def test_a_sweep_is_another_one_where_its_trials_are(tmp_path: Path) -> None:
    ours, servers = plan(tmp_path), plan(tmp_path, engine="wandb")
    assert ours.id != servers.id
    assert plan(tmp_path, count=9, confirm=1).id == ours.id
    assert len({plan(tmp_path, **{key: 1}).id for key in ("lag", "seed")} | {ours.id}) == 3
    assert plan(tmp_path, engine="wandb", count=9).id == servers.id
    for keys in ({"lag": 1}, {"seeds": [1]}):  # each has runs of its own there
        sweep = {"config": CONFIG, "count": 5, "engine": "wandb"} | keys
        seeds = {"seeds": sweep.pop("seeds")} if "seeds" in sweep else {}
        found = load(tmp_path, sweep, **seeds).sweep
        assert found is not None and found.id != servers.id
    other = CONFIG | {"early_terminate": {"type": "hyperband", "min_iter": 3}}
    assert plan(tmp_path, engine="wandb", config=other).id != servers.id


GRID = {"method": "grid", "parameters": {"kind": {"values": ["a", "b", "c"]}}}


def test_a_sweep_that_goes_by_no_result_takes_more_seeds(tmp_path: Path) -> None:
    def planned(config: dict[str, Any], seeds: list[int], **keys: Any) -> Sweep:
        found = load(tmp_path, {"config": config} | keys, seeds=seeds).sweep
        assert found is not None
        return found

    metric = {"name": "loss", "goal": "minimize"}
    one, more = (planned(GRID | {"metric": metric}, seeds, confirm=1) for seeds in ([0], [0, 1]))
    none = plan(tmp_path, config=GRID | {"metric": metric}, count=None, confirm=1)
    assert none.id == one.id == more.id
    assert list(none.trials()) == list(one.trials())  # the default, written out or not
    assert set(one.trial_runs(0)) < set(more.trial_runs(0))
    # The best of two seeds may be another configuration than that of one.
    assert not {run for run, _, _ in one.confirmations()} & {r for r, _, _ in more.confirmations()}
    for changed in ({"name": "other"}, {"goal": "maximize"}, {"target": 1}, {"impute": "best"}):
        assert planned(GRID | {"metric": metric | changed}, [0]).id != one.id
    target = GRID | {"metric": metric | {"target": 0.1}}
    assert planned(target, [0]).id != planned(target, [0, 1]).id
    default = [plan(tmp_path, config=GRID, count=None)]
    experiment = load_experiment("tune.yaml", {"seed": 1}, {"sweep": ""}, tmp_path)
    assert experiment.sweep is not None and experiment.sweep.id != default[0].id


def test_trials_get_no_seed_that_nobody_listed_and_confirmations_get_theirs(tmp_path: Path) -> None:
    sweep = {"config": CONFIG, "count": 2, "confirm": 1}
    passed = [run.definition.seed_by_argument for run in load(tmp_path, sweep).runs]
    assert passed == [None, None, {"seed": 1}, {"seed": 2}, {"seed": 3}]
    listed = load(tmp_path, sweep, seeds=[5]).runs
    assert listed[0].definition.seed_by_argument == {"seed": 5}
    named = load(tmp_path, sweep, seed_argument="s").runs
    assert named[-1].definition.seed_by_argument == {"s": 3}


def test_a_sweeps_command_names_its_parameters(tmp_path: Path) -> None:
    nested = {"method": "grid", "parameters": {"a": {"parameters": {"b": {"values": [1]}}}}}
    for name in ("a.b", "c"):
        config = nested | {"command": ["python", f"--x=${{param:{name}}}"]}
        if name == "a.b":
            assert len(load(tmp_path, {"config": config}).runs) == 1
        else:
            with pytest.raises(SpecError, match=r"tune.yaml:\d+: command: \${param:c} is no param"):
                load(tmp_path, {"config": config})


def test_no_more_runs_than_the_cap(tmp_path: Path) -> None:
    found = load(tmp_path, {"config": GRID | {"run_cap": 5}}, seeds=[0, 1]).sweep
    assert found is not None and found.count == 2
    with pytest.raises(SpecError, match="run_cap: found 1, but each trial has 2 runs"):
        load(tmp_path, {"config": GRID | {"run_cap": 1}}, seeds=[0, 1])


def test_a_grid_that_nobody_can_run_is_refused_at_once(tmp_path: Path) -> None:
    values = {"values": list(range(10))}
    huge = {"method": "grid", "parameters": {f"p{n}": values for n in range(8)}}
    with pytest.raises(
        SpecError, match="the sweep would have 100,000,000 trials, allowed: at most"
    ):
        load(tmp_path, {"config": huge})


def test_a_server_is_asked_for_a_trial_once_it_has_those_before(tmp_path: Path) -> None:
    for engine, waits_for in (("caduceus", []), ("wandb", ["t0000"])):
        sweep = plan(tmp_path, config=GRID, engine=engine, lag=2)
        assert sweep.waits_for(1) == []
        assert [run.rpartition("-")[2] for run in sweep.waits_for(2)] == waits_for


def test_what_a_sweep_would_do_is_said(tmp_path: Path) -> None:
    experiment = load(tmp_path, {"config": CONFIG, "count": 5, "lag": 2, "confirm": 1})
    assert experiment.sweep is not None
    said = list(preview_lines(find_preview(experiment, experiment.sweep, tmp_path / "results")))
    assert said[0].endswith(": bayes (gp) on loss, minimize")
    assert said[3] == "5 trials, at most 2 at a time, then the best 1 on 3 fresh seeds: 8 runs"
    assert said[1:3] == [
        "  x     uniform, min 0.0, max 1.0: 0.01 … 0.5 … 0.99 (1 %, median, 99 %)",
        "  kind  categorical: a, b",
    ]
    assert [line[:5] for line in said[5:7]] == ["  0  ", "  1  "]
    assert said[7].startswith(f"command of trial 0: /usr/bin/env {sys.executable} train.py --x=0.")

    experiment = load(tmp_path, {"config": CONFIG, "count": 5, "engine": "wandb"})
    assert experiment.sweep is not None
    said = list(preview_lines(find_preview(experiment, experiment.sweep, tmp_path / "results")))
    assert said[0].endswith(": bayes, by the W&B server, on loss, minimize")
    assert "first trials, before any result:" not in said


def test_what_a_sweep_file_says_is_shown_with_its_types(tmp_path: Path) -> None:
    parameters: dict[str, Any] = {
        "one": {"value": 1.0},
        "layers": {"values": [[1, 2], [3]]},
        "mixed": {"values": [1, "1", True, None]},
        "many": {"values": list(range(30))},
        "step": {"distribution": "q_uniform", "min": 0, "max": 3, "q": 1},
    }
    command = ["python", "${program}", "${args}", "--out=${run_id}", "${envvar:UNSET_VARIABLE}"]
    grid = {"method": "grid", "parameters": parameters, "command": [*command, "${args_json_file}"]}
    experiment = load(tmp_path, {"config": grid, "count": 5}, seeds=[4])
    assert experiment.sweep is not None
    said = list(preview_lines(find_preview(experiment, experiment.sweep, tmp_path / "results")))
    assert said[1:7] == [
        "  one     constant: 1.0",
        "  layers  categorical: [1, 2], [3]",
        '  mixed   categorical: 1, "1", true, null',
        "  many    categorical: 0, 1, 2, 3, 4, 5, 6, 7, … (30 values)",
        "  step    q_uniform, min 0, max 3, q 1: 0, 1, 2",
        "5 of 720 trials, all at a time: 5 runs",
    ]
    assert said[8] == "  0  one=1.0 layers=[1, 2] mixed=1 many=0 step=0"
    run = tmp_path / "results/runs" / f"{experiment.sweep.id}-t0000-s4"
    assert said[11] == (
        "command of trial 0: python train.py --one=1.0 '--layers=[1, 2]' --mixed=1 --many=0 "
        f"--step=0 --seed=4 --out={run.name} '${{envvar:UNSET_VARIABLE}}' "
        f"{run}/work/wandb/1/parameters.json"
    )
    assert not (tmp_path / "results").exists()


def test_probabilities_and_nested_parameters_are_shown(tmp_path: Path) -> None:
    optimizer = {"parameters": {"name": {"values": ["a", "b"], "probabilities": [0.25, 0.75]}}}
    config = {"method": "random", "parameters": {"optimizer": optimizer}}
    experiment = load(tmp_path, {"config": config, "count": 2})
    assert experiment.sweep is not None
    said = list(preview_lines(find_preview(experiment, experiment.sweep, tmp_path / "results")))
    assert said[1] == "  optimizer.name  categorical_w_probabilities: a (0.25), b (0.75)"


def test_a_seed_is_drawn_for_each_trial_and_not_searched(tmp_path: Path) -> None:
    seed = {"distribution": "int_uniform", "min": 10, "max": 99}
    config = {**CONFIG, "parameters": {**CONFIG["parameters"], "seed": seed}}
    experiment = load(tmp_path, {"config": config, "count": 20, "confirm": 1})
    assert experiment.sweep is not None
    seeds = [run.seed for run in experiment.runs if "s" not in run.id.rpartition("-")[2]]
    assert len(seeds) == 20 and len(set(seeds)) > 10 and all(10 <= each <= 99 for each in seeds)
    assert [run.seed for run in experiment.runs[20:]] == [100, 101, 102]
    assert experiment.runs[0].definition.seed_by_argument == {"seed": seeds[0]}
    assert "seed" not in experiment.sweep.config.space.names
    # More trials leave the earlier ones as they are; other bounds make other trials.
    more = load(tmp_path, {"config": config, "count": 30, "confirm": 1})
    assert [run.seed for run in more.runs[:20]] == seeds
    assert more.runs[0].id == experiment.runs[0].id
    other = config["parameters"] | {"seed": seed | {"max": 98}}
    changed = load(tmp_path, {"config": {**config, "parameters": other}, "count": 20})
    assert changed.runs[0].id != experiment.runs[0].id
    said = list(preview_lines(find_preview(experiment, experiment.sweep, tmp_path / "results")))
    assert "  seed  int_uniform, min 10, max 99: drawn for each trial, not searched" in said
    assert f"--seed={seeds[0]}" in said[-2]


def test_seeds_of_a_list_are_drawn_too(tmp_path: Path) -> None:
    parameters = {"x": {"min": 0.0, "max": 1.0}, "seed": {"values": [3, 5]}}
    config = {"method": "random", "parameters": parameters}
    experiment = load(tmp_path, {"config": config, "count": 12})
    assert {run.seed for run in experiment.runs} == {3, 5} and len(experiment.runs) == 12


def test_a_grid_runs_each_seed_of_a_range(tmp_path: Path) -> None:
    parameters = {"x": {"values": [1, 2]}, "seed": {"min": 0, "max": 3}}
    experiment = load(tmp_path, {"config": {"method": "grid", "parameters": parameters}})
    assert sorted(run.seed for run in experiment.runs) == [0, 0, 1, 1, 2, 2, 3, 3]


def test_points_and_known_runs_are_part_of_a_sweep(tmp_path: Path) -> None:
    plain = plan(tmp_path)
    points = [{"x": 0.5, "kind": "a"}]
    found = plan(tmp_path, points=points, known=["old"])
    assert found.plan.points == ({"x": 0.5, "kind": "a"},) and found.plan.known == ("old",)
    assert len({plain.id, found.id, plan(tmp_path, points=points).id}) == 3


@pytest.mark.parametrize(
    ("sweep", "message"),
    [
        ({"points": [{"x": 7.0, "kind": "a"}]}, "sweep.points: x = 7.0 is outside the space"),
        ({"known": ["tune"]}, "sweep.known: tune is this experiment itself"),
        (
            {"known": ["old"], "config": {**CONFIG, "method": "random"}},
            "sweep.known: method random learns from no results",
        ),
        (
            {"points": [{"x": 1}], "config": {"method": "grid", "parameters": {"x": {"value": 1}}}},
            "sweep.points: a grid runs every configuration",
        ),
    ],
)
def test_points_and_known_runs_are_checked(
    tmp_path: Path, sweep: dict[str, Any], message: str
) -> None:
    with pytest.raises(SpecError) as caught:
        plan(tmp_path, **sweep)
    assert message in str(caught.value)
