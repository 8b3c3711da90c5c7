"""The answer of `caduceus why`: where a result comes from, as lines and as a JSON object."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from caduceus.io.answers import answer_text
from caduceus.io.files import canonical_json
from caduceus.io.phrases import listed
from caduceus.overview.origin_records import (
    AttemptOrigin,
    FileOrigin,
    ItemOrigin,
    Part,
    RunDetails,
    RunOrigin,
)
from caduceus.overview.origins import find_origins

_SHORT = 12  # digits of a digest
_USED = 10  # files in a line


def explain(words: Sequence[str], results: Path) -> Iterator[str]:
    """Yield what is known of a result, line by line; see `find_origins`."""
    for origin in find_origins(words, results):
        yield from _item(origin) if isinstance(origin, ItemOrigin) else _file(origin)


def why_json(words: Sequence[str], results: Path) -> str:
    """Return what is known of a result as JSON; see `find_origins`."""
    origins = list(find_origins(words, results))
    return answer_text(
        {
            "items": [each for each in origins if isinstance(each, ItemOrigin)],
            "files": [each for each in origins if isinstance(each, FileOrigin)],
        }
    )


def _item(origin: ItemOrigin) -> Iterator[str]:
    yield origin.item
    yield f"  command  {origin.command}"
    for each in origin.inputs:
        now = ", which has changed" if each.has_changed else ""
        yield f"  input    {each.file} {each.sha256[:_SHORT]}{now}, and the manifests of the runs"
    for part in origin.parts:
        yield from _part(part)


def _part(part: Part) -> Iterator[str]:
    yield ""
    if part.cell is not None:
        yield f"{part.cell}: {part.value:.6g}, of {len(part.runs)} runs"
    elif part.verdict is not None:
        yield f"{part.verdict}, by {len(part.runs)} runs"
    yield from _run_table(part.runs, part.metric)
    for each in part.runs:
        if each.run in part.replaced:
            yield f"  {each.run} has changed since, or is gone: make the paper again"
        if each.run in part.changed:
            yield f"  {each.run}: {part.changed[each.run]}"


def _file(origin: FileOrigin) -> Iterator[str]:
    yield origin.file
    if origin.sha256 is not None:
        yield f"  sha256   {origin.sha256}"
    if origin.job is None:
        yield "  not recorded by Snakemake: no job made it, or it was made on another machine"
    else:
        yield f"  made by  {origin.job.rule}, {origin.job.ended}"
        yield f"  command  {origin.job.command}"
        yield f"  ran      {origin.job.shell}"
        for name in origin.job.inputs:
            yield f"  input    {name}"
    if origin.run is not None:
        yield ""
        yield from _run(origin.run)
    elif origin.runs:
        yield ""
        yield f"runs behind it: {len(origin.runs)}"
        yield from _run_table(origin.runs, None)


def _run(run: RunDetails) -> Iterator[str]:
    yield f"run {run.run}: {run.name}, {run.state or 'not finished'}"
    if run.is_unchanged is not None:
        yield f"  the file is {'un' if run.is_unchanged else ''}changed since it was made"
    if made := run.definition:
        yield f"  program  {made.program}, code {made.code[:_SHORT]}"
        for name in ("parameters", "seed", "dataset"):
            yield f"  {name:8} {canonical_json(getattr(made, name))}"
        if adopted := made.adopted:
            yield (
                f"  adopted as {adopted.run} by {adopted.by} on {adopted.at}: {adopted.why}; ran "
                f"{adopted.program}, code {adopted.code[:_SHORT]}, with "
                f"{canonical_json(adopted.parameters)}"
            )
    for each in run.attempts:
        yield (
            f"  attempt {each.attempt}: {each.state} on {each.host}, "
            f"{(each.started_at or '')[:16]}, {each.wall_s:.1f} s, "
            f"commit {_commit(each)}, packages {_short(each.environment)}"
        )
    if run.used:
        yield f"  used beyond its code: {listed(run.used, _USED)}"
    if run.changed:
        yield f"  {run.changed}"


def _run_table(runs: Sequence[RunOrigin], metric: str | None) -> Iterator[str]:
    """Yield a line for each run, with its value of the metric if one is given."""
    if not runs:
        return
    header = ["run", "state", "commit", "packages", "manifest"]
    rows = [
        [
            *(each.run, each.state or "–", _commit(each)),
            *(_short(each.environment), _short(each.manifest)),
        ]
        for each in runs
    ]
    if metric is not None:
        header.insert(1, metric)
        for row, each in zip(rows, runs, strict=True):
            row.insert(1, _value(each))
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    for line in [header, *rows]:
        cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        yield f"  {'  '.join(cells).rstrip()}"


def _value(run: RunOrigin) -> str:
    if not run.is_exported:
        return "deleted"
    return "–" if run.value is None else f"{run.value:.6g}"


def _commit(of: RunOrigin | AttemptOrigin) -> str:
    if not of.commit:
        return "–"
    tree = {True: " (dirty)", False: " (clean)", None: ""}[of.is_dirty]
    return f"{of.commit[:_SHORT]}{tree}"


def _short(digest: str | None) -> str:
    return digest[:_SHORT] if digest else "–"
