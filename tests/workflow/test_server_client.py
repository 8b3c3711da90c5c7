"""Questions to a server and downloads from it, whatever it answers, and who may do what there."""

import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import AccountError, CaduceusError, ServerError
from caduceus.io.files import md5_base64
from caduceus.runs.wandb_paths import ProjectPath
from caduceus.server.access import check_access
from caduceus.server.client import Server
from caduceus.system.wandb_account import Account
from projects import wait_for
from urllib3.util import retry
from wandb_server import WandbServer

KEY = WandbServer.key
VIEWER = "query Viewer { viewer { username } }"

MINE, ALICES, LABS = (ProjectPath(entity, "p") for entity in ("", "alice", "lab"))


def connect(url: str, key: str = KEY, patience_s: float = 0, entity: str | None = None) -> Server:
    """Without patience a request is tried again once, at once."""
    return Server(Account(url, key, "WANDB_API_KEY", entity), patience_s)


def refused(kind: type[CaduceusError], call: Callable[..., Any], *given: Any, **named: Any) -> str:
    """What the error says: one line, with no key in it and no part of Python's."""
    with pytest.raises(kind) as error:
        call(*given, **named)
    assert type(error.value) is kind
    message = str(error.value)
    assert "\n" not in message
    for part in (KEY, "0x", "HTTPConnection", "Traceback"):
        assert part not in message
    return message


