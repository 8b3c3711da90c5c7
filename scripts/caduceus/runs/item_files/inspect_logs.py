"""The only module that imports inspect_ai, which reads the logs of Inspect evaluations.

An `.eval` log is a zip archive of JSON compressed by Zstandard, which Python's zipfile can't read
before 3.14, and its fields change between versions; inspect_ai reads all of them.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from caduceus.errors import ResourceError, ResultError
from caduceus.io.files import Json
from caduceus.io.phrases import count_of, pasted
from caduceus.io.validation import suggestion
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.item_scores import (
    ItemScore,
    fault,
    id_of,
    in_record,
    score_of,
    text_of,
)

if TYPE_CHECKING:
    from inspect_ai.log import EvalLog, EvalSample
    from inspect_ai.scorer import Score

# Inspect's letters for correct, partially correct, incorrect and without an answer.
_LETTERS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0}
_UNREAD = {"messages", "events", "store", "output", "attachments"}  # the bulk of a log


def inspect_scores(path: Path, chosen: ItemFile) -> Iterator[ItemScore]:
    """Yield the scores in a log of Inspect, the mean over epochs for each sample.

    Raises:
        ResourceError: inspect_ai isn't installed.
        ResultError: the log can't be read, its evaluation hasn't succeeded, a sample has no score,
            or several scores are in question.
    """
    for key in ("id", "prediction", "label", "filter"):
        if getattr(chosen, key) is not None:
            raise ResultError(
                f"a log of Inspect has no `{key}`; write `score` for its scorer", str(path)
            )
    log = _read(path)
    if log.status != "success":
        raise ResultError(
            f"the evaluation's status is {log.status}, not success; only a whole evaluation has a "
            "score for each item: run it to its end",
            str(path),
        )
    samples = log.samples or []
    by_id: dict[str, list[ItemScore]] = {}
    seen: set[tuple[str, int]] = set()
    kinds: dict[str, str] = {}
    for sample in samples:
        place = f"sample {sample.id} of epoch {sample.epoch}"
        score = _sample_score(path, place, sample, chosen, kinds)
        if (score.item, sample.epoch) in seen:
            raise fault(path, place, "it occurs twice; each item needs one score")
        seen.add((score.item, sample.epoch))
        by_id.setdefault(score.item, []).append(score)
    epochs = max((len(scores) for scores in by_id.values()), default=0)
    for scores in by_id.values():
        if len(scores) < epochs:
            others = count_of(epochs, "epoch")
            message = f"{count_of(len(scores), 'epoch')} has it, but others have {others}"
            raise fault(path, f"sample {scores[0].item}", message)
        mean = sum(score.score for score in scores) / epochs
        one = scores[0]
        yield ItemScore(one.item, mean, one.cluster, one.label, f"sample {one.item}")


def _read(path: Path) -> "EvalLog":
    try:
        from inspect_ai.log import read_eval_log
    except ImportError:
        raise ResourceError(
            "inspect_ai, which reads logs of Inspect, isn't installed: pip install "
            "'caduceus-ml[inspect]'",
            str(path),
        ) from None
    try:
        return read_eval_log(str(path), exclude_fields=_UNREAD)
    except Exception as error:  # whatever its JSON, zip and schema readers raise
        first = next(iter(str(error).splitlines()), "")
        raise ResultError(
            f"not a log of Inspect ({type(error).__name__}: {first})", str(path)
        ) from None


def _sample_score(
    path: Path, place: str, sample: "EvalSample", chosen: ItemFile, kinds: dict[str, str]
) -> ItemScore:
    if sample.invalidation is not None:
        raise fault(path, place, "it was invalidated, and so has no score")
    if not sample.scores:
        why = f": {sample.error.message}" if sample.error else ""
        raise fault(path, place, f"it has no score{why}")
    name, value = _chosen_score(path, place, sample.scores, chosen.score)
    try:
        _, item = id_of(sample.id)
        letter = _LETTERS.get(value) if isinstance(value, str) else None
        kind, number = score_of(value) if letter is None else ("a letter", letter)
    except ValueError as error:
        raise fault(path, place, f"its {pasted(name)} {error}") from None
    if kinds.setdefault(name, kind) != kind:
        raise fault(
            path,
            place,
            f"its {pasted(name)} is {kind}, but that of samples before it {kinds[name]}; "
            "scores must be of one kind",
        )
    target: Json = list(sample.target) if isinstance(sample.target, list) else sample.target
    about: dict[str, Json] = {"target": target, "metadata": sample.metadata}
    cluster = None
    if chosen.cluster is not None:
        cluster = text_of(in_record(about, chosen.cluster))
        if cluster is None:
            raise fault(
                path,
                place,
                f"it has no {pasted(chosen.cluster)}, its cluster; name one such as metadata.topic",
            )
    return ItemScore(item, number, cluster, text_of(target), place)


def _chosen_score(
    path: Path, place: str, scores: Mapping[str, "Score"], wanted: str | None
) -> tuple[str, Json]:
    """Return the name and the value of the score that counts; a part of one has a dotted name."""
    values: dict[str, Json] = {}
    for scorer, score in scores.items():
        if isinstance(score.value, Mapping):
            values |= {f"{scorer}.{key}": value for key, value in score.value.items()}
        else:
            values[scorer] = score.value
    if wanted is None:
        if len(values) == 1:
            return next(iter(values.items()))
        raise fault(
            path,
            place,
            f"it has {len(values)} scores, {', '.join(values)}; choose one, such as "
            f"`items: {{score: {next(iter(values))}}}`",
        )
    if wanted not in values:
        raise fault(
            path,
            place,
            f"it has no score {pasted(wanted)}{suggestion(wanted, list(values))}; there are "
            f"{', '.join(values)}",
        )
    return wanted, values[wanted]
