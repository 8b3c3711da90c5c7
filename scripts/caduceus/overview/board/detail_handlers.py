"""The addresses for one run, its files, sweeps and the paper."""

from collections.abc import Callable, Sequence
from pathlib import Path

from caduceus.io.names import is_safe_name
from caduceus.overview.board.board import Board, NotThereError
from caduceus.overview.board.consoles import console
from caduceus.overview.board.handlers import BoardHandler
from caduceus.overview.board.media_files import (
    TYPES,
    NoFileError,
    find_media,
    logged_table,
    media_row,
)
from caduceus.overview.board.paper_rows import paper_rows
from caduceus.overview.board.requests import whole_number
from caduceus.overview.board.run_details import run_details, run_media
from caduceus.overview.board.sweep_rows import sweep_details, sweep_row
from caduceus.overview.board.tracked_run import TrackedRun
from caduceus.paper.report.tries import try_details
from caduceus.sweeps.folders import SweepFolder

# A picture may have styles of its own, as those that matplotlib writes; it is shown by itself.
_FILE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
_CHUNK = 1 << 20
_MOST = 500  # rows or media of an answer


class DetailHandler(BoardHandler):
    """A request with arguments in its address."""

    def number(self, name: str, default: int, most: int = 1 << 53) -> int:
        """Return the whole number of an argument."""
        return whole_number(self.get_query_argument(name, str(default)), name, most)

    def optional_number(self, name: str) -> int | None:
        """Return the whole number of an argument; None if it isn't given."""
        return self.number(name, 0) if self.get_query_argument(name, "") else None


class RunHandler(DetailHandler):
    """/api/run."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            tracked = board.find(self.get_query_argument("run", ""))
            details = run_details(tracked, run_media(tracked))
            return board.text({"run": board.row(tracked)} | details)

        await self.answer(make)


class ConsoleHandler(DetailHandler):
    """/api/console."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            tracked = board.find(self.get_query_argument("run", ""))
            attempt, start = self.optional_number("attempt"), self.optional_number("from")
            return board.text(console(tracked, attempt, start))

        await self.answer(make)


class MediaListHandler(DetailHandler):
    """/api/media."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            tracked = board.find(self.get_query_argument("run", ""))
            metric = self.get_query_argument("metric", "")
            start, limit = self.number("from", 0), self.number("limit", 200, _MOST)
            items = run_media(tracked).items.get(metric, [])
            part = enumerate(items[start : start + limit], start)
            found = [media_row(tracked, index, item) for index, item in part]
            about = {"run": tracked.run, "metric": metric, "total": len(items)}
            return board.text(about | {"items": found})

        await self.answer(make)


class TableHandler(DetailHandler):
    """/api/table."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            tracked = board.find(self.get_query_argument("run", ""))
            start, limit = self.number("from", 0), self.number("limit", 50, _MOST)
            path = self.get_query_argument("path", "")
            try:
                return board.text(logged_table(tracked, path, start, limit))
            except NoFileError as error:
                raise NotThereError(str(error)) from None

        await self.answer(make)


class SweepsHandler(DetailHandler):
    """/api/sweeps."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            names = sorted(path.parent.name for path in board.results.glob("sweeps/*/sweep.json"))
            folders = [SweepFolder(board.results / "sweeps" / name) for name in names]
            found = [sweep_row(each, _runs_of(board, each.path.name)) for each in folders]
            return board.text({"sweeps": found})

        await self.answer(make)


class SweepHandler(DetailHandler):
    """/api/sweep."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            name = self.get_query_argument("sweep", "")
            folder = SweepFolder(board.results / "sweeps" / name)
            if not is_safe_name(name) or not folder.plan.is_file():
                raise NotThereError("there is no such sweep")
            return board.text(sweep_details(folder, _runs_of(board, name)))

        await self.answer(make)


class LedgersHandler(DetailHandler):
    """/api/ledgers: the names of the ledgers of tries."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            return board.text({"ledgers": list(board.watch.plans.tries.ledgers)})

        await self.answer(make)


class LedgerHandler(DetailHandler):
    """/api/ledger: a ledger of tries."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            found = board.ledger(self.get_query_argument("ledger", ""))
            return board.tries.text(found, board.watch.runs, board.text)

        await self.answer(make)


class TryHandler(DetailHandler):
    """/api/try: the edit of a try, its runs and its whole reason."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            found = board.ledger(self.get_query_argument("ledger", ""))
            number = self.number("number", 0)
            tried = next((each for each in found.tries if each.number == number), None)
            if tried is None:
                raise NotThereError("the ledger has no such try")
            return board.text(try_details(found, tried, board.secrets))

        await self.answer(make)


class PaperHandler(DetailHandler):
    """/api/paper."""

    async def get(self) -> None:
        def make(board: Board) -> str:
            return board.text(paper_rows(board.results, [*board.watch.runs.values()]))

        await self.answer(make)


class FileHandler(BoardHandler):
    """A file that somebody else wrote: shown where it is a picture, else only kept."""

    async def send(self, find: Callable[[Board], Path | None]) -> None:
        """Answer with the file that `find` names, in pieces."""
        path = await self.service.ask(find)
        if path is None:
            self.refuse(404, "there is no such file")
            return
        self.set_header("Content-Security-Policy", _FILE_POLICY)
        kind = TYPES.get(path.suffix.lower())
        self.set_header("Content-Type", kind or "application/octet-stream")
        if kind is None:
            self.set_header("Content-Disposition", "attachment")
        try:
            with path.open("rb") as stream:
                while chunk := stream.read(_CHUNK):
                    self.write(chunk)
                    await self.flush()
        except OSError:
            self.refuse(404, "the file is gone")


class MediumHandler(FileHandler):
    """/media/RUN/PATH."""

    async def get(self, run: str, path: str) -> None:
        def find(board: Board) -> Path | None:
            tracked = board.watch.runs.get(run)
            return None if tracked is None else find_media(tracked, path)

        await self.send(find)


class FigureHandler(FileHandler):
    """/figures/NAME.svg."""

    async def get(self, name: str) -> None:
        def find(board: Board) -> Path | None:
            folder = (board.results / "paper/figures").resolve()
            path = (folder / name).resolve()
            is_inside = is_safe_name(name) and path.parent == folder and path.suffix == ".svg"
            return path if is_inside and path.is_file() else None

        await self.send(find)


def _runs_of(board: Board, sweep: str) -> Sequence[TrackedRun]:
    prefix = f"{sweep}-"
    return [tracked for name, tracked in board.watch.runs.items() if name.startswith(prefix)]
