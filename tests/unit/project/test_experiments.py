"""Experiments: the runs that follow from a file, and the ids they get."""

import re
from dataclasses import replace
from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.project.experiments import Experiment, load_experiment
from caduceus.project.identity import identity
from caduceus.project.project import load_project
from caduceus.project.settings import WandbSettings
from caduceus.runs.files.params import Params
from caduceus.runs.files.plan import Plan
from projects import CONFIG, EXPERIMENT, REPOSITORY, Project

SETTINGS = WandbSettings(
    mode="offline",
    entity=None,
    project="p",
    patience_s=60,
    scratch=None,
    groups={},
    artifact_types={"model": ""},
)
GROUPS = {"baseline": "", "novel": ""}


def load(project: Project, defaults: dict[str, Any] | None = None, **changes: Any) -> Experiment:
    project.change("experiments/toy.yaml", **changes)
    return load_experiment(
        "experiments/toy.yaml", {"seed": 0} | (defaults or {}), GROUPS, project.path
    )


def refusal(project: Project, **changes: Any) -> str:
    with pytest.raises(SpecError) as caught:
        load(project, **changes)
    return str(caught.value)


def test_the_matrix_is_crossed_with_the_seeds(project: Project) -> None:
    experiment = load(project, matrix={"rate": [0.1, 0.2], "deep": [True, False]}, seeds=[3, 4])

    assert [(run.variant, run.seed) for run in experiment.runs][:3] == [
        ("rate=0.1,deep=true", 3),
        ("rate=0.1,deep=true", 4),
        ("rate=0.1,deep=false", 3),
    ]
    assert len({run.id for run in experiment.runs}) == 8
    assert experiment.runs[0].definition.parameters == {"width": 4, "rate": 0.1, "deep": True}
    assert experiment.runs[0].name == "toy rate=0.1,deep=true seed=3"


def test_exclude_leaves_variants_out_and_variants_adds_some(project: Project) -> None:
    experiment = load(
        project,
        matrix={"rate": [0.1, 0.2], "deep": [True, False]},
        exclude=[{"rate": 0.1, "deep": True}, {"rate": 0.2, "deep": False}],
        variants={"wide": {"rate": 0.3, "width": 9}},
        seeds=[0],
    )

    assert [run.variant for run in experiment.runs] == [
        "rate=0.1,deep=false",
        "rate=0.2,deep=true",
        "wide",
    ]
    assert experiment.runs[-1].definition.parameters == {"width": 9, "rate": 0.3}


def test_without_matrix_and_variants_there_is_one_variant(project: Project) -> None:
    experiment = load(project, {"rate": 0.5, "seed": 7}, matrix={}, seeds=[7])
    assert [(run.variant, run.seed) for run in experiment.runs] == [("default", 7)]
    assert experiment.runs[0].definition.parameters == {"rate": 0.5, "width": 4}


def test_defaults_stand_under_the_experiments_parameters(project: Project) -> None:
    (project.path / "experiments/toy.yaml").write_text(
        "id: toy\ntype: novel\nprogram: experiments/train.py\nparameters: {width: 5}\n"
    )
    experiment = load_experiment(
        "experiments/toy.yaml", {"width": 4, "rate": 0.1, "seed": 9}, GROUPS, project.path
    )

    (run,) = experiment.runs
    assert run.seed == 9
    assert run.definition.parameters == {"width": 5, "rate": 0.1}


def test_the_id_is_the_same_everywhere_and_for_ever(project: Project) -> None:
    """If this fails, every run that users have finished would be trained anew."""
    assert [run.id for run in load(project, seeds=[0], code="1").runs] == [
        "toy-0a31edcb6b9f",
        "toy-df007cd387dc",
    ]


@pytest.mark.parametrize(
    "change",
    [
        {"name": "Other"},
        {"group": "novel"},
        {"type": "novel"},
        {"tags": ["x"]},
        {"description": "x"},
        {"hypothesis": "x"},
        {"resources": {"threads": 2}},
        {"resources": {"gpus": 0.25}},
        {"environment": {"uv": "study"}},
        {"environment": {"python": "/env/bin/python"}},
        {"environment": {"apptainer": "image.sif"}},
        {"metric": None},
        {"dataset": {"name": "points", "path": "elsewhere", "version": 1}},
    ],
)
def test_what_does_not_decide_the_result_is_not_in_the_id(
    project: Project, change: dict[str, Any]
) -> None:
    before = [run.id for run in load(project).runs]
    assert [run.id for run in load(project, **change).runs] == before


