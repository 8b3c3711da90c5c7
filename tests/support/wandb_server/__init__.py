"""A W&B server on loopback, on which the unmodified SDK runs. A stand-in for tests.

It understands GraphQL by W&B's schema as far as the SDK 0.31 asks for it, keeps what it is sent,
and says in `problems` what a client got wrong.
"""

import json
import os
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Self

from .faults import Fault
from .nodes import Run
from .serving import Listener
from .store import Store
from .sweeps import Sweep

__all__ = ["Run", "WandbServer"]


class WandbServer:
    """A user with a key, and teams: to True belongs that the user may write there."""

    key = "local-wandb-key-of-forty-characters-0123456789"

    def __init__(
        self,
        port: int = 0,
        user: str = "alice",
        teams: Mapping[str, bool] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.store = Store(user, {"lab": True, "readers": False} if teams is None else dict(teams))
        self.problems = self.store.problems
        self.doubled = self.store.doubled
        self.requests: list[str] = []
        self._faults: list[Fault] = []
        self._port = port
        self._tls = tls
        self._listener: Listener | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self._port}"

    def start(self) -> None:
        """Listen, on the port of before if there was one."""
        if self._listener is None:
            self._listener = Listener(self, self._port, self._tls)
            self._port = self._listener.server_port
            self.store.url = self.url

    def stop(self) -> None:
        """Be gone: close the socket and all connections. What is held stays."""
        if self._listener is not None:
            self._listener.close()
            self._listener = None

    def environment(self, folder: Path) -> dict[str, str]:
        """All that a client's process gets, with every folder of W&B's below this one."""
        own = {
            "WANDB_BASE_URL": self.url,
            "WANDB_API_KEY": self.key,
            "WANDB_ERROR_REPORTING": "false",
            "HOME": str(folder),
            "NO_PROXY": "127.0.0.1",
            "no_proxy": "127.0.0.1",
        }
        for name in ("DIR", "CACHE_DIR", "DATA_DIR", "CONFIG_DIR"):
            place = folder / f"wandb-{name.lower().replace('_', '-')}"
            place.mkdir(parents=True, exist_ok=True)
            own[f"WANDB_{name}"] = str(place)
        kept = {name: text for name, text in os.environ.items() if not name.startswith("WANDB_")}
        return kept | own

    @property
    def runs(self) -> list[Run]:
        return [run for project in self.store.projects.values() for run in project.runs.values()]

    @property
    def sweeps(self) -> list[Sweep]:
        return [s for project in self.store.projects.values() for s in project.sweeps.values()]

    def run(self, name: str, project: str | None = None, entity: str | None = None) -> Run:
        """The one run of this name."""
        found = [run for run in self.runs if run.name == name]
        found = [run for run in found if project in (None, run.project.name)]
        found = [run for run in found if entity in (None, run.project.entity)]
        if len(found) != 1:
            raise LookupError(f"{len(found)} runs are named {name}")
        return found[0]

    def add_run(
        self,
        name: str | None = None,
        project: str = "project",
        entity: str | None = None,
        *,
        rows: Iterable[Mapping[str, Any]] = (),
        events: Iterable[Mapping[str, Any]] = (),
        config: Mapping[str, Any] | None = None,
        summary: Mapping[str, Any] | None = None,
        files: Mapping[str, bytes] | None = None,
        state: str = "finished",
        **attributes: Any,
    ) -> Run:
        """Put a run there at once. Rows get a `_step` if they have none."""
        with self.store.lock:
            place = self.store.make_project(entity or self.store.user, project)
            run = self.store.make_run(place, name)
            held = [{"_step": step} | dict(row) for step, row in enumerate(rows)]
            last = held[-1] if held else {}
            run.history_lines = [json.dumps(row) for row in held]
            run.steps = [row["_step"] for row in held]
            run.event_lines = [json.dumps(event) for event in events]
            run.config_text = json.dumps({key: {"value": config[key]} for key in config or ()})
            run.summary_text = json.dumps(last if summary is None else summary)
            run.files = dict(files or {})
            run.state = state
            for attribute, value in attributes.items():
                setattr(run, attribute, value)
        return run

    def fail(self, pattern: str, status: int | None = None, **more: Any) -> None:
        """Break the requests, named "METHOD path operation", in which the pattern is found.

        What more there is, a `Fault` says.
        """
        self._faults.append(Fault(pattern, status, **more))

    def heal(self) -> None:
        self._faults.clear()

    def note(self, request: str) -> Fault | None:
        """Remember a request, and say what is to go wrong with it."""
        with self.store.lock:
            self.requests.append(request)
            return next((fault for fault in self._faults if fault.strikes(request)), None)
