"""What tries.csv says of a try that still runs."""

from pathlib import Path

from caduceus.io.csv_rows import read_rows
from caduceus.tries.table import COLUMNS
from written_tries import add_try, result, write_ledger

NUMBERS = {
    *("effect", "low", "high", "phase", "pairs", "std", "p", "level"),
    *("holdout", "holdout_gap", "cpu_s", "wall_s"),
}


def test_a_running_try_has_no_numbers_until_it_is_decided(tmp_path: Path) -> None:
    """Whoever looks at its effect seed by seed, and ends it when they please, keeps noise."""
    folder = write_ledger(tmp_path)
    add_try(folder, 1, "discarded", result=result("screening"), cpu_s=3.5, wall_s=7.25)
    add_try(folder, 2, "running", result=result("screening"), fresh=(7, 8), trained=("r",))
    decided, running = read_rows(folder.table)
    assert list(decided) == [*COLUMNS]
    assert (decided["effect"], decided["pairs"], decided["wall_s"]) == (0.1, 5, 7.25)
    assert not [name for name in NUMBERS if running.get(name) is not None]
    assert (running["verdict"], running["fresh_seeds"]) == ("running", "7 8")
    add_try(folder, 2, "discarded", result=result("screening"))
    assert read_rows(folder.table)[1]["effect"] == 0.1
