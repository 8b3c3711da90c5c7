"""Messages about a command name the user's file and line."""

from pathlib import Path

import pytest
from caduceus.errors import SpecError
from caduceus.project.command_checks import place_of_word
from caduceus.project.experiments import load_experiment
from projects import Project


def test_a_word_is_found_in_the_file_that_the_user_wrote(project: Project) -> None:
    project.change("experiments/toy.yaml", command=["python", "${program}", "${args}"])
    copy = project.path / "copy.yaml"
    copy.write_text((project.path / "experiments/toy.yaml").read_text())
    plan = project.path / "toy.json"
    assert place_of_word(copy, plan, 2) == f"{copy}:23"  # not planned yet: its copy
    experiment = load_experiment(
        "experiments/toy.yaml", {"seed": 0}, {"baseline": ""}, project.path
    )
    experiment.plan.write(plan)
    assert place_of_word(copy, plan, 2) == "experiments/toy.yaml:23"


@pytest.mark.parametrize("inside", [True, False])
def test_a_word_of_a_sweeps_command_is_found_there(
    tmp_path: Path, inside: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = "method: grid\nparameters: {x: {values: [1]}}\ncommand:\n- python\n- ${envvar:A}\n"
    Path("sweep.yaml").write_text(text)
    indented = "".join(f"    {line}\n" for line in text.splitlines())
    config = f"\n{indented}" if inside else " sweep.yaml\n"
    Path("tune.yaml").write_text(f"id: tune\ntype: sweep\nsweep:\n  config:{config}")
    expected = "tune.yaml:9" if inside else "sweep.yaml:5"
    assert place_of_word(Path("tune.yaml"), Path("none.json"), 1) == expected


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("parameters", {"text": "a\0b"}),
        ("parameters", {"a": {"b": ["a\0b"]}}),
        ("parameters", {"a\0b": 1}),
        ("matrix", {"text": ["a", "a\0b"]}),
        ("command", ["${program}", "a\0b"]),
    ],
)
def test_a_nul_is_refused_before_anything_runs(project: Project, key: str, value: object) -> None:
    project.change("experiments/toy.yaml", **{key: value})
    with pytest.raises(SpecError, match=r"toy.yaml:\d+: .*NUL.*remove it"):
        load_experiment("experiments/toy.yaml", {"seed": 0}, {"baseline": ""}, project.path)


def test_a_nul_in_a_default_is_refused_too(project: Project) -> None:
    defaults = {"seed": 0, "text": "a\0b"}
    with pytest.raises(SpecError, match=r"toy.yaml.*: variant 'rate=0.1' has the character NUL"):
        load_experiment("experiments/toy.yaml", defaults, {"baseline": ""}, project.path)
