"""The answer of `caduceus show`: an experiment with the files that it extends laid under it."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from caduceus.io.answers import answer_text
from caduceus.io.files import Json
from caduceus.io.written_out import flow, lines_with_places, placed
from caduceus.io.yaml_files import Key, Source
from caduceus.project.experiments import load_experiment
from caduceus.project.settings import key_finder, load_settings


@dataclass(frozen=True)
class Value:
    """A value, the keys that lead to it, and its place as FILE:LINE."""

    keys: Sequence[Key]
    value: Json
    where: str


@dataclass(frozen=True)
class ShownExperiment:
    """An experiment's file, and the parameters that `defaults` in config.yaml add to it."""

    source: Source
    defaults: Sequence[Value]


def find_shown(experiment: str, config: Path) -> ShownExperiment:
    """Return an experiment as it is after composition.

    Args:
        experiment: its file.
        config: config.yaml.

    Raises:
        SpecError: a file is wrong.
    """
    settings = load_settings(config)
    found = load_experiment(experiment, settings.defaults, settings.wandb.groups, Path())
    given = found.source.value.get("parameters", {})
    where = key_finder([str(config)])
    return ShownExperiment(
        found.source,
        [
            Value((key,), value, where(["defaults", key]))
            for key, value in found.spec.parameters.items()
            if key not in given
        ],
    )


def shown_text(shown: ShownExperiment) -> Iterator[str]:
    """Yield the experiment as the lines of a file that extends nothing."""
    yield from lines_with_places(shown.source)
    if shown.defaults:
        yield "# further parameters, from `defaults`:"
    for each in shown.defaults:
        yield f"#   {flow(each.keys[0])}: {flow(each.value)} # {each.where}"


def shown_json(shown: ShownExperiment) -> str:
    """Return the experiment as JSON."""
    values = [Value(*each) for each in placed(shown.source)]
    return answer_text(
        {
            "files": shown.source.files,
            "experiment": shown.source.value,
            "values": values,
            "defaults": shown.defaults,
        }
    )
