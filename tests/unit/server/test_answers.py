"""Whatever a server answers, the export is right or the error is one line."""

import base64
import io
import json
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from caduceus.errors import CaduceusError, ServerError
from caduceus.exports.equality import differences
from caduceus.exports.run import export_logs
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.wandb_paths import ProjectPath, RunPath
from caduceus.server.client import Server
from caduceus.server.logs import fetch_log
from caduceus.server.refresh import find_run
from caduceus.server.runs import read_states
from caduceus.system.wandb_account import Account
from urllib3 import HTTPResponse

URL = "http://wandb.test"
# Answers of the tests' W&B server to the questions about one run, in their order, and its files.
RECORDED = json.loads(Path(__file__).with_name("answers.json").read_text())
ANSWERS = RECORDED["answers"]
STATES = 4  # the first ones are about the account and the run's state
# Null is an answer of its own here: there are none, or an older server doesn't know it.
NULLABLE = {
    *("commit", "config", "description", "displayName", "endCursor", "entity", "eventsLineCount"),
    *("fileCount", "group", "heartbeatAt", "host", "jobType", "metadata", "notes", "project"),
    *("readOnly", "serverID", "size", "summaryMetrics", "sweepName", "tags", "teams", "updatedAt"),
    *("username", "createdAt", "id0", "historyKeys", "lastStep"),
}
JSON_TEXTS = ("config", "summaryMetrics", "history", "events")


class Network:
    """Answers requests with what was recorded, of which a test may change anything."""

    def __init__(self, answers: list[Any]) -> None:
        self.answers = deepcopy(answers)
        self.files = deepcopy(RECORDED["files"])
        self.change: Callable[[bytes], bytes] = lambda content: content

    def request(self, method: str, url: str, json: Any = None, **_: Any) -> requests.Response:
        response = requests.Response()
        response.status_code, response.url = 200, url
        response.raw = HTTPResponse(io.BytesIO(self._body(url, json)), preload_content=False)
        return response

    def _body(self, url: str, question: Any) -> bytes:
        if question is not None:
            return self.change(json.dumps({"data": self.answers.pop(0)["data"]}).encode())
        file = self.files.get(url.removeprefix(URL), "")
        return base64.b64decode(file) if isinstance(file, str) else json.dumps(file).encode()


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Network:
    made = Network(ANSWERS)
    monkeypatch.setattr(requests.Session, "request", made.request)
    return made


def server() -> Server:
    return Server(Account(URL, "k" * 40, "WANDB_API_KEY"), patience_s=0)


def states(folder: Path) -> list[Any]:
    """Ask for the run and for the runs of its project, as `refresh` does."""
    asked, project = server(), ProjectPath("alice", "p")
    return [find_run(asked, project, "abc"), *read_states(asked, project, {})]


def export(folder: Path) -> list[Any]:
    """Download the run, and export it; the questions are asked in the order of the answers."""
    path = RunPath("alice", "p", "abc")
    state = ServerState(
        path=path, group="g", state="finished", rows=3, last_step=2, updated_at="now"
    )
    log = folder / "run-abc.wandb"
    fetch_log(server(), state, log)
    export_logs([log], folder / "export")
    return [folder / "export"]


OTHERS: list[Any] = [None, 5, "text", [], {}, True, 0.5]
# Texts in place of JSON in a text; an object with other values would be another right answer.
NO_OBJECTS = ('{"_wandb": "\\ud800"}', "[]", "5", '"x"', "{", "<html>", '{"a": ', "[" * 100_000)
# Other values of the right type, from which an export may be made that is right for them.
ODD_NUMBERS, ODD_TEXTS = (-1, 0, 2**31, 2**70), ("", "null", "{}", "\ud800", "a\nb", '{"a": {}}')


@dataclass(frozen=True)
class Mutation:
    """Another value at a place of an answer; none if the place is left out.

    Attributes:
        place: the keys that lead to it.
        values: the value, if there is one.
        is_legal: whether a server could mean it, so that another export is right.
    """

    place: tuple[Any, ...]
    values: tuple[Any, ...] = ()
    is_legal: bool = False

    def apply(self, tree: Any) -> None:
        *above, last = self.place
        for key in above:
            tree = tree[key]
        if self.values:
            tree[last] = self.values[0]
        else:
            del tree[last]


