"""NAME.try.yaml: the settings of a ledger of tries, beside the experiment that is edited."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from caduceus.errors import SpecError
from caduceus.io.files import write_whole
from caduceus.io.phrases import pasted
from caduceus.io.validation import suggestion, validate
from caduceus.io.written_out import flow
from caduceus.io.yaml_files import load
from caduceus.project.experiment_files import experiment_files
from caduceus.project.settings import Settings
from caduceus.runs.files.tries import TrySettings

_END = ".try.yaml"
_NAME = re.compile(r"[A-Za-z0-9_.-]{1,48}")
_HEAD = """\
# Settings of `caduceus try`, fixed before the first try. Another value starts a new ledger.
# `caduceus schema tries` describes every key.
"""


@dataclass(frozen=True)
class TryFile:
    """A ledger's file of settings.

    Attributes:
        name: the ledger's name, with which the file's begins.
        path: the file, relative to the project's folder.
        settings: its content; where there is no file yet, the defaults.
        exists: whether there is the file.
    """

    name: str
    path: str
    settings: TrySettings
    exists: bool

    def write(self, root: Path) -> None:
        """Write the file where there is none."""
        lines = (f"{key}: {flow(value)}\n" for key, value in self.settings.to_json().items())
        write_whole(root / self.path, _HEAD + "".join(lines))


def find_try_file(settings: Settings, name: str | None, root: Path) -> TryFile:
    """Return the file of a ledger, or the one that its experiment would get.

    Args:
        settings: config.yaml.
        name: the ledger's name, or the name of an experiment's file without its suffix; None for
            the only one.
        root: the project's folder.

    Raises:
        SpecError: there is no such ledger, there are several, or the file is wrong.
    """
    experiments = experiment_files(settings.experiments, root, lambda _: "config.yaml")
    folders = sorted({Path(path).parent for path in experiments})
    files = {
        path.name.removesuffix(_END): path.relative_to(root).as_posix()
        for folder in folders
        for path in sorted((root / folder).glob(f"*{_END}"))
    }
    named = {Path(path).stem: path for path in experiments}
    chosen = _chosen(name, files or named, [*files, *named])
    if chosen in files:
        return TryFile(chosen, files[chosen], load_try_settings(files[chosen], root), exists=True)
    if not _NAME.fullmatch(chosen):
        raise SpecError(
            "its name isn't that of a ledger; write a file NAME.try.yaml beside it, where NAME has "
            "at most 48 letters, digits and _ . -",
            named[chosen],
        )
    path = Path(named[chosen]).with_name(f"{chosen}{_END}").as_posix()
    defaults = validate({"experiment": named[chosen]}, "tries", lambda _: path)
    return TryFile(chosen, path, TrySettings.from_json(defaults), exists=False)


def load_try_settings(path: str, root: Path) -> TrySettings:
    """Read a ledger's settings.

    Raises:
        SpecError: the first thing that is wrong in the file.
    """
    source = load(root / path, path)
    return TrySettings.from_json(validate(source.value, "tries", source.where))


def _chosen(name: str | None, usual: Iterable[str], known: list[str]) -> str:
    if name is None:
        found = list(usual)
        if len(found) == 1:
            return found[0]
        raise SpecError(f"there are several: {', '.join(found)}; choose one", "--name")
    if name not in known:
        there = ", ".join(dict.fromkeys(known))
        raise SpecError(
            f"no ledger and no experiment's file is called {pasted(name)}"
            f"{suggestion(name, known)}; there are {there}",
            "--name",
        )
    return name
