"""What to do after a try."""

import shlex

from caduceus.runs.files.tries import LedgerFolder, Try
from caduceus.tries.codes import DEFINITION, edited_files

_ANEW = "a new ledger begins if you raise `ledger` in the settings"
# After each reason of an undecided try.
_UNDECIDED = {
    "differences_equal": "let the program use its seed, which changes nothing of the metric now",
    "level_spent": f"{_ANEW}; this one can keep nothing more",
}


def next_step_after(tried: Try, folder: LedgerFolder) -> str:
    """Return what to do after a decided try, in words.

    Args:
        tried: the try.
        folder: its ledger's folder.
    """
    if tried.verdict == "kept":
        return "commit the edit; the next one is compared with it"
    if tried.verdict == "refused":
        return f"take the change of these files back; if it is meant, {_ANEW}"
    back = _way_back(tried, folder)
    if tried.reason == "failed":
        return (
            "mend the edit and try again; if the run ended with an error that isn't the edit's "
            "fault, `caduceus retry` with the run's name, and the same try goes on; else "
            f"{back}"
        )
    if tried.reason in _UNDECIDED:
        return f"{_UNDECIDED[tried.reason]}; or {back}"
    return back


def _way_back(tried: Try, folder: LedgerFolder) -> str:
    """Return how to take an edit back, whatever is committed."""
    path = folder.diff(tried.number)
    text = path.read_text(errors="replace") if path.exists() else ""
    files = edited_files(text)
    words = f"git apply --reverse --exclude {DEFINITION} {shlex.quote(path.as_posix())}"
    by_git = f"as by `{words}`" if files - {DEFINITION} else ""
    by_hand = "its command and parameters by hand" if DEFINITION in files else ""
    ways = ", ".join(filter(None, (by_git, by_hand)))
    return f"take the edit back{ways and f', {ways}'}"
