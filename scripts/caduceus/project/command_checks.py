"""Checks of an experiment's command, of how it passes the seed, and of its environment."""

from collections.abc import Mapping
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.composition import compose
from caduceus.io.files import Json
from caduceus.io.phrases import pasted
from caduceus.io.validation import brief
from caduceus.io.yaml_files import Source, load
from caduceus.runs import command_line
from caduceus.runs.files.environment import EnvironmentSpec
from caduceus.runs.files.plan import Plan, Spec
from caduceus.runs.preloads import Modules


def check_command(spec: Spec, source: Source, place: str) -> None:
    """Check the macros of the command, and the argument that passes the seed.

    Args:
        spec: the experiment.
        source: its file.
        place: `file:line` of its command.

    Raises:
        SpecError: a macro doesn't exist or stands in a wrong place, or the seed's argument can't be
            passed.
    """
    wrong = command_line.wrong_word(spec.command)
    if wrong:
        raise SpecError(f"command: found {wrong}, allowed: {command_line.ALLOWED}", place)
    name, where = spec.seed_argument, source.where(["seed_argument"])
    if name is None or source.find(["seed_argument"]) is None:
        return
    if not spec.lists_seeds and not (spec.sweep and spec.sweep.confirm):
        raise SpecError(
            f"seed_argument: found {brief(name)}, but no seeds are listed; list them under `seeds`",
            where,
        )


def check_environment(
    environment: EnvironmentSpec | None, preload: Modules, source: Source
) -> None:
    """Check that what an experiment says of its program's environment fits together.

    Raises:
        SpecError: the experiment preloads modules too.
    """
    if environment and preload:
        raise SpecError(
            "preload: modules aren't preloaded in an environment of the experiment's own; remove "
            "preload, or environment",
            source.where(["preload"]),
        )


def check_parameters(
    spec: Spec, parameters: Mapping[str, Json], variant: str, source: Source, root: Path
) -> None:
    """Check that a variant has the parameters that the command names, and none named as the seed.

    Raises:
        SpecError: it lacks one, has an argument twice, or has a text with the character NUL.
    """
    if _has_nul(parameters):
        raise SpecError(
            f"parameters: variant {pasted(variant)} has the character NUL, which no program can be "
            "given; remove it",
            source.where(["parameters"]),
        )
    name = spec.seed_argument
    if spec.lists_seeds and name is not None and name in parameters:
        raise SpecError(
            f"seed_argument: {pasted(name)} is a parameter of variant {pasted(variant)} too; "
            "choose another name, or remove the parameter",
            source.where(["seed_argument" if source.find(["seed_argument"]) else "seeds"]),
        )
    missing = command_line.missing_parameter(spec.command, parameters)
    if missing is not None:
        index, wanted = missing
        raise SpecError(
            f"command: ${{param:{wanted}}} is no parameter of variant {pasted(variant)}; it has "
            f"{', '.join(parameters) or 'none'}",
            _place_of_word(source, index, root),
        )


def _has_nul(value: Json) -> bool:
    if isinstance(value, str):
        return "\0" in value
    if isinstance(value, Mapping):
        return any(map(_has_nul, [*value, *value.values()]))
    return isinstance(value, list | tuple) and any(map(_has_nul, value))


def place_of_word(experiment: Path, plan: Path, index: int) -> str:
    """Return the user's file and line of a word of a command.

    Args:
        experiment: the run's copy of the experiment file.
        plan: results/experiments/ID.json, which names the file; without it the copy is named.
        index: the word's place in the command, from 0.
    """
    planned = Plan.read_if_there(plan)
    source = load(experiment, planned.file if planned else str(experiment))
    if planned and Path(planned.file).is_file():
        now = compose(planned.file, Path())
        if now.value == source.value:
            source = now
        elif len(now.files) > 1:  # the copy is written out in full, so its lines are its own
            source = load(experiment)
    return _place_of_word(source, index, Path())


def _place_of_word(source: Source, index: int, root: Path) -> str:
    sweep = source.value.get("sweep")
    if sweep is None or source.find(["command"]) is not None:
        return source.where(["command", index])
    if isinstance(sweep["config"], str):
        return load(root / sweep["config"], sweep["config"]).where(["command", index])
    return source.where(["sweep", "config", "command", index])
