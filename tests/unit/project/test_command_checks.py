"""Messages about a command name the user's file and line."""

from pathlib import Path

import pytest
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
