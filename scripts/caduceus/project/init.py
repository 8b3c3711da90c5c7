"""Create the files of a project, from a template or for an existing program."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import write_whole
from caduceus.io.schemas import whole_schema
from caduceus.project.guesses import Guesses, guess
from caduceus.project.program_facts import facts_of
from caduceus.project.stubs import experiment_text, paper_text, yaml_word
from caduceus.runs.source_code import program_files

_TEMPLATE = Path(__file__).parent / "template"
_EXPERIMENT, _PROGRAM = "experiments/first.yaml", "experiments/train.py"
_CONFIG = "config.yaml"
_IGNORE = ".gitignore"
# Snakemake takes the first of these that exists if there is no Snakefile.
_OTHER_SNAKEFILES = ("snakefile", "workflow/Snakefile", "workflow/snakefile")
_SCHEMAS = ("config", "experiment")  # that editors check the files against
_KEPT = (  # if they exist already
    *(_IGNORE, ".env.example", ".mcp.json", "AGENTS.md"),
    *(f".schemas/{name}.json" for name in _SCHEMAS),
)


@dataclass(frozen=True)
class NewProject:
    """Files that were written, and guesses.

    Attributes:
        files: paths relative to the folder, and what was added to a .gitignore.
        guesses: what was guessed from the program's code; None for the template's program.
    """

    files: list[str]
    guesses: Guesses | None


def create_project(folder: Path, program: Path | None, config: str = _CONFIG) -> NewProject:
    """Write the files of a new project into `folder`, which may hold other files.

    Args:
        folder: created if it doesn't exist.
        program: a training program below `folder`, which the experiment runs instead of the
            template's; None for the template's.
        config: the name of the configuration file.

    Raises:
        SpecError: a file exists already, or its name is a folder's, or the program is missing, or
            the configuration's place isn't in the folder.
    """
    if folder.exists() and not folder.is_dir():
        raise SpecError("is a file; give the name of a folder", str(folder))
    paths = [path for path in _TEMPLATE.rglob("*") if "__pycache__" not in path.parts]
    files = {
        path.relative_to(_TEMPLATE).as_posix(): path.read_text()
        for path in sorted(paths)
        if path.is_file()
    }
    name = re.sub(r"[^A-Za-z0-9_.-]", "-", folder.resolve().name)[:128] or "first"
    settings = files.pop(_CONFIG).replace("project: first", f"project: {yaml_word(name)}")
    config = _config_name(folder, config)
    quoted = json.dumps(config, ensure_ascii=False)
    files["Snakefile"] = files["Snakefile"].replace(f'"{_CONFIG}"', quoted)
    guesses = None
    if program is not None:
        del files[_PROGRAM]
        path = _below(folder, program)
        facts = facts_of(_texts(program, folder))
        guesses = guess(facts)
        files[_EXPERIMENT] = experiment_text(path, facts, guesses, _uv_project(folder, path))
        settings = settings.partition("paper:\n")[0] + paper_text(guesses, _EXPERIMENT)
    files[config] = settings
    for schema in _SCHEMAS:
        files[f".schemas/{schema}.json"] = json.dumps(whole_schema(schema), indent=1) + "\n"
    files = {
        path: text
        for path, text in files.items()
        if path not in _KEPT or not (folder / path).exists()
    }
    _check_places(folder, files, config)
    for path, text in files.items():
        write_whole(folder / path, text)
    return NewProject([*files, *_ignore(folder / _IGNORE)], guesses)


def _texts(program: Path, folder: Path) -> list[str]:
    """Return the code of the program, then that of the local modules that it imports."""
    program = program.resolve()
    try:
        files = program_files(program, folder.resolve())
    except SpecError:  # something isn't Python, so that nothing more is known
        files = [program]
    others = (path for path in files if path != program)
    return [path.read_text(errors="replace") for path in (program, *others)]


def _uv_project(folder: Path, program: str) -> str | None:
    """Return the folder of the program's uv project, from the project's; None if there is none.

    One whose lock has no wandb isn't the program's.
    """
    for place in Path(program).parents:
        lock = folder / place / "uv.lock"
        if lock.is_file() and (folder / place / "pyproject.toml").is_file():
            has_wandb = 'name = "wandb"' in lock.read_text(errors="replace").splitlines()
            return place.as_posix() if has_wandb else None
    return None


def _config_name(folder: Path, name: str) -> str:
    """Return the configuration's path from the folder.

    Raises:
        SpecError: it isn't in the folder.
    """
    root = folder.resolve()
    found = Path(os.path.normpath(root / name))
    if found == root or not found.is_relative_to(root):
        raise SpecError(f"isn't inside {folder}; give a name in the project's folder", name)
    return found.relative_to(root).as_posix()


def _check_places(folder: Path, files: Mapping[str, str], config: str) -> None:
    """Check that each file can be written, and that nothing which is there is lost.

    Raises:
        SpecError: the first that can't.
    """
    for path in _KEPT:
        if (folder / path).is_dir():
            raise SpecError("is a folder; move it away, as a file is needed", str(folder / path))
    for path in files:
        if os.path.lexists(folder / path):
            what = "name with --config" if path == config else "folder"
            raise SpecError(f"exists already; choose another {what}", str(folder / path))
        for above in Path(path).parents:
            if os.path.lexists(folder / above) and not (folder / above).is_dir():
                raise SpecError(
                    "is a file; move it away, as a folder is needed", str(folder / above)
                )
    for name in _OTHER_SNAKEFILES:
        if (folder / name).is_file():
            raise SpecError(
                "exists already, and Snakemake would take the new Snakefile in its place; choose "
                "another folder, or load Caduceus as a module",
                str(folder / name),
            )


def _ignore(path: Path) -> list[str]:
    """Append the lines that a .gitignore lacks: results and secrets stay out of git."""
    content = path.read_bytes()  # as it is, whatever its encoding and its ends of lines
    end = b"\r\n" if b"\r\n" in content else b"\n"
    wanted = (_TEMPLATE / _IGNORE).read_text().split()
    missing = [line for line in wanted if not _is_ignored(line.strip("/"), content)]
    if not missing:
        return []
    start = content + end if content and not content.endswith(b"\n") else content
    write_whole(path.resolve(), start + b"".join(line.encode() + end for line in missing))
    return [f"{_IGNORE} (added: {' '.join(missing)})"]


def _is_ignored(name: str, gitignore: bytes) -> bool:
    """Whether the last line about `name` ignores it; one that starts with `!` takes it back."""
    is_ignored = False
    for line in gitignore.decode("utf-8-sig", "replace").splitlines():
        rule = line.rstrip()
        if rule.removeprefix("!").strip("/") == name:
            is_ignored = not rule.startswith("!")
    return is_ignored


def _below(folder: Path, program: Path) -> str:
    """Return the path of the program from the folder.

    Raises:
        SpecError: the program doesn't exist, or not in the folder.
    """
    root, found = folder.resolve(), program.resolve()
    if not found.is_file():
        raise SpecError("doesn't exist; give the path of a training program", str(program))
    if not found.is_relative_to(root):
        raise SpecError(f"isn't inside {folder}; the project's folder must hold it", str(program))
    return found.relative_to(root).as_posix()
