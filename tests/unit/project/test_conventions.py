"""What is allowed in an experiment, and unwise."""

import pytest
from caduceus.io.validation import validate
from caduceus.project.conventions import KeyWarning, convention_warnings
from caduceus.runs.files.plan import Spec
from projects import EXPERIMENT, Project

SPEC = validate(EXPERIMENT, "experiment", lambda keys: "") | {"name": "toy", "group": "baseline"}


def warnings(**changes: object) -> list[KeyWarning]:
    return list(convention_warnings(Spec.from_json(SPEC | changes)))


def test_the_usual_is_not_warned_of() -> None:
    assert warnings() == []


@pytest.mark.parametrize(
    ("change", "key", "said"),
    [
        ({"id": "toy-seed3"}, ["id"], "list seeds under `seeds`"),
        ({"name": "Toy, s1"}, ["name"], "list seeds under `seeds`"),
        ({"group": "novel"}, ["group"], "'novel' is the group of another type"),
        ({"tags": ["toy"]}, ["tags", 0], "'toy' is added automatically"),
        ({"tags": ["dataset-points"]}, ["tags", 0], "'dataset-points' is added automatically"),
        ({"tags": ["CNN", "cnn"]}, ["tags", 1], "'cnn' and 'CNN' are two tags"),
        ({"tags": ["seed=1"]}, ["tags", 0], "differs between runs"),
        ({"hypothesis": ""}, ["hypothesis"], "what the runs are for"),
        ({"lists_seeds": False, "seeds": [7]}, ["seeds"], "doesn't get the seed 7"),
        ({"metric": None}, ["metric"], "tables can't mark the best variant"),
    ],
)
def test_what_is_unwise_is_said_with_its_key(
    change: dict[str, object], key: list[object], said: str
) -> None:
    ((found, message),) = warnings(**change)
    assert found == key
    assert said in message


def test_the_warning_names_file_and_line(project: Project) -> None:
    project.change("experiments/toy.yaml", tags=["new", "toy"])
    words = ["experiments/toy.yaml", "--defaults", '{"seed": 0}', "--groups", '{"baseline": ""}']
    printed = project.caduceus("validate-spec", *words, "--out", "plan.json").check()
    assert printed.line() == (
        "caduceus: warning: experiments/toy.yaml:22: tags: 'toy' is added automatically; remove it"
    )
    assert (project.path / "plan.json").exists()
