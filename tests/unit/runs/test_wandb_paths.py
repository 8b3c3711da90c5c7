"""Paths of projects and runs on a W&B server."""

import pytest
from caduceus.errors import SpecError
from caduceus.runs.wandb_paths import ProjectPath, RunPath


@pytest.mark.parametrize(
    ("text", "path"),
    [
        ("p", ProjectPath("", "p")),
        ("alice/p", ProjectPath("alice", "p")),
        ("alice-2/a paper, 2nd try", ProjectPath("alice-2", "a paper, 2nd try")),
    ],
)
def test_a_path_is_read_as_it_is_written(text: str, path: ProjectPath) -> None:
    assert ProjectPath.parse(text) == path
    assert str(path) == text


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/",
        "/p",
        "alice/",
        "alice/p/",
        "alice/p/run",
        "al ice/p",
        "alice/ p",
        "alice/p\n",
        "p:1",
    ],
)
def test_what_is_no_path_of_a_project_is_refused_in_one_line(text: str) -> None:
    with pytest.raises(SpecError) as error:
        ProjectPath.parse(text)
    assert str(error.value) == (
        f"config.yaml: found the W&B project {text!r}, allowed: PROJECT or ENTITY/PROJECT, without "
        r"\ # ? % : and without spaces in ENTITY; see wandb.project and wandb.entity"
    )


def test_a_run_belongs_to_a_project() -> None:
    path = ProjectPath("alice", "p").run("abc")
    assert path == RunPath("alice", "p", "abc")
    assert path.project_path == ProjectPath("alice", "p")
    assert path.variables == {"entity": "alice", "project": "p", "run": "abc"}
    assert str(path) == "alice/p/abc"
    assert str(RunPath("", "p", "abc")) == "p/abc"
