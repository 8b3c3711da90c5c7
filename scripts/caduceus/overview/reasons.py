"""Snakemake's reasons for a job, rephrased for the user."""

import json
import re
from collections.abc import Collection, Iterable

from caduceus.io.phrases import count_of, listed
from caduceus.system.snakemake_dry_run import is_result, item_of

_DIGEST = re.compile(r"'[0-9a-f]{16}'")  # of the code behind a command: see project.command_digests
_RUNS = re.compile(r"'[0-9a-f]{64}'")  # of the ids of an experiment's runs
_TEXT = re.compile(r"'((?:[^'\\]|\\.)*)'")
_COUNTED = re.compile(r"(\d+) runs? of it (.*)")
_MISSING = "it isn't there yet"
_SHOWN = 3
_OF_RUNS = {  # why a run is exported again, by the input that changed
    "run.json": "W&B name, tags or group changed",
    "train.json": "it was trained again",
    "upload.json": "its artifacts were logged again",
    "server.json": "it changed on the server",
    "dataset.json": "the record of its dataset is made again",
}


def job_reason(reason: str, made: Collection[str], item: str = "") -> str:
    """Return why a job would run.

    Args:
        reason: Snakemake's reason.
        made: the runs that would be trained or exported.
        item: what the job makes. It is left out of the reason, as another job makes a part of it.

    Returns:
        The reason; empty if that other job is the only one.
    """
    known = (
        ("Forced execution", lambda about: "it was requested"),
        ("Input files updated by another job: ", lambda about: _from_others(about, made, item)),
        ("Params have changed since last execution: ", _changed_params),
        ("Updated input files: ", lambda about: _from_files(about, item)),
        ("Set of input files has changed", lambda about: "it is made from other files than before"),
        ("Code has changed", lambda about: "its rule changed"),
        ("Incomplete output files", lambda about: "Snakemake was killed while it was made"),
    )
    found = [
        words(reason.partition(start)[2].partition("; ")[0])
        for start, words in known
        if start in reason
    ]
    if not found:
        return _MISSING if "Missing output files" in reason else reason
    return "; ".join(filter(None, found))


def export_reason(reason: str) -> str:
    """Return why a run would be exported again."""
    found = [words for name, words in _OF_RUNS.items() if f"/{name}" in reason]
    return "; ".join(found) or job_reason(reason, ())


def merged_reason(reasons: Iterable[str]) -> str:
    """Return the reasons for several jobs that make one result, in one statement.

    Each of its jobs counts the runs that it reads itself; the greatest count is that of the result.
    """
    counts: dict[str, int] = {}
    others: dict[str, None] = {}
    for reason in "; ".join(reasons).split("; "):
        if found := _COUNTED.fullmatch(reason):
            counts[found[2]] = max(counts.get(found[2], 0), int(found[1]))
        elif reason:
            others[reason] = None
    counted = [f"{count_of(count, 'run')} of it {what}" for what, count in counts.items()]
    if counted:
        others.pop(_MISSING, None)
    return "; ".join([*counted, *others])


def _from_others(about: str, made: Collection[str], item: str) -> str:
    """Return the reason if other jobs make the inputs: count the runs, name the rest."""
    runs, others = _split_files(about)
    if others == [item] and not runs:
        return ""
    others = [other for other in others if other != item]
    trained = sum(run in made for run in runs)
    parts = []
    if trained:
        parts.append(f"{count_of(trained, 'run')} of it would be new")
    if len(runs) > trained:
        parts.append(f"{count_of(len(runs) - trained, 'run')} of it would be exported again")
    if others:
        parts.append(f"{listed(others, _SHOWN)} would change")
    return "; ".join(parts) or "an experiment's file changed"


def _from_files(about: str, item: str) -> str:
    """Return the reason if input files have changed: count the runs, name the rest."""
    runs, others = _split_files(about)
    if others == [item] and not runs:
        return "a part of it changed"
    others = [other for other in others if other != item]
    parts = [f"{count_of(len(runs), 'run')} of it changed"] if runs else []
    parts += [f"{listed(others, _SHOWN)} changed"] if others else []
    return "; ".join(parts) or "an experiment's file changed"


def _split_files(files: str) -> tuple[list[str], list[str]]:
    """Return the runs among some files, and the other results and user's files without plans."""
    names = files.split(", ")
    items = sorted({item_of(name) if is_result(name) else name for name in names})
    runs = [item.removeprefix("runs/") for item in items if item.startswith("runs/")]
    plans = "experiments/"
    own = [name for name in names if not is_result(name)]
    others = [i for i in items if not i.startswith("runs/") and (i in own or plans not in i)]
    return runs, others


def _changed_params(about: str) -> str:
    before, _, now = about.partition(" now: ")
    parts = ["Caduceus's own code changed"] if _DIGEST.search(now) else []
    parts += ["it has other runs"] if _RUNS.search(now) else []
    keys: dict[str, None] = {}
    for old, new in zip(_objects(before), _objects(now), strict=False):
        keys |= dict.fromkeys(key for key in old | new if old.get(key) != new.get(key))
    if keys:
        parts.append(f"{listed(list(keys), _SHOWN)} of its entry changed")
    return "; ".join(parts) or "its settings changed"


def _objects(text: str) -> list[dict[str, object]]:
    """Return the JSON objects among the quoted texts."""
    found = []
    for quoted in _TEXT.findall(text):
        try:
            value = json.loads(quoted.replace("\\'", "'").replace("\\\\", "\\"))
        except ValueError:
            continue
        if isinstance(value, dict):
            found.append(value)
    return found
