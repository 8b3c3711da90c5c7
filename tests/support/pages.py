"""The pages of the documentation as what a reader does with them: files written, commands typed.

In docs/, a fence `sh` is a script, one `yaml` or `python` with a title is a file: the title is its
path, after `in` where the fence holds some keys of it. A fence `text` below a script is what that
prints: its lines come in this order, `…` stands for anything, and runs of blanks and dashes don't
count. A comment before a fence says `not run: WHY`, or `soak` if it takes long.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from projects import REPOSITORY, Finished, Project

_FENCE = re.compile(
    r"(?:^<!-- (?P<note>[^\n]+) -->\n)?"
    r'^```(?P<language>\w+)(?: title="(?:(?P<is_part>in) )?(?P<file>[^"]+)")?\n'
    r"(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
_INDENTED = re.compile(r"^    ((?:caduceus|snakemake|make|wandb|git|\.)(?: .*)?)$", re.MULTILINE)


@dataclass
class Block:
    """A fence of a page."""

    language: str
    text: str
    file: str  # its path; empty without one
    is_part: bool  # of a file that is there
    note: str  # `soak`, `not run: WHY`, or empty


def blocks(page: Path) -> list[Block]:
    return [
        Block(
            found["language"],
            found["text"],
            found["file"] or "",
            bool(found["is_part"]),
            found["note"] or "",
        )
        for found in _FENCE.finditer(page.read_text())
    ]


def commands(page: Path) -> Iterator[str]:
    """Every line of shell on a page, in fences or indented, continued lines joined."""
    text = page.read_text()
    scripts = [block.text for block in blocks(page) if block.language == "sh"]
    scripts += [match[1] for match in _INDENTED.finditer(_FENCE.sub("", text))]
    for script in scripts:
        yield from filter(None, (line.strip() for line in script.replace("\\\n", " ").splitlines()))


def play(page: Path, project: Project, is_long: bool, **variables: str) -> list[Finished]:
    """Do all that a page says, in a project's folder, and hold what is printed to the page.

    Args:
        page: the page.
        project: where its reader begins.
        is_long: whether what is marked `soak` is done too; without it, what follows is left out.
        variables: more of the environment.

    Returns:
        The scripts' ends, in their order.
    """
    done: list[Finished] = []
    here = project.path.parent / "here"  # where a script's shell has ended
    for block in blocks(page):
        if block.note.startswith("not run"):
            continue
        if block.note == "soak" and not is_long:
            continue
        if block.file:
            _write(block, project, variables)
        elif block.language == "sh":
            script = f"set -euo pipefail\n{block.text}\npwd > {here}"
            done.append(project.run("bash", "-c", script, **variables))
            assert done[-1].code == 0, f"{block.text}\n{done[-1].output}"
            project = Project(Path(here.read_text().strip()))
        elif block.language == "text" and done:
            _hold(block.text, done[-1].output)
    return done


def _write(block: Block, project: Project, variables: dict[str, str]) -> None:
    name = block.file.replace("~", variables.get("HOME", "~"))
    if block.is_part:
        path = project.path / name
        project.write_yaml(name, merged(yaml.safe_load(path.read_text()), content(block)))
    else:
        project.write(name, block.text)


def content(block: Block) -> Any:
    return yaml.safe_load(block.text)


def merged(old: Any, new: Any) -> Any:
    """`old` with the keys of `new` set, at every level."""
    if not isinstance(old, dict) or not isinstance(new, dict):
        return new
    return old | {key: merged(old.get(key), value) for key, value in new.items()}


def _hold(wanted: str, printed: str) -> None:
    """See that each line of `wanted` was printed, in this order."""
    lines = [_plain(line) for line in printed.splitlines()]
    place = 0
    for line in filter(None, map(_plain, wanted.splitlines())):
        pattern = ".*".join(map(re.escape, line.split("…")))
        found = next((at for at in range(place, len(lines)) if re.search(pattern, lines[at])), None)
        assert found is not None, f"not printed: {line}\n{printed}"
        place = found + 1


def _plain(line: str) -> str:
    return " ".join(line.split())


PAGES = sorted((REPOSITORY / "docs").rglob("*.md"))
