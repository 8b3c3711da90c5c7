"""The picture of a build on a terminal: runs by state, a bar with the time left, what runs."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from rich.console import Group, RenderableType
from rich.constrain import Constrain
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from caduceus.io.phrases import count_of, printable
from caduceus.overview.forecasts import duration_text

_WIDEST = 100  # columns: a line that fills a wide terminal is hard to read
_SHORTEST = 8  # columns of a bar
_STYLES = {"finished": "green", "running": "cyan", "failed": "red"}


@dataclass(frozen=True)
class RunningLine:
    """A running job: its name, its step and metric if it has any, and its seconds so far."""

    name: str
    about: str
    seconds: float


@dataclass(frozen=True)
class Snapshot:
    """A build at one moment.

    Attributes:
        runs: the number of runs in each state that has any.
        done: the number of finished jobs.
        total: the number of all jobs.
        seconds: since the start.
        left_s: seconds until the end; None if unknown.
        running: the running jobs, those that train first.
        is_late: whether a run takes much longer than earlier ones, in place of the time left.
    """

    runs: Mapping[str, int]
    done: int
    total: int
    seconds: float
    left_s: float | None
    running: Sequence[RunningLine] = ()
    is_late: bool = False


def picture(build: Snapshot, width: int, height: int) -> RenderableType:
    """Return the picture of a build, for a terminal of `width` columns and `height` lines."""
    width = max(8, min(width, _WIDEST) - 1)  # a full last column would wrap on some terminals
    lines: list[RenderableType] = [_headline(build), _bar(build, width)]
    shown = max(1, height - 6)
    if build.running:
        lines.append(_running(build.running[:shown], width))
    if len(build.running) > shown:
        lines.append(_line(f"  and {len(build.running) - shown} more", "dim"))
    return Constrain(Group(*lines), width)


def clock(seconds: float) -> str:
    """Return a duration as a clock shows it: 0:07, 1:02:03."""
    minutes, rest = divmod(int(max(0.0, seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _headline(build: Snapshot) -> Text:
    total = sum(build.runs.values())
    line = Text("caduceus  ", "bold")  # a narrow terminal shows it on several lines
    if not total:
        return line.append("no run to train", "")
    line.append(f"{count_of(total, 'run')}: ", "")
    for at, (state, count) in enumerate(build.runs.items()):
        line.append(", " if at else "", "")
        line.append(f"{count:,} {state}", _STYLES.get(state, ""))
    return line


def _bar(build: Snapshot, width: int) -> RenderableType:
    about = f"{build.done:,} of {build.total:,} steps, {clock(build.seconds)}"
    if build.is_late:
        about += ", longer than earlier runs"
    elif build.left_s is not None and build.left_s >= 1:
        about += f", about {duration_text(build.left_s)} left"
    bar = min(40, width - len(about) - 2)
    if bar < _SHORTEST:
        return Text(about)
    row = Table.grid(padding=(0, 2, 0, 0))
    row.add_row(ProgressBar(max(1, build.total), build.done, width=bar), _line(about))
    return row


def _running(lines: Sequence[RunningLine], width: int) -> Table:
    rows = list(_cells(lines))
    about = max(cell_len(cells[1]) for cells in rows)
    clocks = max(len(cells[2]) for cells in rows)
    about = min(about, max(10, (width - clocks) // 2))
    name = min(max(cell_len(cells[0]) for cells in rows), max(8, width - about - clocks - 6))
    table = Table.grid(padding=(0, 2, 0, 0), pad_edge=False)
    for cells in (name + 2, about, clocks):
        table.add_column(width=cells, no_wrap=True, overflow="ellipsis")
    for title, said, time in rows:
        table.add_row(_line(f"  {title}"), _line(said, "cyan"), _line(time.rjust(clocks), "dim"))
    return table


def _cells(lines: Sequence[RunningLine]) -> Iterator[tuple[str, str, str]]:
    for line in lines:
        yield _flat(line.name), _flat(line.about), clock(line.seconds)


def _flat(text: str) -> str:
    """Return `text` on one line, without characters that a terminal would obey."""
    return printable(" ".join(text.split()))


def _line(text: str, style: str = "") -> Text:
    return Text(text, style, no_wrap=True, overflow="ellipsis")
