"""Variants: methods, matrix and zip combined, and what include and exclude make of them."""

from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.project.experiments import Experiment, load_experiment
from projects import Project

Change = dict[str, Any]


def load(project: Project, **changes: Any) -> Experiment:
    project.change("experiments/toy.yaml", **({"parameters": {}, "seeds": [0]} | changes))
    return load_experiment("experiments/toy.yaml", {"seed": 0}, {"baseline": ""}, project.path)


def variants(project: Project, **changes: Any) -> dict[str, Any]:
    found = load(project, **changes).runs
    return {run.variant: run.definition.parameters for run in found}


def refusal(project: Project, **changes: Any) -> str:
    with pytest.raises(SpecError) as caught:
        load(project, **changes)
    return str(caught.value)


def test_include_does_what_the_example_in_githubs_documentation_says(project: Project) -> None:
    found = variants(
        project,
        matrix={"fruit": ["apple", "pear"], "animal": ["cat", "dog"]},
        include=[
            {"color": "green"},
            {"color": "pink", "animal": "cat"},
            {"fruit": "apple", "shape": "circle"},
            {"fruit": "banana"},
            {"fruit": "banana", "animal": "cat"},
        ],
    )

    assert list(found.values()) == [
        {"fruit": "apple", "animal": "cat", "color": "pink", "shape": "circle"},
        {"fruit": "apple", "animal": "dog", "color": "green", "shape": "circle"},
        {"fruit": "pear", "animal": "cat", "color": "pink"},
        {"fruit": "pear", "animal": "dog", "color": "green"},
        {"fruit": "banana"},
        {"fruit": "banana", "animal": "cat"},
    ]
    assert next(iter(found)) == "fruit=apple,animal=cat"


def test_each_method_runs_with_every_combination_and_its_own_parameters(project: Project) -> None:
    found = variants(
        project,
        methods={"svm": {"model": "svm", "c": 1.5}, "knn": {"model": "knn", "k": 3}},
        matrix={"data": ["iris", "wine"]},
    )

    assert found == {
        "svm,data=iris": {"model": "svm", "c": 1.5, "data": "iris"},
        "svm,data=wine": {"model": "svm", "c": 1.5, "data": "wine"},
        "knn,data=iris": {"model": "knn", "k": 3, "data": "iris"},
        "knn,data=wine": {"model": "knn", "k": 3, "data": "wine"},
    }
    assert list(variants(project, methods={"a": {"x": 1}, "b": {}}, matrix={})) == ["a", "b"]


def test_zipped_lists_go_together_and_several_are_combined(project: Project) -> None:
    pair: Change = {"width": [32, 64], "batch": [100, 50]}
    assert list(variants(project, matrix={"deep": [True, False]}, zip=pair)) == [
        "deep=true,width=32,batch=100",
        "deep=true,width=64,batch=50",
        "deep=false,width=32,batch=100",
        "deep=false,width=64,batch=50",
    ]
    two = variants(project, matrix={}, zip=[pair, {"rate": [1, 2], "steps": [20, 10]}])
    assert [(found["width"], found["steps"]) for found in two.values()] == [
        (32, 20),
        (32, 10),
        (64, 20),
        (64, 10),
    ]


def test_exclude_sees_methods_and_zipped_values_and_comes_before_include(project: Project) -> None:
    found = variants(
        project,
        methods={"svm": {"model": "svm"}, "knn": {"model": "knn"}},
        matrix={},
        zip={"width": [1, 2], "batch": [3, 4]},
        exclude=[{"model": "knn", "batch": 3}],
        include=[{"model": "svm", "c": 9}],
    )

    assert list(found) == [
        "svm,width=1,batch=3",
        "svm,width=2,batch=4",
        "knn,width=2,batch=4",
    ]
    assert [values.get("c") for values in found.values()] == [9, 9, None]


def test_include_alone_lists_combinations(project: Project) -> None:
    found = variants(project, matrix={}, include=[{"rate": 1}, {"rate": 2, "deep": True}])

    assert found == {"rate=1": {"rate": 1}, "rate=2,deep=true": {"rate": 2, "deep": True}}


def test_a_composed_run_has_the_id_of_the_run_written_out_in_full(project: Project) -> None:
    combined = load(
        project,
        parameters={"epochs": 3},
        methods={"svm": {"c": 1.5}, "knn": {"k": 3}},
        matrix={"data": ["iris"]},
        zip={"width": [1, 2], "batch": [3, 4]},
        include=[{"data": "iris", "p": 2}],
    )
    ids = {run.id for run in combined.runs}
    shared: Change = {"epochs": 3, "data": "iris", "p": 2}
    written = load(
        project,
        parameters={},
        matrix={},
        methods={},
        zip=[],
        include=[],
        variants={
            "a": {"batch": 3, "width": 1, "c": 1.5, **shared},
            "b": {"batch": 4, "width": 2, "c": 1.5, **shared},
            "c": {"k": 3, "batch": 3, "width": 1, **shared},
            "d": {"k": 3, "batch": 4, "width": 2, **shared},
        },
    )
    assert {run.id for run in written.runs} == ids


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"zip": {"width": [1, 2], "batch": [3]}},
            "zip.batch: found 1 value, allowed: 2, as width has",
        ),
        ({"zip": {"a": [1, 2, 1]}}, "zip.a[2]: the values at places 0 and 2 are equal; remove one"),
        (
            {"zip": {"rate": [1, 2]}, "matrix": {"rate": [1]}},
            "zip.rate: the matrix has it too; remove it here or there",
        ),
        (
            {"zip": [{"a": [1]}, {"a": [2]}]},
            "zip.a: the zip has it too; remove it here or there",
        ),
        (
            {"methods": {"m": {"rate": 1}}, "matrix": {"rate": [1]}},
            "methods.m.rate: the matrix has it too; remove it here or there",
        ),
        (
            {"zip": {"a": [1]}, "parameters": {"a": 2}},
            "parameters.a: the zip has it too; remove it here or there",
        ),
        ({"zip": {"seed": [1, 2]}}, "zip.seed: list seeds under `seeds`"),
        ({"methods": {"m": {"seed": 1}}}, "methods.m.seed: list seeds under `seeds`"),
        ({"include": [{"seed": 1}]}, "include[0].seed: list seeds under `seeds`"),
        (
            {"matrix": {"rate": [1, 2]}, "include": [{"rate": 1}]},
            'include[0]: {"rate": 1} is a combination already; remove it, or give it more',
        ),
        (
            {"matrix": {}, "include": [{"rate": 1}, {"rate": 1}]},
            "include[1]: another combination is called 'rate=1'; remove one",
        ),
        (
            {"methods": {"a": {"x": 1}, "b": {"x": 1}}, "matrix": {}},
            "variants 'a' and 'b' have the same parameters; remove one",
        ),
        ({"zip": [{}]}, "zip[0]: found {}, allowed: lists of values that go together"),
        ({"zip": {"a": 1}}, "zip.a: found 1, allowed: a list of at least one value"),
        ({"include": [{}]}, "include[0]: found {}, allowed: parameters by name"),
        (
            {"zip": {"a": list(range(400))}, "matrix": {"b": list(range(400))}},
            "found 160000 combinations, each with 1 seeds, allowed: at most 100,000 runs",
        ),
    ],
)
def test_a_mistake_is_named_with_its_line(project: Project, changes: Change, message: str) -> None:
    found = refusal(project, **changes)

    assert message in found
    assert found.startswith("experiments/toy.yaml:")
