"""W&B's sweep files in place of experiment files: each is an experiment of type sweep."""

import re
from collections.abc import Sequence
from pathlib import Path, PurePath

import yaml

from caduceus.errors import SpecError
from caduceus.io.composition import compose
from caduceus.io.files import Json, write_whole
from caduceus.io.yaml_files import Key, Source

_EXPERIMENT_KEYS = {"id", "type", "sweep", "extends"}
_SWEEP_KEYS = {"method", "early_terminate", "run_cap"}  # which no experiment has at its top
_NOT_OF_IDS = re.compile(r"[^A-Za-z0-9_.-]+")
_MOST_CHARACTERS = 48  # of an experiment's id


class SweepFile(Source):
    """A sweep file, read as the experiment that names it; messages name the file's own lines.

    Args:
        file: the sweep file.
        count: the number of trials; None for run_cap or the whole grid.
    """

    def __init__(self, file: Source, count: int | None):
        sweep: dict[str, Json] = {"config": file.path}
        if count is not None:
            sweep["count"] = count
        value = {"id": id_of(file.path), "type": "sweep", "sweep": sweep}
        super().__init__(file.path, value, None)
        self._file = file

    def where(self, keys: Sequence[Key] = ()) -> str:
        """Return `file:line` of a key that both kinds of file have, or of the file's start."""
        return self._file.where(keys)

    def write(self, results: Path) -> Path:
        """Write results/experiments/ID.yaml, the experiment file that says the same.

        Snakemake reads the number of trials from it. An equal file keeps its time.
        """
        path = results / "experiments" / f"{self.value['id']}.yaml"
        text = yaml.safe_dump(self.value, sort_keys=False, allow_unicode=True)
        if not path.exists() or path.read_text() != text:
            write_whole(path, text)
        return path


def id_of(path: str) -> str:
    """Return the id of a sweep file's experiment: the file's name, in the characters of an id."""
    name = _NOT_OF_IDS.sub("-", PurePath(path).stem).strip("-.")
    return name[:_MOST_CHARACTERS] or "sweep"


def read_experiment(path: str, root: Path, count: int | None = None) -> Source:
    """Read an experiment file with its bases, or a W&B sweep file as an experiment.

    Args:
        path: the file, relative to `root`.
        root: the project's folder.
        count: the number of trials of a sweep file; None for run_cap or the whole grid.

    Raises:
        SpecError: a file is missing or isn't YAML, has the keys of both kinds, or `count` is below
            1 or given for an experiment.
    """
    source = compose(path, root)
    keys = source.value.keys() if isinstance(source.value, dict) else set()
    given = sorted(keys & _SWEEP_KEYS)
    if not given or len(source.files) > 1:
        if count is not None:
            raise SpecError(
                f"--count {count}: only for W&B's sweep files; set `sweep.count` in this "
                "experiment",
                source.where(["sweep", "count"]),
            )
        return source
    for key in sorted(keys & _EXPERIMENT_KEYS):
        raise SpecError(
            f"{given[0]}: is a key of W&B's sweep files, and {key!r} one of experiments; move the "
            "sweep below `sweep.config`, or remove the experiment's keys",
            source.where([given[0]]),
        )
    if count is not None and count < 1:
        raise SpecError(f"--count {count}: give a number of trials, at least 1", source.where([]))
    return SweepFile(source, count)
