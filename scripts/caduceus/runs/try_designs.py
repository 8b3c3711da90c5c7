"""The design of a ledger's sequential test, as ledger.json has it."""

from dataclasses import dataclass, fields

from caduceus.errors import ResultError
from caduceus.io.json_records import Record
from caduceus.runs.files.tries import Ledger
from caduceus.statistics.tries import Design


@dataclass(frozen=True, kw_only=True)
class _Kept(Record):
    design: Design


def design_of(ledger: Ledger) -> Design:
    """Return the design of a ledger, which a later version of Caduceus may no longer start with.

    Raises:
        ResultError: ledger.json was changed by hand, or is of a version with other rules.
    """
    try:
        if unknown := ledger.design.keys() - {each.name for each in fields(Design)}:
            raise ValueError(f"this version of Caduceus knows no {', '.join(sorted(unknown))}")
        return _Kept.from_json({"design": dict(ledger.design)}).design
    except (ValueError, ResultError) as error:
        what = str(error).removeprefix("design.")
        raise ResultError(f"design: {what}; {ledger.mend}", "ledger.json") from None
