"""Whether a ledger still has the records of all its tries, each of which counts."""

from caduceus.errors import ResultError
from caduceus.io.csv_rows import read_rows
from caduceus.runs.files.tries import Ledger, LedgerFolder
from caduceus.runs.try_ledgers import lost_numbers


def check_complete(folder: LedgerFolder) -> None:
    """Check that no record of a ledger is lost, and that each has its own number.

    A level is shared by all tries: a lost record would give back what its confirmation has spent.

    Raises:
        ResultError: one is lost, or ledger.json is.
    """
    numbers = [each.number for each in folder.tries()]
    listed = _listed(folder)
    if not folder.ledger.exists():
        if numbers or listed:
            raise ResultError(f"is gone, but its tries aren't: {Ledger.mend}", str(folder.ledger))
        return
    for wrong in lost_numbers(numbers, listed):
        raise ResultError(
            f"is not the one record of try {wrong}: {Ledger.mend}", str(folder.record(wrong))
        )


def _listed(folder: LedgerFolder) -> int:
    """Return the number of tries in the table, which is made again, so that damage is no matter."""
    try:
        return len(read_rows(folder.table))
    except (OSError, ResultError):
        return 0
