"""Tell of failures and divergences as they happen, from the process that runs the build.

A thread sends; the build never waits for it. What was delivered stands in results/notified.json, so
that the last job doesn't tell it again. What wasn't is sent with the next message, or by the last
job, or by that of the next build.
"""

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.overview.board.plan_index import read_plans
from caduceus.overview.notices import NOTHING_TOLD, Told, is_finite, send_lines
from caduceus.project.settings import NotifySettings, load_settings
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train

_PAUSE_S = 10.0  # between two messages, so that a hundred failures aren't a hundred messages
_LONGEST_PAUSE_S = 600.0  # after messages that couldn't be delivered


@dataclass(frozen=True)
class _News:
    """A failure, by the start of its last attempt, or a divergence, in a line."""

    run: str
    line: str
    failed_at: str | None = None

    def is_told(self, told: Told) -> bool:
        if self.failed_at is None:
            return self.run in told.diverged
        return told.failed.get(self.run) == self.failed_at

    def add_to(self, told: Told) -> Told:
        if self.failed_at is None:
            return replace(told, diverged=(*told.diverged, self.run))
        return replace(told, failed={**told.failed, self.run: self.failed_at})


class LiveNotices:
    """Tells what happens to the runs of a project while it is built.

    Args:
        settings: whom to tell, and what.
        results: the folder results/.
        pause_s: between two messages.
    """

    def __init__(
        self,
        settings: NotifySettings,
        results: Path,
        pause_s: float = _PAUSE_S,
    ):
        self._settings = settings
        self._results = results
        self._pause_s = pause_s
        self._news: list[_News] = []
        self._more = threading.Condition()
        self._has_ended = False
        self._has_left_rest = False
        self._thread: threading.Thread | None = None

    def take_training(self, run: str, train: Train) -> None:
        """Tell of a run that has failed for good."""
        if train.state == "failed" and "failure" in self._settings.events:
            start = train.attempts[-1].started_at if train.attempts else None
            line = f"failed: {run}: {train.error or 'its program failed'}"
            self._add(_News(run, line, start or ""))

    def take_export(self, run: str, summary: Summary, metric: str) -> None:
        """Tell of a run that has ended with a metric that isn't finite."""
        is_wanted = "divergence" in self._settings.events and summary.state != "failed"
        if is_wanted and not is_finite(summary, metric):
            self._add(_News(run, f"diverged: {run}: its metric {metric} isn't a finite number"))

    def leave_rest(self) -> None:
        """Leave what isn't sent yet to the last job, which begins now."""
        with self._more:
            self._news.clear()
            self._has_left_rest = True

    def stop(self, last: Sequence[str] = ()) -> None:
        """Send what is left and these lines, and wait for that two seconds at most.

        Args:
            last: how the build ended, if its last job can't say so.
        """
        with self._more:
            self._news += [_News("", line, "") for line in last]
            self._has_ended = True
            self._more.notify()
            if self._news:
                self._start()
        if self._thread is not None:  # it waits a second for a message on its way, and the last
            self._thread.join()

    def _add(self, news: _News) -> None:
        with self._more:
            self._news.append(news)
            self._start()
            self._more.notify()

    def _start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._send_all, daemon=True)
            self._thread.start()

    def _send_all(self) -> None:
        pause_s = self._pause_s
        while True:
            with self._more:
                self._more.wait_for(lambda: self._news or self._has_ended)
                found, self._news = self._news, []
                if not found:
                    return
                is_last = self._has_ended
            until = time.monotonic() + pause_s
            left = self._send(found)
            # Nobody may answer for hours, and each message reads all plans.
            pause_s = min(2 * pause_s, _LONGEST_PAUSE_S) if left else self._pause_s
            with self._more:
                if not self._has_left_rest and not is_last:
                    self._news[:0] = left
                while not self._has_ended and (left_s := until - time.monotonic()) > 0:
                    self._more.wait(left_s)

    def _send(self, found: Sequence[_News]) -> Sequence[_News]:
        """Send what wasn't told before, and record it; return what couldn't be delivered."""
        path = self._results / "notified.json"
        try:
            told = Told.read_if_there(path) or NOTHING_TOLD
            new = [news for news in found if not news.run or not news.is_told(told)]
            if not new:
                return ()
            lines, plans = [news.line for news in new], read_plans(self._results).plans
            if not send_lines(self._settings, lines, plans).is_delivered:
                return new
            told = Told.read_if_there(path) or NOTHING_TOLD  # the last job may have written it
            for news in new:
                told = news.add_to(told) if news.run else told
            if any(news.run for news in new):
                told.write(path)
        except (ResultError, OSError):
            pass  # the last job says that it can't be read
        return ()


def tell_verdict(line: str, config: Path, results: Path) -> str:
    """Send the verdict on a try, if verdicts are told; return a warning, empty if all went well.

    Args:
        line: the verdict.
        config: config.yaml.
        results: the folder results/.
    """
    settings = load_settings(config).notify
    if not settings.argument or "verdict" not in settings.events:
        return ""
    return send_lines(settings, [line], read_plans(results).plans).warning