@pytest.mark.parametrize(
    "change",
    [
        {"parameters": {"width": 5}},
        {"parameters": {"width": 4.0}},
        {"command": ["${interpreter}", "${program}", "${args}"]},
        {"dataset": {"name": "points", "path": "data/points.csv", "version": 2}},
        {"dataset": {"name": "other", "path": "data/points.csv", "version": 1}},
        {"dataset": None},
        {"code": "2"},
        {"program": "experiments/curve.py"},
    ],
)
def test_what_decides_the_result_is_in_the_id(project: Project, change: dict[str, Any]) -> None:
    before = {run.id for run in load(project).runs}
    assert not before & {run.id for run in load(project, **change).runs}


def test_a_code_version_stands_for_the_code(project: Project) -> None:
    before = [run.id for run in load(project, code="2").runs]
    project.replace("experiments/train.py", "range(5)", "range(6)")
    assert [run.id for run in load(project, code="2").runs] == before


def test_code_patterns_say_which_files_count(project: Project) -> None:
    project.write("experiments/notes.txt", "one")
    before = [run.id for run in load(project, code=["experiments/*.txt"]).runs]
    project.replace("experiments/curve.py", "step + 2", "step + 3")
    assert [run.id for run in load(project).runs] == before
    project.write("experiments/notes.txt", "two")
    assert not set(before) & {run.id for run in load(project).runs}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"group": "novl"}, r'group: found "novl", allowed: baseline, novel; declare others'),
        ({"program": "x.py"}, r"program: x.py doesn't exist; give its path from the folder"),
        ({"parameters": {"seed": 1}}, r"parameters.seed: list seeds under `seeds`"),
        ({"matrix": {"seed": [1, 2]}}, r"matrix.seed: list seeds under `seeds`"),
        ({"variants": {"a": {"seed": 1}}}, r"variants.a.seed: list seeds under `seeds`"),
        ({"exclude": [{"seed": 1}]}, r"exclude\[0\].seed: list seeds under `seeds`"),
        ({"baseline": {"seed": 1}}, r"baseline.seed: list seeds under `seeds`"),
        ({"seed_argument": "--seed"}, r'seed_argument: found "--seed", allowed: the name of the'),
        ({"seed_argument": True}, r"seed_argument: found true, allowed: the name of the argument"),
        ({"seed_argument": "width"}, r"'width' is a parameter of variant 'rate=0.1' too"),
        (
            {"command": ["x", "a=${param:depth}"]},
            r"\${param:depth} is no parameter of variant 'rat",
        ),
        ({"command": ["x", "${param:}"]}, r"command: found \${param:}, allowed: "),
        ({"exclude": [{"rate": 9}]}, r'exclude\[0\]: {"rate": 9} matches no variant'),
        ({"exclude": [{"rate": 0.1}, {"rate": 0.2}]}, "exclude: no variant is left"),
        ({"baseline": {"rate": 9}}, r'baseline: {"rate": 9} matches no variant; variants: rate='),
        ({"matrix": {"rate": [1, 1]}}, "matrix.rate: duplicate value 1; remove one"),
        (
            {"matrix": {"width": [1, 2]}, "parameters": {"width": 3}},
            "parameters.width: the matrix has it too; remove it here or there",
        ),
        ({"variants": {"again": {"rate": 0.1}}}, "variants 'rate=0.1' and 'again' have the same"),
        ({"variants": {"rate=0.1": {"rate": 5}}}, "the matrix has a variant of this name"),
        ({"command": ["${programme}"]}, r"command: found \${programme}, allowed: \${env}, "),
        ({"command": ["--c=${args_json_file}"]}, r"found --c=\${args_json_file}, allowed: \${env}"),
        ({"matrix": {"rate": [1, "1"]}}, "matrix: two combinations are called 'rate=1'"),
        (
            {"variants": {"it's": {"rate": 7}, "b\\": {"rate": 7}}},
            r'variants "it\'s" and "b\\\\" have the same',
        ),
        ({"program": "../train.py"}, r"program: ../train.py lies outside the folder you work in"),
        ({"program": "/x/train.py"}, r"program: /x/train.py lies outside the folder you work in"),
        ({"code": ["src/**.py"]}, r"code\[0\]: in 'src/\*\*.py', '\*\*' can only be"),
        ({"code": ["/src/*.py"]}, r"code\[0\]: Non-relative patterns"),
        ({"code": ["src/*.py"]}, r'code\[0\]: no file matches "src/\*.py"'),
        ({"dataset": {"name": "d", "program": "x.py", "version": 1}}, "dataset.program: x.py does"),
        (
            {"environment": {"uv": "."}, "preload": ["torch"]},
            "preload: modules aren't preloaded in an environment of the experiment's own; remove",
        ),
        ({"environment": {"uv": "."}, "preload": "auto"}, "preload: modules aren't preloaded"),
        (
            {"environment": {"uv": ".", "python": "p"}},
            "environment: found uv, python; needs one of",
        ),
        ({"environment": {}}, "environment: found ; needs one of uv and python and apptainer"),
        ({"environment": {"conda": "p"}}, r"environment"),
        ({"environment": {"uv": ""}}, r"environment"),
        ({"environment": "uv"}, r'environment: found "uv"'),
    ],
)
def test_what_a_schema_cannot_say_is_refused_with_file_and_line(
    project: Project, changes: dict[str, Any], message: str | None
) -> None:
    if message is None:  # two equal values make one variant, once
        assert len(load(project, **changes).runs) == 2
        return
    found = refusal(project, **changes)
    assert re.match(r"experiments/toy.yaml:\d+: ", found)
    assert re.search(message, found)
    assert "\n" not in found


