"""Arguments that argparse would silently take for another option."""

from pathlib import Path
from typing import Any

import pytest
from caduceus.project.abbreviations import abbreviation_warnings, argparse_options
from caduceus.project.conventions import KeyWarning
from caduceus.project.experiments import load_experiment
from projects import EXPERIMENT, Project

PROGRAM = """\
import argparse
parser = argparse.ArgumentParser({settings})
parser.add_argument("config", nargs="?")
parser.add_argument("-r", "--rate", type=float)
group = parser.add_argument_group("model")
group.add_argument("--width_of_layers", "--wide")
{seed}
"""
ABBREVIATED = 'parser.add_argument("--seed_model", type=int)'


def warnings(project: Project, program: str, **changes: Any) -> list[KeyWarning]:
    project.write("experiments/train.py", program)
    project.write_yaml("experiments/toy.yaml", EXPERIMENT | {"parameters": {}} | changes)
    found = load_experiment("experiments/toy.yaml", {"seed": 0}, {"baseline": ""}, project.path)
    return list(abbreviation_warnings(found.spec, found.code))


def program(seed: str = ABBREVIATED, settings: str = "") -> str:
    return PROGRAM.format(seed=seed, settings=settings)


def test_a_seed_that_sets_another_option_is_said(project: Project) -> None:
    assert warnings(project, program()) == [
        (
            ["seeds"],
            "experiments/train.py has no --seed, and argparse takes it for --seed_model, as an "
            "abbreviation; name the argument by `seed_argument`, or create the parser with "
            "allow_abbrev=False",
        )
    ]
    [(keys, _)] = warnings(project, program(), seed_argument="seed_mod")
    assert keys == ["seed_argument"]


@pytest.mark.parametrize(
    ("changes", "keys"),
    [
        ({"parameters": {"width": 4}}, ["parameters", "width"]),
        ({"matrix": {"width": [4, 5]}}, ["matrix", "width"]),
        ({"variants": {"big": {"width": 9}}}, ["variants", "big", "width"]),
        ({"zip": {"width": [4], "rate": [1]}, "matrix": {}}, ["zip", "width"]),
        ({"methods": {"m": {"width": 4}}}, ["methods", "m", "width"]),
    ],
)
def test_so_is_a_parameter(project: Project, changes: dict[str, Any], keys: list[str]) -> None:
    seed = 'parser.add_argument("--seed")'
    [(found, message)] = warnings(project, program(seed), **changes)
    assert found == keys
    assert "has no --width, and argparse takes it for --width_of_layers" in message
    assert "name the parameter as the program does" in message


@pytest.mark.parametrize(
    ("text", "changes"),
    [
        (program('parser.add_argument("--seed")'), {}),
        (program(settings="allow_abbrev=False"), {}),
        # argparse refuses what may be several.
        (program(f'{ABBREVIATED}; parser.add_argument("--seed_data")'), {}),
        # Another option may have the name.
        (program(f'{ABBREVIATED}; parser.add_argument("--" + name)'), {}),
        (program(f"{ABBREVIATED}; parser.add_argument(*names)"), {}),
        (program(f"{ABBREVIATED}; parser.add_argument(**settings)"), {}),
        (program(), {"command": ["${interpreter}", "${program}", "${args_no_hyphens}"]}),
        (program(), {"seed_argument": None}),
        ("import click\nclick.option('--seed_model')\n", {}),
    ],
)
def test_nothing_is_said_where_nothing_is_abbreviated(
    project: Project, text: str, changes: dict[str, Any]
) -> None:
    assert warnings(project, text, **changes) == []


def test_options_of_imported_modules_count(project: Project) -> None:
    project.write("experiments/options.py", program('parser.add_argument("--seed")'))
    assert warnings(project, f"import options\n{program()}") == []
    broken = project.write("broken.py", "import argparse (")
    assert argparse_options([broken, Path("notes.txt")]) == set()


def test_it_is_printed_with_file_and_line(project: Project) -> None:
    project.write("experiments/train.py", program())
    words = ["experiments/toy.yaml", "--defaults", '{"seed": 0}', "--groups", '{"baseline": ""}']
    said = project.caduceus("validate-spec", *words, "--out", "plan.json").check().output
    assert "warning: experiments/toy.yaml:15: seeds: experiments/train.py has no --seed" in said
    assert "warning: experiments/toy.yaml:10: parameters: experiments/train.py has no" in said
