"""Read the `sweep` of an experiment file: W&B's configuration, and the keys that it sets."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from caduceus.errors import SpecError
from caduceus.io.files import is_file
from caduceus.io.validation import Where, brief
from caduceus.io.yaml_files import Source, load
from caduceus.sweeps.configs import SweepConfig, read_config


def read_sweep(
    spec: Mapping[str, Any], source: Source, root: Path
) -> tuple[SweepConfig | None, dict[str, Any]]:
    """Read W&B's configuration of an experiment's sweep.

    Args:
        spec: the experiment, with the schema's defaults.
        source: its file.
        root: the project's folder.

    Returns:
        The configuration, or None without a sweep; and the experiment's keys that it sets:
        `program`, `command`, `seeds`, `name`, `description` and `metric`.

    Raises:
        SpecError: the first thing that is wrong.
    """
    if spec["sweep"] is None:
        if spec["type"] == "sweep":
            raise SpecError(
                "type: found 'sweep', but the key `sweep` is missing; add it with W&B's "
                "configuration under `config`, or choose another type",
                source.where(["type"]),
            )
        return None, {}
    if spec["type"] != "sweep":
        raise SpecError(
            f"type: found {brief(spec['type'])}, allowed: sweep, as the experiment has a `sweep`",
            source.where(["type"]),
        )
    value, where = _configuration(spec["sweep"]["config"], source, root)
    config = read_config(value, where)
    for key in ("matrix", "methods", "zip", "variants", "exclude", "include", "baseline"):
        if spec[key]:
            raise SpecError(
                f"{key}: not allowed beside `sweep`, which chooses the parameters; remove one",
                source.where([key]),
            )
    searched = {parameter.path[0] for parameter in config.space.parameters}
    for key in sorted(searched & set(spec["parameters"])):
        raise SpecError(
            f"parameters.{key}: the sweep chooses this parameter; remove it here or in the sweep",
            source.where(["parameters", key]),
        )
    return config, _set_keys(spec, config, source, where, root)


def _configuration(given: Any, source: Source, root: Path) -> tuple[Any, Where]:
    if isinstance(given, str):
        file = load(root / given, given)
        return file.value, file.where
    return given, lambda keys: source.where(["sweep", "config", *keys])


def _set_keys(
    spec: Mapping[str, Any], config: SweepConfig, source: Source, where: Where, root: Path
) -> dict[str, Any]:
    """Return the experiment's keys that its sweep's configuration sets.

    Raises:
        SpecError: the experiment sets one of them to another value.
    """
    found = _started(spec, config, source, root)
    for key in {"program", "command"} - found.keys():
        value = config.raw.get(key)
        if value is None:
            continue
        if source.find([key]) is not None and spec[key] != value:
            raise SpecError(
                f"{key}: the experiment has {brief(spec[key])} and its sweep {brief(value)}; "
                "remove one",
                where([key]),
            )
        found[key] = value
    if config.seeds is not None or config.drawn_seeds is not None:
        if source.find(["seeds"]) is not None:
            raise SpecError(
                "seeds: the sweep has `seed` among its parameters; remove one",
                source.where(["seeds"]),
            )
        found["seeds"] = list(config.seeds or ())
    found["name"] = spec["name"] or config.name or ""
    found["description"] = spec["description"] or config.description or ""
    if config.metric_name is None:
        return found
    metric = {"name": config.metric_name, "goal": config.goal}
    if spec["metric"] is not None and spec["metric"] != metric:
        raise SpecError(
            f"metric: the experiment has {brief(spec['metric'])} and its sweep {brief(metric)}; "
            "remove one",
            source.where(["metric"]),
        )
    return found | {"metric": metric}


def _started(
    spec: Mapping[str, Any], config: SweepConfig, source: Source, root: Path
) -> dict[str, Any]:
    """Return program and command where the sweep's `program` isn't a file.

    W&B puts it in the place of `${program}` whatever it is: a module after -m, or a command on
    PATH. The experiment's `program` then says where the code is; a module of the project is found.
    """
    named = config.program
    if named is None or is_file(root / named):
        return {}
    command = config.raw.get("command", spec["command"])
    code = spec.get("program") if source.find(["program"]) is not None else None
    if code is None and "-m" in command and command[-1] != "-m":
        is_module = command[command.index("-m") + 1] == "${program}"
        code = _file_of_module(named, root) if is_module else None
    if code is None or code == named:
        return {}  # a missing file, which is an error of the experiment
    return {
        "program": code,
        "command": [named if word == "${program}" else word for word in command],
    }


def _file_of_module(name: str, root: Path) -> str | None:
    """Return the file that `python -m NAME` runs, if it is in the project."""
    for folder in ("", "src/"):
        for end in (".py", "/__main__.py"):
            path = f"{folder}{name.replace('.', '/')}{end}"
            if is_file(root / path):
                return path
    return None