def without_seeds(project: Project, **changes: Any) -> Experiment:
    spec = {key: value for key, value in EXPERIMENT.items() if key != "seeds"}
    project.write_yaml("experiments/toy.yaml", spec)
    return load(project, **changes)


def test_the_seed_is_passed_only_where_seeds_are_listed(project: Project) -> None:
    listed, unlisted = load(project, seeds=[0]), without_seeds(project)
    assert [run.id for run in unlisted.runs] == [run.id for run in listed.runs]  # as ever
    assert [run.name for run in unlisted.runs] == [run.name for run in listed.runs]
    for experiment, passed in ((listed, {"seed": 0}), (unlisted, None)):
        assert experiment.plan == Plan.from_json(experiment.plan.to_json())
        for run in experiment.runs:
            assert run.definition.seed_by_argument == passed
            assert Params.from_json(run.definition.to_json()) == run.definition
            config = identity(experiment, run, SETTINGS).config
            assert config.get("seed") == (0 if passed else None)
    assert "seed_argument" not in listed.runs[0].definition.to_json()


def test_the_seed_goes_by_the_name_that_the_experiment_gives_it(project: Project) -> None:
    plain = load(project, seeds=[3]).runs[0]
    named = load(project, seeds=[3], seed_argument="model.seed").runs[0]
    none = load(project, seeds=[3], seed_argument=None).runs[0]
    left_out = load(project, seeds=[3], seed_argument=False)
    assert named.definition.seed_by_argument == {"model.seed": 3}
    assert none.definition.seed_by_argument is None
    assert none == left_out.runs[0]
    assert len({plain.id, named.id, none.id}) == 3  # each is another command line
    assert identity(left_out, none, SETTINGS).config["seed"] == 3  # for programs that read it
    with pytest.raises(SpecError, match=r"toy.yaml:\d+: seed_argument: found \"s\", but no seeds"):
        without_seeds(project, seed_argument="s")


def test_seeds_are_whole_numbers_however_they_are_written(project: Project) -> None:
    whole, pointed = load(project, seeds=[1, 20]), load(project, seeds=[1.0, 2e1])
    assert [run.id for run in pointed.runs] == [run.id for run in whole.runs]
    assert {type(run.seed) for run in pointed.runs} == {int}


def test_a_date_among_the_parameters_is_refused(project: Project) -> None:
    project.replace("experiments/toy.yaml", "width: 4", "width: 2026-01-01")
    with pytest.raises(SpecError, match=r"parameters\.width: found a date; put it in quotes"):
        load_experiment("experiments/toy.yaml", {"seed": 0}, GROUPS, project.path)


