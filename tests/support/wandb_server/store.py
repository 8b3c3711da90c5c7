"""All there is, who may have it, and what was wrong with what came."""

import itertools
import json
import threading
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any, TypeVar
from urllib.parse import quote

from .nodes import Holder, Node, Project, Run, md5

Kind = TypeVar("Kind", bound=Node)


class RefusalError(Exception):
    """A request is answered by an HTTP status and a message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Store:
    """What one user may see: entities that are writable or not, and all in them."""

    url = ""

    def __init__(self, user: str, teams: dict[str, bool]) -> None:
        self.user = user
        self.entities = {user: True} | teams
        self.lock = threading.RLock()
        self.projects: dict[tuple[str, str], Project] = {}
        self.nodes: dict[str, Any] = {}
        self.clients: dict[str, Any] = {}  # artifacts by the ids that the clients gave them
        self.problems: list[str] = []
        self.doubled: list[str] = []
        self._numbers = itertools.count(1)
        self._last_time = datetime.now(UTC)

    def now(self) -> str:
        """The time, later than ever before, so that each change shows."""
        self._last_time = max(datetime.now(UTC), self._last_time + timedelta(microseconds=1))
        return self._last_time.strftime("%Y-%m-%dT%H:%M:%S.%fZ")

    def make(self, kind: type[Kind], **attributes: Any) -> Kind:
        times = dict.fromkeys(("created_at", "updated_at", "heartbeat_at"), self.now())
        node = kind(number=next(self._numbers), **times, **attributes)
        self.nodes[node.id] = node
        return node

    def visible(self, entity: str | None, name: str | None) -> Project | None:
        entity = entity or self.user
        found = self.projects.get((entity, name or "uncategorized"))
        return found if entity in self.entities else None

    def writable(self, entity: str | None, name: str | None) -> Project:
        """The project, made if it isn't there."""
        entity, name = entity or self.user, name or "uncategorized"
        if entity not in self.entities:
            raise RefusalError(404, f"entity {entity} not found")
        if not self.entities[entity]:
            raise RefusalError(403, f"permission denied to access {entity}/{name}")
        return self.make_project(entity, name)

    def writable_run(self, entity: str, project: str, name: str) -> Run:
        found = self.writable(entity, project).runs.get(name)
        if found is None:
            raise RefusalError(404, f"run {entity}/{project}/{name} not found")
        return found

    def node(self, node_id: str, kind: type[Kind]) -> Kind:
        found = self.nodes.get(node_id)
        if not isinstance(found, kind):
            raise RefusalError(404, f"{node_id} not found")
        return found

    def make_project(self, entity: str, name: str) -> Project:
        if (entity, name) not in self.projects:
            self.projects[entity, name] = self.make(Project, entity=entity, name=name)
        return self.projects[entity, name]

    def make_run(self, project: Project, name: str | None) -> Run:
        name = name or f"run{len(self.nodes):05}"
        run = self.make(Run, project=project, name=name, display_name=f"wand-{len(self.nodes)}")
        project.runs[name] = run
        return run

    def file(self, owner: Holder, name: str, **more: Any) -> SimpleNamespace:
        """A file as the schema has it, whether it is stored or will be."""
        content = owner.files.get(name, b"")
        url = f"{self.url}/storage/{owner.id}/{quote(name)}"
        return SimpleNamespace(
            id=f"{owner.id}/{name}",
            name=name,
            display_name=name,
            url=url,
            direct_url=url,
            upload_url=url,
            size_bytes=len(content),
            md5=md5(content),
            updated_at=owner.updated_at,
            **more,
        )

    def take_stream(self, run: Run, body: dict[str, Any]) -> None:
        """Apply one request to a run's file_stream."""
        run.heartbeat_at = self.now()
        for name, part in body.get("files", {}).items():
            offset, content = part["offset"], part["content"]
            if name == "wandb-history.jsonl":
                self._take_history(run, offset, content)
            elif name == "wandb-events.jsonl":
                self._take_lines(run, name, run.event_lines, offset, content)
            elif name == "wandb-summary.json":
                self._parse(run, name, content[-1])
                run.summary_text = content[-1]
            elif name == "output.log":
                run.console += [""] * (offset - len(run.console))
                run.console[offset : offset + len(content)] = content
            else:
                self.problem(run, f"no stream is named {name}")
        if body.get("complete"):
            run.exit_code = body["exitcode"]
            run.state = "failed" if run.exit_code else "finished"
        elif body.get("files"):
            run.exit_code, run.state = None, "running"
        if body:
            run.updated_at = run.heartbeat_at

    def _take_history(self, run: Run, offset: int, content: list[str]) -> None:
        known = set(run.steps)
        new = self._take_lines(run, "wandb-history.jsonl", run.history_lines, offset, content)
        for row in new:
            step = row.get("_step")
            if step is not None and step in known:
                self.doubled.append(f"{run.path}: step {step}")
            known.add(step)
            run.steps.append(step)

    def _take_lines(
        self, run: Run, name: str, held: list[str], offset: int, content: list[str]
    ) -> list[dict[str, Any]]:
        """Put lines where they belong, and return the rows of those that are new."""
        again = held[offset : offset + len(content)]
        if offset > len(held):
            self.problem(run, f"{name} goes on at line {offset}, but {len(held)} are held")
        # The order of keys is random each time a line is made.
        if _values(again) != _values(content[: len(again)]):
            self.problem(run, f"{name} was sent again from line {offset} on, but changed")
        held[offset : offset + len(content)] = content
        return [self._parse(run, name, line) for line in content[len(again) :]]

    def _parse(self, run: Run, name: str, line: str) -> dict[str, Any]:
        try:
            return json.loads(line)
        except ValueError as error:
            self.problem(run, f"{name} has a line that isn't JSON: {error}")
            return {}

    def problem(self, run: Run, text: str) -> None:
        self.problems.append(f"{run.path}: {text}")


def _values(lines: list[str]) -> list[Any]:
    """The lines' values, NaN equal to itself."""
    return [json.loads(line, parse_constant=str) for line in lines]
