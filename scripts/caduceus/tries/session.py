"""Take the project's present edit as a try, from its start to a verdict."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from caduceus.errors import ResultError, SpecError
from caduceus.io.files import read_if_there, write_whole
from caduceus.project.settings import load_settings
from caduceus.project.try_files import find_try_file
from caduceus.runs.files.tries import Ledger, LedgerFolder, Try
from caduceus.system.clean_exit import Stopped, exit_on_signals
from caduceus.system.leases import HeldError, held, renewed
from caduceus.tries.answers import TryAnswer, answer_of
from caduceus.tries.codes import edit_between, keep_present_code, present_content, snapshot_content
from caduceus.tries.evidence import Evidence
from caduceus.tries.gate import Gate, Train, Wanted
from caduceus.tries.opening import OpenLedger, Options, open_ledger
from caduceus.tries.protection import protected_files, touched_files
from caduceus.tries.training import train_runs

Trainer = Callable[[LedgerFolder, Ledger, Path, Sequence[str], Sequence[Wanted]], None]


def try_edit(
    why: str,
    name: str | None,
    options: Options,
    config: Path,
    results: Path,
    arguments: Sequence[str],
    train: Trainer = train_runs,
) -> TryAnswer:
    """Try the present edit, or go on with it, or return what the ledger already says of it.

    Args:
        why: the reason for the edit.
        name: the ledger's name; None for the only one.
        options: what the command line says of the ledger.
        config: config.yaml.
        results: the folder results/.
        arguments: of Snakemake.
        train: trains and exports runs, by Snakemake.

    Raises:
        CaduceusError: something is to be mended first; nothing is lost.
        Stopped: a signal asked this process to stop; nothing is lost.
    """
    if not why.strip():
        raise SpecError("say in a few words what the edit is for", "the reason")
    folder = results / "tries"
    try:
        with (
            exit_on_signals(),
            held(folder / "lease.json", folder / "lock", None) as lease,
            renewed(lease),
        ):
            settings = load_settings(config)
            file = find_try_file(settings, name, Path())
            opened = open_ledger(file, settings, options, results)
            run = partial(train, opened.folder, opened.ledger, results, arguments)
            return _try(opened, why.strip(), results, run)
    except HeldError:
        found = read_if_there(folder / "lease.json")
        who = f", process {found['pid']} on {found['host']}," if "pid" in found else ""
        raise ResultError(
            f"another `caduceus try`{who} is at work here; wait for its end", str(folder)
        ) from None
    except KeyboardInterrupt as stop:
        raise Stopped.of(stop, "the same `caduceus try` goes on") from None


def _try(opened: OpenLedger, why: str, results: Path, train: Train) -> TryAnswer:
    folder, ledger, present = opened.folder, opened.ledger, opened.present
    gate = Gate(Evidence(folder, ledger, results), train, partial(_check_protected, opened))
    source = present.experiment.source.path
    if touched := _touched(opened):
        refused = _refused_before(opened, touched)
        if refused is None:
            _write_diff(opened, gate, present_content(present))
            refused = gate.refuse(present.code, why, touched)
            return answer_of(refused, folder, is_new=True)
        return answer_of(refused, folder, is_new=False)
    tried = gate.find(present.code)
    if tried is not None and tried.is_answered:
        if tried.verdict == "kept" and present.code.id != gate.incumbent.id:
            raise SpecError(_left_behind(f"try {tried.number}"), source)
        return answer_of(tried, folder, is_new=False)
    if tried is None:
        if present.code.id == gate.incumbent.id:
            raise SpecError("the code equals the incumbent's; edit it first", source)
        if present.code.id == ledger.first.id:
            raise SpecError(_left_behind("the first incumbent"), source)
        keep_present_code(present, folder)
        _write_diff(opened, gate, snapshot_content(folder, present.code))
        tried = gate.begin(present.code, why)
    return answer_of(gate.decide(tried), folder, is_new=True)


def _left_behind(what: str) -> str:
    return (
        f"the code is that of {what}, and a later try was kept in its place; edit the program of "
        "that try"
    )


def _touched(opened: OpenLedger) -> tuple[str, ...]:
    """Return the protected files that differ from those of the incumbent."""
    experiment, ledger = opened.present.experiment, opened.ledger
    now = protected_files(ledger.settings.protected, experiment.spec.dataset, Path())
    touched = touched_files(ledger.protected, now)
    is_same = opened.present.code.definition.dataset == ledger.first.definition.dataset
    return touched if is_same else (*touched, experiment.source.path)


def _check_protected(opened: OpenLedger) -> None:
    """Check that no protected file has changed since the try began.

    Raises:
        ResultError: one has.
    """
    if touched := _touched(opened):
        raise ResultError(
            "protected files have changed while the try ran; take that back, and the same "
            "`caduceus try` goes on",
            ", ".join(touched),
        )


def _refused_before(opened: OpenLedger, touched: tuple[str, ...]) -> Try | None:
    code = opened.present.code.id
    for each in opened.folder.tries():
        if each.verdict == "refused" and (each.code.id, each.refused) == (code, touched):
            return each
    return None


def _write_diff(opened: OpenLedger, gate: Gate, content: Mapping[str, Path]) -> None:
    """Write the edit, with these files by their paths, beside the record of the new try."""
    incumbent, folder = gate.incumbent, opened.folder
    text = edit_between(
        snapshot_content(folder, incumbent),
        content,
        incumbent.definition,
        opened.present.code.definition,
    )
    write_whole(folder.diff(gate.next_number), text)
