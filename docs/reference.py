"""Make the reference pages: the keys of each schema, and the help of each command."""

import argparse
import importlib
import json
import pkgutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from caduceus import commands
from caduceus.io.help_format import Help

_INTRODUCTIONS = {
    "config": "The keys of `config.yaml`, in the project's folder. "
    "The repository's [config.yaml](../../config.yaml) has all of them.",
    "experiment": "The keys of an experiment file. "
    "[template.yaml](../../experiments/template.yaml) has every key with an example.",
    "paper": "The keys under `paper` in `config.yaml`, or in the file that it names.",
    "sweep": "W&B's sweep configuration, under `sweep.config` of an experiment or in a file that "
    "it names. [Distributions and the keys beside it](../../experiments/README.md#a-sweep).",
    "tries": "The keys of `NAME.try.yaml`, beside the experiment that is edited. "
    "[How to try an edit](../how_to/try.md).",
}
_TITLES = {
    "config": "config.yaml",
    "experiment": "Experiment files",
    "sweep": "Sweep files",
    "tries": "Settings of tries",
}
_TYPES = {
    "object": "mapping",
    "array": "list",
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "true or false",
    "null": "null",
}

Schema = Mapping[str, Any]
Row = tuple[str, str, str, str]  # key, what it may be, default, meaning


def schema_page(root: Path, name: str) -> str:
    """Return the page of a schema: a table for each top-level key."""
    path = root / f"workflow/schemas/{name}.schema.yaml"
    schema = yaml.safe_load(path.read_text())
    lines = [f"# {_TITLES.get(name, name)}", "", _INTRODUCTIONS[name]]
    lines.append("An unknown key or a wrong value is an error before anything runs.")
    for key, below in schema["properties"].items():
        lines += ["", f"## `{key}`", "", "| key | what | default | meaning |", "|---|---|---|---|"]
        is_required = key in schema.get("required", ())
        for row in key_rows(key, below, is_required, schema):
            lines.append("| " + " | ".join(cell.replace("|", r"\|") for cell in row) + " |")
    return "\n".join([*lines, ""])


def key_rows(name: str, schema: Schema, is_required: bool, root: Schema) -> Iterator[Row]:
    """Yield a row for a key, then rows for the keys below it."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    default = "required" if is_required else _default(schema)
    yield f"`{name}`", _kind(schema), default, " ".join(schema.get("description", "").split())
    for choice in [schema, *schema.get("oneOf", ())]:
        for key, below in choice.get("properties", {}).items():
            yield from key_rows(f"{name}.{key}", below, key in choice.get("required", ()), root)
        for place, key in ((".NAME", "additionalProperties"), ("[]", "items")):
            below = choice.get(key)
            if isinstance(below, dict) and _has_keys(below, root):
                yield from key_rows(f"{name}{place}", below, False, root)


def _has_keys(schema: Schema, root: Schema) -> bool:
    """Whether the items of a list or the values of a mapping have keys."""
    if "$ref" in schema:
        schema = root["$defs"][schema["$ref"].rpartition("/")[2]]
    return any("properties" in choice for choice in [schema, *schema.get("oneOf", ())])


def _default(schema: Schema) -> str:
    if "default" not in schema or (schema["default"] == {} and "properties" in schema):
        return ""
    return f"`{json.dumps(schema['default'], ensure_ascii=False)}`"


def _kind(schema: Schema) -> str:
    if "enum" in schema:
        words = ("null" if value is None else str(value) for value in schema["enum"])
        return ", ".join(f"`{word}`" for word in dict.fromkeys(words))
    kinds = [schema.get("type", [])] if isinstance(schema.get("type"), str) else schema.get("type")
    found = [_TYPES[kind] for kind in kinds or ()]
    found += [_kind(choice) for choice in schema.get("oneOf", ()) if "type" in choice]
    return " or ".join(found)


def commands_page() -> str:
    """Return the page of all commands: first those for people, then those of rules."""
    lines = ["# Commands", "", "`caduceus COMMAND --help` prints the same.", ""]
    for title, names in zip(("For you", "For the workflow"), command_names(), strict=True):
        lines += [f"## {title}", ""]
        if title == "For the workflow":
            lines += [
                "Snakemake's rules of the same names start these; people rarely type them.",
                "",
            ]
        for name in names:
            lines += [f"### caduceus {name}", "", "```text", command_help(name), "```", ""]
    return "\n".join(lines)


def command_names() -> tuple[list[str], list[str]]:
    """Return the commands that people type, and those that only rules start."""
    names = [module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__)]
    return list(commands.FOR_PEOPLE), [name for name in names if name not in commands.FOR_PEOPLE]


def command_help(name: str) -> str:
    """Return the output of `caduceus NAME --help`, in lines of one width."""
    return command_parser(name).format_help().rstrip()


def command_parser(name: str) -> argparse.ArgumentParser:
    """Return the parser of a command's arguments."""
    module = importlib.import_module(f"caduceus.commands.{name.replace('-', '_')}")
    parser = argparse.ArgumentParser(
        prog=f"caduceus {name}",
        description=(module.__doc__ or "").strip(),
        formatter_class=lambda prog: Help(prog, width=88),
    )
    module.add_arguments(parser)
    return parser
