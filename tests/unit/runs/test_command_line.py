"""W&B's command macros mean here what they mean in `wandb agent`."""

import json
from pathlib import Path

import pytest
from caduceus.runs import command_line
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args

PARAMETERS = {"rate": 1e-05, "deep": True, "wide": False, "name": "a b", "none": None, "n": 3}


@pytest.mark.parametrize("name", [name for name in command_line.NAMES if name.startswith("args")])
def test_every_form_of_arguments_is_that_of_wandb(tmp_path: Path, name: str) -> None:
    file = tmp_path / "parameters.json"
    theirs = create_sweep_command_args({"args": {k: {"value": v} for k, v in PARAMETERS.items()}})
    ours = command_line.expand([f"${{{name}}}"], "p.py", PARAMETERS, file)

    if name == "args_json_file":
        assert ours == [str(file)]
        assert json.loads(file.read_text()) == PARAMETERS
    else:
        assert ours == theirs[name]


def test_the_default_command_starts_the_program_with_this_python(tmp_path: Path) -> None:
    words = command_line.expand(
        ["${env}", "${interpreter}", "${program}", "${args}"], "p.py", {"a": 1}, tmp_path / "x"
    )
    assert words[0] == "/usr/bin/env"
    assert Path(words[1]).name.startswith("python")
    assert words[2:] == ["p.py", "--a=1"]


def test_variables_are_those_of_wandb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODES", "4")
    command = [
        "--n=${envvar:NODES}",
        "${envvar:MISSING}",
        "plain",
        "a${envvar:NODES}b${envvar:NODES}",
    ]
    assert command_line.expand(command, "p.py", {}, tmp_path / "x") == create_sweep_command(
        [*command]
    )


def test_a_macro_that_wandb_would_not_replace_is_found() -> None:
    assert command_line.wrong_word(["${env}", "x${envvar:A}", 3]) is None
    assert command_line.wrong_word(["${env}", "${argz}"]) == "${argz}"
    assert command_line.wrong_word(["--config=${args_json_file}"]) == "--config=${args_json_file}"