def test_wandb_gets_only_what_it_takes(project: Project) -> None:
    """Ids of 64 characters at most, of letters, digits and _ . -, and tags of 64."""
    longest = "x" * 48
    experiment = load(
        project,
        id=longest,
        dataset={"name": "d" * 48, "path": "data/points.csv", "version": 1},
    )
    found = identity(experiment, experiment.runs[0], SETTINGS)

    assert re.fullmatch(r"[A-Za-z0-9_.-]{1,64}", found.id)
    assert all(len(tag) <= 64 for tag in found.tags)
    assert len(f"dataset-{'d' * 48}") <= 128


def test_what_the_experiment_does_not_say_is_left_to_the_program(project: Project) -> None:
    experiment = load(project, hypothesis="", dataset=None, baseline=None)
    config = identity(experiment, experiment.runs[0], SETTINGS).config
    assert not {"hypothesis", "dataset", "baseline"} & config.keys()
    assert config["experiment"] == experiment.id


def test_declared_types_of_artifacts_extend_those_that_runs_always_log(project: Project) -> None:
    experiment = load(project)
    settings = replace(SETTINGS, artifact_types={"prose": "", "results": ""})
    found = identity(experiment, experiment.runs[0], settings).artifact_types
    assert found == ("prose", "results", "model", "dataset", "experiment-spec")


def test_a_parameter_named_like_one_of_ours_wins(project: Project) -> None:
    experiment = load(project, parameters={"dataset": "mine"})
    found = identity(experiment, experiment.runs[0], SETTINGS)
    assert found.config["dataset"] == "mine"


def test_two_experiments_need_two_ids(project: Project) -> None:
    project.write_yaml("experiments/other.yaml", EXPERIMENT)
    config = CONFIG | {"experiments": ["experiments/toy.yaml", "experiments/other.yaml"]}
    with pytest.raises(SpecError, match=r"other.yaml:1: id: 'toy' is the id of experiments/toy"):
        load_project(config, [], project.path)


def test_a_dataset_means_the_same_in_every_experiment(project: Project) -> None:
    other = EXPERIMENT | {
        "id": "other",
        "dataset": {"name": "points", "path": "data/points.csv", "version": 2},
    }
    project.write_yaml("experiments/other.yaml", other)
    config = CONFIG | {"experiments": ["experiments/toy.yaml", "experiments/other.yaml"]}
    with pytest.raises(SpecError, match=r"dataset: 'points' is declared differently at experi"):
        load_project(config, [], project.path)


def test_a_table_of_an_experiment_that_is_not_listed_is_refused(project: Project) -> None:
    paper = {"tables": {"t": {"experiments": ["mnist"], "metrics": {"a": "b"}}}}
    with pytest.raises(SpecError, match=r"paper\.tables\.t\.experiments: 'mnist' isn't among the"):
        load_project(CONFIG | {"paper": paper}, [], project.path)


@pytest.mark.parametrize("name", ["mnist1d.yaml", "mnist1d_quick.yaml", "template.yaml"])
def test_the_shipped_experiments_are_valid(name: str) -> None:
    defaults = {"learning_rate": 1e-2, "batch_size": 100, "epochs": 150, "seed": 0}
    groups = {"baseline": "", "ablation": ""}
    experiment = load_experiment(f"experiments/{name}", defaults, groups, REPOSITORY)
    counts = {"mnist1d.yaml": 64, "mnist1d_quick.yaml": 24, "template.yaml": 8}
    assert len(experiment.runs) == counts[name]


def test_a_missing_program_is_refused(project: Project) -> None:
    spec = {key: value for key, value in EXPERIMENT.items() if key != "program"}
    project.write_yaml("experiments/toy.yaml", spec)
    with pytest.raises(SpecError) as caught:
        load(project)
    assert str(caught.value) == (
        "experiments/toy.yaml:1: missing key 'program': add it, the training program, a path from "
        "the folder you work in"
    )


def test_parameters_that_no_command_line_takes_are_refused(project: Project) -> None:
    with pytest.raises(SpecError, match=r"parameters: 1\d\d kB of variant 'rate=0.1', allowed: at"):
        load(project, parameters={"layers": list(range(20_000))})