@contextmanager
def serving(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as listener:
        threading.Thread(target=listener.serve_forever, args=(0.02,), daemon=True).start()
        try:
            yield f"http://127.0.0.1:{listener.server_port}"
        finally:
            listener.shutdown()


@contextmanager
def answering(
    content: bytes, status: int = 200, missing: int = 0, seen: list[str | None] | None = None
) -> Iterator[str]:
    """A server with one answer, of which the last bytes may be missing; takes what keys it saw."""

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if seen is not None:
                seen.append(self.headers.get("Authorization"))
            self.send_response(status)
            self.send_header("Content-Length", str(len(content) + missing))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_GET  # noqa: N815  # http.server's names

    with serving(Handler) as url:
        yield url


def test_a_question_is_answered(wandb_server: WandbServer) -> None:
    server = connect(wandb_server.url)
    assert server.query(VIEWER).value == {"viewer": {"username": "alice"}}
    found = server.query("query P($name: String) { project(name: $name) { id } }", name="none")
    assert found["project"].is_null


def test_a_wrong_key_is_named_by_where_it_stands(wandb_server: WandbServer) -> None:
    wrong = KEY[::-1]
    message = refused(AccountError, connect(wandb_server.url, wrong).query, VIEWER)
    assert message == (
        f"{wandb_server.url} doesn't know the API key from WANDB_API_KEY; copy it again from the "
        "server's page /authorize"
    )
    with answering(b"not json", 401) as url:
        assert "doesn't know the API key" in refused(AccountError, connect(url).query, VIEWER)


def test_where_nobody_listens_nobody_is_reached(wandb_server: WandbServer, tmp_path: Path) -> None:
    server = connect(wandb_server.url)
    server.query(VIEWER)
    wandb_server.stop()
    for call, given in (
        (server.query, [VIEWER]),
        (server.read_json, [f"{wandb_server.url}/x?a=b"]),
    ):
        message = refused(ServerError, call, *given)
        assert message.startswith(wandb_server.url)
        assert re.search(
            r": can't be reached: Connection refused \(tried for \d+ s\); nothing is lost; check",
            message,
        )
        assert "a=b" not in message
    refused(ServerError, server.download, f"{wandb_server.url}/x", tmp_path / "x")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("url", ["http://nowhere.invalid", "http://a b", "https://127.0.0.1:{}"])
def test_what_is_no_server_is_not_reached(wandb_server: WandbServer, url: str) -> None:
    url = url.format(wandb_server.url.rpartition(":")[2])
    message = refused(ServerError, connect(url).query, VIEWER)
    assert message.startswith(f"{url}/graphql: can't be reached: ")


def test_a_server_that_is_silent_is_given_up(wandb_server: WandbServer) -> None:
    server = Server(Account(wandb_server.url, KEY, "WANDB_API_KEY", None), 0, timeout_s=(1, 0.2))
    wandb_server.fail("Viewer", delay=1)
    message = refused(ServerError, server.query, VIEWER)
    assert re.search(
        r"can't be reached: no answer within 1 s \(tried for \d+ s\); nothing is lost; check",
        message,
    )
    wait_for(lambda: wandb_server.requests == ["POST /graphql Viewer"] * 2)


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def test_a_server_of_files_is_not_wandbs() -> None:
    with serving(Quiet) as url:
        message = refused(ServerError, check_access, connect(url), MINE)
        assert message == (
            f"{url}/graphql: status 501: Not Implemented; is it a W&B server? see WANDB_BASE_URL"
        )


@pytest.mark.parametrize("answer", ["{}", '{"data": null}', '{"data": []}', '{"errors": []}'])
def test_an_answer_without_data_is_refused(answer: str) -> None:
    with answering(answer.encode()) as url:
        message = refused(ServerError, check_access, connect(url), MINE)
    assert message == f"{url}: sent an empty answer"


@pytest.mark.parametrize(
    "answer", ['{"errors": ["no"]}', '{"errors": "no"}', '{"data": {}}', '{"data": {"viewer": {}}}']
)
def test_an_answer_in_another_form_is_refused(answer: str) -> None:
    with answering(answer.encode()) as url:
        refused(ServerError, check_access, connect(url), MINE)


def test_what_the_server_finds_wrong_is_said(wandb_server: WandbServer) -> None:
    message = refused(ServerError, connect(wandb_server.url).query, "query Q { viewer }")
    assert message.startswith(f"{wandb_server.url}/graphql: status 400: Field 'viewer' of type")
    assert len(wandb_server.problems) == 1
    wandb_server.problems.clear()
    with answering(
        b'{"errors": [{"message": "a\\nb"}, {"message": "c"}], "data": {"x": 1}}'
    ) as url:
        assert refused(ServerError, connect(url).query, "query Q { x }") == f"{url}: a b; c"


@pytest.fixture
def slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """The seconds that were waited before each request that is sent again."""
    found: list[float] = []
    monkeypatch.setattr(retry.time, "sleep", lambda seconds: seconds and found.append(seconds))
    return found


def test_a_server_that_is_busy_is_asked_again_when_it_says(
    wandb_server: WandbServer, slept: list[float]
) -> None:
    wandb_server.fail("Viewer", 429, times=2, headers={"Retry-After": "1"})
    found = connect(wandb_server.url, patience_s=2).query(VIEWER)
    assert found["viewer"]["username"].text() == "alice"
    assert slept == [1, 1]
    assert wandb_server.requests == ["POST /graphql Viewer"] * 3


def test_a_server_that_fails_twice_is_asked_a_third_time(
    wandb_server: WandbServer, slept: list[float]
) -> None:
    wandb_server.fail("Viewer", 500, times=2)
    assert (
        connect(wandb_server.url, patience_s=2).query(VIEWER)["viewer"]["username"].text()
        == "alice"
    )
    assert slept == [2]
    assert wandb_server.requests == ["POST /graphql Viewer"] * 3


@pytest.mark.parametrize("drop", [True, "after"])
def test_a_connection_that_is_dropped_is_made_again(wandb_server: WandbServer, drop: Any) -> None:
    wandb_server.fail("Viewer", drop=drop, times=1)
    assert connect(wandb_server.url).query(VIEWER)["viewer"]["username"].text() == "alice"
    wandb_server.fail("Viewer", drop=drop)
    message = refused(ServerError, connect(wandb_server.url).query, VIEWER)
    assert message.startswith(f"{wandb_server.url}/graphql: can't be reached: ")


BUSY = "the server is busy or down; nothing is lost; start again later"
NEXT = {
    400: "",
    404: "; is it a W&B server? see WANDB_BASE_URL",
    413: "; the server or a proxy before it limits the size of requests; ask who runs it",
    429: " (asked 2 times); the server limits how often it may be asked; nothing is lost; start "
    "again later",
} | dict.fromkeys((409, 500, 502, 503, 504), f" (asked 2 times); {BUSY}")


@pytest.mark.parametrize("status", NEXT)
def test_a_server_that_goes_on_failing_is_quoted(wandb_server: WandbServer, status: int) -> None:
    wandb_server.fail("Viewer", status, message="out of order")
    message = refused(ServerError, connect(wandb_server.url).query, VIEWER)
    assert message == f"{wandb_server.url}/graphql: status {status}: out of order{NEXT[status]}"
    tries = 2 if "asked 2 times" in message else 1
    assert wandb_server.requests == ["POST /graphql Viewer"] * tries


@pytest.mark.parametrize("status", [401, 403])
def test_a_link_of_a_file_store_that_is_refused_is_not_a_question_of_the_key(status: int) -> None:
    with answering(b"<Error>expired</Error>", status) as store, answering(b"") as own:
        message = refused(ServerError, connect(own).read_json, f"{store}/file?Signature=s")
    assert message.startswith(f"{store}/file: status {status}: ")
    assert message.endswith("; the file store refuses the link, which may be too old; start again")


def test_a_refusal_says_what_the_server_says(wandb_server: WandbServer) -> None:
    wandb_server.fail("Viewer", 403, message="no more seats")
    message = refused(AccountError, connect(wandb_server.url).query, VIEWER)
    assert message.startswith(f"{wandb_server.url}: no more seats; ask for write permission")


def held(server: WandbServer, content: bytes) -> str:
    """The address of a file that the server has."""
    run = server.add_run("abc", files={"a b.txt": content})
    return f"{server.url}/storage/{run.id}/a%20b.txt"


def test_a_file_is_downloaded_whole(wandb_server: WandbServer, tmp_path: Path) -> None:
    content = bytes(range(256)) * 10_000
    url = held(wandb_server, content)
    server = connect(wandb_server.url)
    path = tmp_path / "new/folder/file"
    server.download(url, path)
    assert path.read_bytes() == content
    server.download(url, path, md5_base64(path))
    assert [found.name for found in path.parent.iterdir()] == ["file"]


def test_a_file_that_is_not_what_was_uploaded_is_not_kept(
    wandb_server: WandbServer, tmp_path: Path
) -> None:
    path = tmp_path / "file"
    path.write_text("before")
    url = held(wandb_server, b"content")
    server = connect(wandb_server.url)
    message = refused(ServerError, server.download, url, path, md5_base64(path))
    assert message == f"{url}: the downloaded file has another MD5 than the uploaded one; try again"
    message = refused(ServerError, server.download, f"{url}.gone", path)
    assert message == (
        f"{url}.gone: status 404: a b.txt.gone not found; check WANDB_BASE_URL; what was deleted "
        "there can't be read any more"
    )
    assert (path.read_text(), len(list(tmp_path.iterdir()))) == ("before", 1)


def test_a_file_that_breaks_off_is_not_kept(tmp_path: Path) -> None:
    with answering(b"the beginning", missing=1) as url:
        server = connect(url)
        for call, given in ((server.download, [tmp_path / "file"]), (server.read_json, [])):
            message = refused(ServerError, call, f"{url}/file?Signature=s", *given)
            assert message == f"{url}/file: the download broke off: IncompleteRead; try again"
    assert list(tmp_path.iterdir()) == []


def test_a_signature_is_never_shown(wandb_server: WandbServer, tmp_path: Path) -> None:
    server = connect(wandb_server.url)
    url = f"{held(wandb_server, b'content')}?Signature=hidden"
    message = refused(ServerError, server.download, url, tmp_path / "x", "wrong")
    assert "hidden" not in message


def test_only_the_server_itself_gets_the_key(
    wandb_server: WandbServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login user password other\n")
    seen: list[str | None] = []
    with answering(b"{}", seen=seen) as own, answering(b"{}", seen=seen) as other:
        server = connect(own)
        for url in (own, other):
            assert server.read_json(f"{url}/file").value == {}
            server.download(f"{url}/file", tmp_path / "file")
        assert connect(own.rpartition(":")[0]).read_json(f"{own}/file").value == {}
    assert all(seen[:2])
    assert seen[2:] == [None] * 3


def test_an_account_may_log_to_its_own_and_its_teams_projects(wandb_server: WandbServer) -> None:
    server = connect(wandb_server.url)
    assert check_access(server, MINE) == ALICES
    assert check_access(server, LABS) == LABS
    assert check_access(connect(wandb_server.url, entity="lab"), MINE) == LABS
    assert check_access(connect(wandb_server.url, entity="lab"), ALICES) == ALICES
    assert sorted(wandb_server.store.projects) == [("alice", "p"), ("lab", "p")]


def test_a_project_that_is_not_there_is_made_once(wandb_server: WandbServer) -> None:
    server, new = connect(wandb_server.url), ProjectPath("lab", "new")
    wandb_server.fail("UpsertModel", drop="after", times=1)
    for _ in range(2):
        assert check_access(server, new) == new
    assert list(wandb_server.store.projects) == [("lab", "new")]
    assert wandb_server.requests.count("POST /graphql UpsertModel") == 2  # one wasn't answered


def test_what_is_only_read_is_not_made(wandb_server: WandbServer) -> None:
    assert check_access(connect(wandb_server.url), LABS, must_write=False) == LABS
    assert wandb_server.store.projects == {}
    assert wandb_server.requests == ["POST /graphql Viewer", "POST /graphql Project"]


@pytest.mark.parametrize("must_write", [True, False])
def test_an_entity_that_nobody_knows_is_answered_with_those_that_are_allowed(
    wandb_server: WandbServer, must_write: bool
) -> None:
    server = connect(wandb_server.url)
    wandb_server.add_run("abc", "p", "others")
    for entity in ("nobody", "others"):
        message = refused(AccountError, check_access, server, ProjectPath(entity, "p"), must_write)
        assert message == (
            f"wandb.entity: '{entity}' is neither 'alice' nor one of its teams on "
            f"{wandb_server.url}, and has no visible project 'p'; allowed: alice, lab, readers"
        )


def test_who_may_only_read_logs_nothing(wandb_server: WandbServer) -> None:
    server = connect(wandb_server.url)
    wandb_server.add_run("abc", "p", "readers")
    message = refused(AccountError, check_access, server, ProjectPath("readers", "p"))
    assert message == (
        f"'alice' may read readers/p on {wandb_server.url}, but not write to it; ask for "
        "write permission, or set another wandb.entity"
    )
    message = refused(AccountError, check_access, server, ProjectPath("readers", "new"))
    assert "permission denied to access readers/new during upsertModel; ask for" in message
    for path in (ProjectPath("readers", name) for name in ("p", "new")):
        assert check_access(server, path, must_write=False) == path
    assert list(wandb_server.store.projects) == [("readers", "p")]


def test_a_key_to_nobody_and_an_account_without_an_entity_are_refused() -> None:
    with answering(b'{"data": {"viewer": null}}') as url:
        message = refused(AccountError, check_access, connect(url), MINE)
        assert message.startswith(f"{url} doesn't know the API key from WANDB_API_KEY; copy it")
    viewer = b'{"data": {"viewer": {"username": "a", "entity": null, "teams": null}}}'
    with answering(viewer) as url:
        message = refused(AccountError, check_access, connect(url), MINE)
        assert message == "the account has no default entity; set wandb.entity in config.yaml"
