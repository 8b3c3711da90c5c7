"""`caduceus board` at work over a project, and what its page says."""

import signal
import subprocess
import sys
from dataclasses import dataclass
from types import TracebackType

from chromium import Browser
from projects import Project


@dataclass
class Board:
    """`with Board(project) as board` starts the board and ends it."""

    project: Project

    def __enter__(self) -> "Board":
        (self.project.path / "results").mkdir(exist_ok=True)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "caduceus", "board"],
            cwd=self.project.path,
            env=self.project.environment(),
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.address = self.process.stdout.readline().strip()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, _: object, trace: TracebackType | None
    ) -> None:
        self.end()

    def end(self) -> None:
        """End the board as Ctrl-C does."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            self.process.communicate(timeout=1200)


@dataclass
class Page:
    """The board's page in a browser."""

    browser: Browser

    def row(self, name: str) -> dict[str, str]:
        """The cells of a run's row, by the heads of their columns."""
        found = self.browser.driver.execute_script(
            """const heads = [...document.querySelectorAll("#run-table thead th")];
               const row = [...document.querySelectorAll("#run-table tbody tr")]
                 .find((each) => each.querySelector("a")?.textContent === arguments[0]);
               const name = (head) => head.textContent.replace(/ [↑↓]$/, "");
               return Object.fromEntries(
                 heads.map((head, at) => [name(head), row?.cells[at].textContent ?? ""]));""",
            name,
        )
        assert isinstance(found, dict)
        return found

    def wait_for_text(self, selector: str, text: str) -> None:
        """Wait until an element has a text in it."""
        self.browser.wait(lambda: text in self.text(selector))

    def text(self, selector: str) -> str:
        return str(
            self.browser.driver.execute_script(
                "return document.querySelector(arguments[0])?.textContent ?? ''", selector
            )
        )

    def go(self, view: str) -> None:
        """Open a view by its address."""
        self.browser.driver.execute_script("location.hash = arguments[0]", view)
