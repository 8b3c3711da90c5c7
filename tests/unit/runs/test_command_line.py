"""W&B's command macros mean here what they mean in `wandb agent`."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from caduceus.runs import command_line

PARAMETERS = {"rate": 1e-05, "deep": True, "wide": False, "name": "a b", "none": None, "n": 3}


COMMAND = ["--n=${envvar:NODES}", "plain", "a${envvar:NODES}b${envvar:NODES}"]
# A new process imports this in a quarter of the time that one with two thousand modules takes.
THEIRS = """
import json, sys
from wandb.sdk.launch.sweeps.utils import create_sweep_command, create_sweep_command_args
values, command = json.loads(sys.argv[1])
arguments = create_sweep_command_args({"args": {k: {"value": v} for k, v in values.items()}})
print(json.dumps([arguments, create_sweep_command(command)]))
"""


@pytest.fixture(scope="module")
def theirs() -> tuple[dict[str, list[str]], list[str]]:
    """Return what wandb makes of `PARAMETERS`, by form, and of `COMMAND` where NODES is 4."""
    words = [sys.executable, "-c", THEIRS, json.dumps([PARAMETERS, COMMAND])]
    variables = os.environ | {"NODES": "4"}
    done = subprocess.run(words, env=variables, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    arguments, command = json.loads(done.stdout)
    return arguments, command


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in command_line.NAMES if name.startswith("args")])
def test_every_form_of_arguments_is_that_of_wandb(
    tmp_path: Path, theirs: tuple[dict[str, list[str]], list[str]], name: str
) -> None:
    file = tmp_path / "parameters.json"
    ours = command_line.expand([f"${{{name}}}"], "p.py", PARAMETERS, file, {})

    if name == "args_json_file":
        assert ours == [str(file)]
        assert json.loads(file.read_text()) == PARAMETERS
    else:
        assert ours == theirs[0][name]


def test_the_default_command_starts_the_program_with_this_python(tmp_path: Path) -> None:
    words = command_line.expand(
        ["${env}", "${interpreter}", "${program}", "${args}"], "p.py", {"a": 1}, tmp_path / "x", {}
    )
    assert words[0] == "/usr/bin/env"
    assert Path(words[1]).name.startswith("python")
    assert words[2:] == ["p.py", "--a=1"]


def test_variables_are_those_of_wandb(
    tmp_path: Path, theirs: tuple[dict[str, list[str]], list[str]]
) -> None:
    ours = command_line.expand(COMMAND, "p.py", {}, tmp_path / "x", {"NODES": "4"})
    assert ours == theirs[1]


def test_a_variable_that_is_not_set_is_refused_with_its_place(tmp_path: Path) -> None:
    """W&B leaves its name, which a program would take for the value."""
    with pytest.raises(
        command_line.MacroError, match=r"\${envvar:MISSING}: MISSING isn't"
    ) as error:
        command_line.expand(["a", "--x=${envvar:MISSING}"], "p.py", {}, tmp_path / "x", {})
    assert error.value.index == 1


def test_the_seed_is_an_argument_only_where_it_has_a_name(tmp_path: Path) -> None:
    def words(seed: dict[str, int] | None, *command: str) -> list[str]:
        environment = {"CADUCEUS_SEED": "7"}
        return command_line.expand(command, "p.py", {"a": 1}, tmp_path / "x", environment, seed)

    assert words(None, "${args}") == ["--a=1"]
    assert words({"seed": 7}, "${args}") == ["--a=1", "--seed=7"]
    assert words({"model.seed": 7}, "${args_override_hydra}") == ["++a=1", "++model.seed=7"]
    assert words(None, "x-${seed}", "${args_json}") == ["x-7", '{"a": 1}']


def test_macros_of_one_value_stand_anywhere_in_a_word(tmp_path: Path) -> None:
    environment = {
        "CADUCEUS_SEED": "3",
        "WANDB_RUN_ID": "toy-1",
        "CADUCEUS_OUTPUT_DIR": "/out",
        "CADUCEUS_CHECKPOINT_DIR": "/saved",
    }
    parameters = {"lr": 1e-05, "a.b": 1, "a": {"c": {"d": "x"}}, "big": 2**70, "deep": True}
    command = [
        "${run_id}:${seed}",
        "--out=${output_dir}/${param:lr}",
        "${checkpoint_dir}",
        "${param:a.b}${param:a.c.d}",
        "${param:big}",
        "${param:deep}",
        "${envvar:CADUCEUS_OUTPUT_DIR}",
    ]
    assert command_line.wrong_word(command) is None
    assert command_line.missing_parameter(command, parameters) is None
    assert command_line.expand(command, "p.py", parameters, tmp_path / "x", environment) == [
        "toy-1:3",
        "--out=/out/1e-05",
        "/saved",
        "1x",
        "1180591620717411303424",
        "True",
        "/out",
    ]
    assert command_line.missing_parameter(["x", "${param:a.c.e}"], parameters) == (1, "a.c.e")


def test_a_macro_that_wandb_would_not_replace_is_found() -> None:
    assert command_line.wrong_word(["${env}", "x${envvar:A}", 3]) is None
    assert command_line.wrong_word(["${env}", "${argz}"]) == "${argz}"
    assert command_line.wrong_word(["--config=${args_json_file}"]) == "--config=${args_json_file}"
    assert command_line.wrong_word(["--seed=${seed", "x"]) == "--seed=${seed"
    assert command_line.wrong_word(["${seed}${run_id", "$seed", "{seed}"]) == "${seed}${run_id"
    assert command_line.wrong_word(["$seed", "{seed}", "$${seed}"]) is None


def test_a_program_in_a_hidden_folder_gets_its_full_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in (".venv/bin/python", "bin/tool", ".data"):
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).touch(0o755 if "/" in name else 0o644)
    words = [".venv/bin/python", "./.venv/bin/python", "bin/tool", ".data", ".", "..", "-m", ""]
    python = str(tmp_path / ".venv/bin/python")
    assert command_line.with_hidden_programs(words) == [python, python, *words[2:]]


def test_programs_of_this_environment_are_found_after_those_of_path(tmp_path: Path) -> None:
    """No environment is activated: PATH lacks `papermill`, and its own `python` counts."""
    own = Path(sys.executable)
    path = command_line.search_path(str(tmp_path))
    assert shutil.which(own.name, path=path) == str(own)
    (tmp_path / own.name).touch(0o755)
    assert shutil.which(own.name, path=path) == str(tmp_path / own.name)