def mutations(value: Any, place: tuple[Any, ...] = ()) -> Iterator[Mutation]:
    """Yield all mutations of a part of an answer; in lists those of the first item."""
    names = [key for key in place if isinstance(key, str)]
    name = names[-1] if names else ""
    if place:
        for other in OTHERS:
            if type(other) is not type(value):
                yield Mutation(place, (other,), None in (value, other) and name in NULLABLE)
    if isinstance(value, str):
        yield from (Mutation(place, (text,)) for text in NO_OBJECTS if name in JSON_TEXTS)
        yield from (Mutation(place, (text,), True) for text in ODD_TEXTS)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield from (Mutation(place, (number,), True) for number in ODD_NUMBERS)
    elif isinstance(value, list):
        yield Mutation(place, ({str(index): item for index, item in enumerate(value)},))
        for item in value[:1]:
            yield from mutations(item, (*place, 0))
    elif isinstance(value, dict):
        if place:
            yield Mutation(place, (list(value.values()),))
        for key, item in value.items():
            yield Mutation((*place, key))
            yield from mutations(item, (*place, key))


def outcome(call: Callable[[Path], list[Any]], folder: Path) -> list[Any] | None:
    """Return the value of the call; None if it fails with an error of one line.

    Nothing else may happen.

    A run that is left out, as `refresh` does, is an error too: it is named.
    """
    folder.mkdir()
    try:
        found = call(folder)
    except CaduceusError as error:
        assert "\n" not in str(error)
        assert len(str(error)) < 500
        return None
    return found if call is export or len(found) == 2 else None


@pytest.fixture(scope="module")
def right(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The export of the answers as they were recorded."""
    with pytest.MonkeyPatch.context() as patch:
        network = Network(ANSWERS[STATES:])
        patch.setattr(requests.Session, "request", network.request)
        (found,) = export(tmp_path_factory.mktemp("right"))
        return Path(found)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(len(ANSWERS)))
def test_a_changed_answer_is_one_line_or_a_right_export(
    number: int, network: Network, right: Path, tmp_path: Path
) -> None:
    first, call = (0, states) if number < STATES else (STATES, export)
    for case, mutation in enumerate(mutations(ANSWERS[number]["data"])):
        network.answers = deepcopy(ANSWERS[first:])
        mutation.apply(network.answers[number - first]["data"])
        try:
            found = outcome(call, tmp_path / str(case))
            if found is None or mutation.is_legal:
                continue
            if call is states:
                assert found[0] == found[1]
                assert (found[0].rows, found[0].last_step, found[0].group) == (3, 2, "g")
            else:
                assert differences(right, found[0]) == []
        except Exception as error:
            what = f"{ANSWERS[number]['query']}: {str(mutation)[:500]}"
            raise AssertionError(what) from error


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("wandb-metadata.json", [[], {"git": []}, {"git": {"commit": 5}}, {"host": 5}]),
        ("Manifest-4/wandb_manifest.json", [{}, {"contents": []}, {"contents": {"m.txt": []}}]),
        ("Manifest-4/wandb_manifest.json", [{"contents": {"m.txt": {"digest": None}}}]),
        ("Manifest-4/wandb_manifest.json", [{"contents": {"m.txt": {"digest": "a", "size": "b"}}}]),
    ],
)
def test_a_changed_file_of_wandb_is_one_line(
    name: str, values: list[Any], network: Network, tmp_path: Path
) -> None:
    (place,) = (place for place in network.files if place.endswith(name))
    for case, value in enumerate(values):
        network.answers = deepcopy(ANSWERS[STATES:])
        network.files[place] = value
        assert outcome(export, tmp_path / str(case)) is None


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"<!DOCTYPE html><html>", "a web page, such as that of a login or a proxy"),
        (b'{"data": {"viewer": {"us', "JSON that is damaged or cut off"),
        (b"{" * 100_000, "JSON that is damaged or cut off"),
        (b"\xff", "no JSON"),
        (b"[]", "no JSON"),
        (b"", "no JSON"),
    ],
)
def test_an_answer_in_no_json_is_one_line(content: bytes, what: str, network: Network) -> None:
    network.change = lambda _: content
    with pytest.raises(ServerError) as error:
        server().query("query Viewer { viewer { username } }")
    assert str(error.value) == (
        f"{URL}: answered with status 200 and {what}; is it a W&B server? see WANDB_BASE_URL"
    )


@pytest.mark.parametrize("has_field", [True, False])
def test_the_error_names_server_query_and_field(
    has_field: bool, network: Network, tmp_path: Path
) -> None:
    network.answers = deepcopy(ANSWERS[STATES:])
    run = network.answers[0]["data"]["project"]["run"]
    if has_field:
        run["state"] = 5
    else:
        del run["state"]
    with pytest.raises(ServerError) as error:
        export(tmp_path)
    what = "has a number at project.run.state, not text" if has_field else "lacks project.run.state"
    assert str(error.value) == (
        f"{URL}: its answer to the query Run {what}; is it a W&B server, and of a supported "
        "version? see WANDB_BASE_URL"
    )
