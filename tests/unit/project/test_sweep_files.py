"""W&B's sweep files in place of experiment files."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.overview.sweep_preview import find_preview, preview_lines
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.project.project import load_project
from caduceus.project.sweep_files import SweepFile, id_of

GROUPS = {"sweep": ""}
BARE: dict[str, Any] = {
    "program": "train.py",
    "name": "learning rates",
    "method": "random",
    "metric": {"name": "loss", "goal": "minimize"},
    "command": ["${env}", "${interpreter}", "${program}", "${args_no_hyphens}"],
    "parameters": {"rate": {"min": 0.0, "max": 1.0}},
}
GRID = BARE | {"method": "grid", "parameters": {"rate": {"values": [1, 2, 3]}}}


def write(root: Path, name: str, value: Any) -> None:
    (root / "train.py").write_text("import wandb\n")
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump(value, sort_keys=False))


def load(
    root: Path, value: Any, count: int | None = None, name: str = "my sweep.yaml"
) -> Experiment:
    write(root, name, value)
    return load_experiment(name, {"seed": 0}, GROUPS, root, count)


def refusal(root: Path, value: Any, count: int | None = None) -> str:
    with pytest.raises(SpecError) as caught:
        load(root, value, count)
    return str(caught.value)


def test_a_sweep_file_is_the_experiment_that_names_it(tmp_path: Path) -> None:
    bare = load(tmp_path, BARE, count=3)
    write(
        tmp_path,
        "tune.yaml",
        {"id": "my-sweep", "type": "sweep", "sweep": {"config": "my sweep.yaml", "count": 3}},
    )
    by_hand = load_experiment("tune.yaml", {"seed": 0}, GROUPS, tmp_path)

    assert len(bare.runs) == 3
    assert bare.runs == by_hand.runs
    assert bare.spec == by_hand.spec
    assert bare.sweep == by_hand.sweep
    assert (bare.spec.name, bare.spec.program) == ("learning rates", "train.py")


def test_the_written_experiment_is_the_same_and_keeps_its_time(tmp_path: Path) -> None:
    bare = load(tmp_path, BARE, count=3)
    assert isinstance(bare.source, SweepFile)
    path = bare.source.write(tmp_path / "results")
    before = path.stat().st_mtime_ns
    assert bare.source.write(tmp_path / "results").stat().st_mtime_ns == before
    name = path.relative_to(tmp_path).as_posix()
    assert name == "results/experiments/my-sweep.yaml"
    written = load_experiment(name, {"seed": 0}, GROUPS, tmp_path)
    assert written.runs == bare.runs
    assert written.sweep == bare.sweep


@pytest.mark.parametrize(
    ("value", "count", "trials"),
    [
        (BARE, 5, 5),
        (BARE | {"run_cap": 4}, None, 4),
        (BARE | {"run_cap": 4}, 9, 4),
        (GRID, None, 3),
        (GRID, 2, 2),
    ],
)
def test_the_number_of_trials(tmp_path: Path, value: Any, count: int | None, trials: int) -> None:
    assert len(load(tmp_path, value, count).runs) == trials


@pytest.mark.parametrize(
    ("value", "count", "message"),
    [
        (
            BARE,
            None,
            "my sweep.yaml:1: missing number of trials: method random never ends by itself; add "
            "--count to `caduceus sweep 'my sweep.yaml'`, or `run_cap` to the file",
        ),
        (BARE, 0, "my sweep.yaml:1: --count 0: give a number of trials, at least 1"),
        (
            BARE | {"program": "gone.py"},
            3,
            "my sweep.yaml:1: program: gone.py doesn't exist; give its path from the folder you "
            "work in",
        ),
        (
            {"program": "train.py", "method": "random", "parametres": {}},
            3,
            "my sweep.yaml:3: unknown key 'parametres', did you mean 'parameters'?; allowed: ",
        ),
        (
            BARE | {"id": "tune"},
            3,
            "my sweep.yaml:3: method: is a key of W&B's sweep files, and 'id' one of experiments; "
            "move the sweep below `sweep.config`, or remove the experiment's keys",
        ),
        (
            {"id": "tune", "type": "sweep", "sweep": {"config": BARE}},
            3,
            "my sweep.yaml:3: --count 3: only for W&B's sweep files; set `sweep.count` in this "
            "experiment",
        ),
    ],
)
def test_what_is_refused(tmp_path: Path, value: Any, count: int | None, message: str) -> None:
    assert refusal(tmp_path, value, count).startswith(message)


def test_a_missing_program_and_a_command_are_found_in_the_sweep_file(tmp_path: Path) -> None:
    without = {key: value for key, value in BARE.items() if key != "program"}
    assert refusal(tmp_path, without, 3).startswith("my sweep.yaml:1: missing key 'program': add")
    command = ["${env}", "${program}", "${param:width}"]
    assert refusal(tmp_path, BARE | {"command": command}, 3).startswith(
        "my sweep.yaml:10: command: ${param:width} is no parameter"
    )


@pytest.mark.parametrize(
    ("path", "id"),
    [
        ("sweeps/lr.yaml", "lr"),
        ("my sweep (2).yaml", "my-sweep-2"),
        ("größe.json", "gr-e"),
        ("ü.yaml", "sweep"),
        (f"{'x' * 60}.yaml", "x" * 48),
    ],
)
def test_an_id_is_made_of_the_files_name(path: str, id: str) -> None:
    assert id_of(path) == id


def test_config_yaml_lists_sweep_files(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        write(tmp_path, f"{folder}/sweep.yaml", GRID)
    config = {"experiments": ["a/sweep.yaml"], "wandb": {"project": "p"}}
    project = load_project(config, [], tmp_path)
    assert list(project.experiments) == ["sweep"]
    assert len(project.runs) == 3
    config["experiments"] = ["a/sweep.yaml", "b/sweep.yaml"]
    with pytest.raises(SpecError, match=r"b/sweep.yaml:1: id: 'sweep' is the id of a/sweep.yaml"):
        load_project(config, [], tmp_path)


def test_hydras_names_words_that_are_true_and_anchors_are_taken(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("import wandb\n")
    text = (
        "x-range: &range {min: 0.0, max: 1.0}\n"
        "program: train.py\n"
        "method: random\n"
        "command: ['${program}', --flag, true, '${args_no_hyphens}']\n"
        "parameters:\n"
        "  ++model.x: *range\n"
        "  a/b/lr: *range\n"
        "  +db@data: {value: small}\n"
    )
    (tmp_path / "sweep.yaml").write_text(text)
    found = load_experiment("sweep.yaml", {"seed": 0}, GROUPS, tmp_path, 1)
    assert found.sweep is not None
    names = [parameter.name for parameter in found.sweep.config.space.parameters]
    assert names == ["++model.x", "a/b/lr", "+db@data"]
    assert "x-range" not in found.sweep.plan.config.to_json()
    said = list(preview_lines(find_preview(found, found.sweep, tmp_path / "results")))
    assert re.search(r"train.py --flag True \+\+model.x=0\.\d+ a/b/lr=0\.\d+ \+db@data", said[-2])


def test_errors_name_the_file_in_which_a_value_stands(tmp_path: Path) -> None:
    config = BARE | {"program": "gone.py", "run_cap": 1}
    write(tmp_path, "sweep.yaml", config)
    spec = {"id": "tune", "type": "sweep", "sweep": {"config": "sweep.yaml", "count": 3}}
    assert refusal(tmp_path, spec).startswith("sweep.yaml:1: program: gone.py doesn't exist")
    write(tmp_path, "sweep.yaml", config | {"program": "train.py"})
    assert refusal(tmp_path, spec | {"seeds": [0, 1]}).startswith("sweep.yaml:16: run_cap: found 1")


def test_seed_among_the_parameters_gives_each_trial_its_seeds(tmp_path: Path) -> None:
    def config(**seed: Any) -> dict[str, Any]:
        return GRID | {"parameters": GRID["parameters"] | {"seed": seed}}

    listed = load(tmp_path, config(values=[5, 7]))
    write(tmp_path, "plain.yaml", GRID)
    spec = {"id": "my-sweep", "type": "sweep", "sweep": {"config": "plain.yaml"}}
    write(tmp_path, "tune.yaml", spec | {"seeds": [5, 7]})
    by_hand = load_experiment("tune.yaml", {"seed": 0}, GROUPS, tmp_path)
    assert listed.runs == by_hand.runs
    assert [run.seed for run in listed.runs] == [5, 7] * 3
    assert listed.runs[0].definition.seed_by_argument == {"seed": 5}

    constant = load(tmp_path, config(value=7))
    assert {run.id for run in constant.runs} < {run.id for run in listed.runs}
    write(tmp_path, "plain.yaml", config(value=7))
    assert refusal(tmp_path, spec | {"seeds": [7]}) == (
        "my sweep.yaml:5: seeds: the sweep has `seed` among its parameters; remove one"
    )


@pytest.mark.parametrize("file", ["pkg/train.py", "src/pkg/train.py", "pkg/train/__main__.py"])
def test_a_module_after_m_is_found_in_the_project(tmp_path: Path, file: str) -> None:
    (tmp_path / file).parent.mkdir(parents=True)
    (tmp_path / file).write_text("import wandb\n")
    command = ["${env}", "${interpreter}", "-m", "${program}", "${args}"]
    found = load(tmp_path, GRID | {"program": "pkg.train", "command": command})
    assert found.spec.program == file
    assert found.spec.command == ("${env}", "${interpreter}", "-m", "pkg.train", "${args}")


def test_an_experiment_says_where_the_code_of_a_command_is(tmp_path: Path) -> None:
    write(tmp_path, "sweep.yaml", GRID | {"program": "my-train", "command": ["${program}", "fit"]})
    spec = {"id": "tune", "type": "sweep", "program": "train.py", "sweep": {"config": "sweep.yaml"}}
    found = load(tmp_path, spec, name="tune.yaml")
    assert (found.spec.program, found.spec.command) == ("train.py", ("my-train", "fit"))
    assert refusal(tmp_path, GRID | {"program": "my-train", "command": ["${program}"]}) == (
        "my sweep.yaml:1: program: my-train doesn't exist; give its path from the folder you work "
        "in, or for a module or a command write an experiment with this sweep, whose `program` is "
        "the file with its code"
    )


def test_two_programs_that_are_both_there_are_refused(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("")
    write(tmp_path, "sweep.yaml", GRID | {"program": "other.py"})
    spec = {"id": "tune", "type": "sweep", "program": "train.py", "sweep": {"config": "sweep.yaml"}}
    assert 'its sweep "other.py"; remove one' in refusal(tmp_path, spec)
