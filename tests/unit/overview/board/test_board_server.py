"""The board over HTTP on loopback, with runs that grow, go and are damaged."""

import base64
import http.client
import json
import socket
from typing import Any

import numpy as np
import pytest
from board_server import Changes, Server
from caduceus.overview.board import serving
from growing_runs import Results, log_rows, running
from run_files import write_try

SECRET = "hunter2-and-more"


def numbers(text: str, kind: str) -> list[float]:
    return [float(value) for value in np.frombuffer(base64.b64decode(text), kind)]


def curve(server: Server, run: str, **values: Any) -> Any:
    body = {"metric": "loss", "runs": [{"run": run} | values]}
    return server.ask("/api/curves", body)["curves"][0]


def test_the_token_is_exchanged_for_a_cookie(server: Server) -> None:
    refused, content = server.request("/", Cookie="")
    assert refused.status == 403 and "caduceus board" in json.loads(content)["error"]
    response, _ = server.request(f"/?token={server.access.token}", Cookie="")
    assert response.status == 303 and response.getheader("Location") == "/"
    cookie = response.getheader("Set-Cookie") or ""
    assert "HttpOnly" in cookie and "SameSite=Strict" in cookie
    assert server.access.token not in cookie
    assert server.request("/?token=wrong", Cookie="")[0].status == 403


@pytest.mark.parametrize(
    "path", ["/", "/api/overview", "/api/changes", "/api/nothing", "/assets/index.html", "/x"]
)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Origin": "http://evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Cookie": ""},
        {"Cookie": "caduceus=1; =; x", "Authorization": "Bearer wrong"},
    ],
)
def test_strangers_get_nothing(server: Server, path: str, headers: dict[str, str]) -> None:
    response, content = server.request(path, **headers)
    assert response.status == 403 and list(json.loads(content)) == ["error"]
    assert response.getheader("Server") is None
    assert "default-src 'none'" in (response.getheader("Content-Security-Policy") or "")


def test_strangers_with_many_connections_dont_keep_the_board_from_answering(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_MOST_CONNECTIONS", 5)
    changes = Changes(server, server.ask("/api/overview")["sequence"])
    strangers = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(20)]
    assert server.request("/api/overview")[0].status == 200
    assert strangers[0].recv(1) == b"", "the oldest was closed"
    server.results.finish("r1", [{"loss": 1.0}])
    assert changes.next()[0] == "change", "what is being answered goes on"
    changes.connection.close()
    for stranger in strangers:
        stranger.close()


def test_methods_that_write_arent_there(server: Server) -> None:
    for path in ("/api/overview", "/"):
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        cookie = f"{server.access.cookie}={server.access.session}"
        connection.request("DELETE", path, headers={"Cookie": cookie})
        assert connection.getresponse().status == 405
        connection.close()


@pytest.mark.parametrize(
    "path",
    ["/assets/../board.py", "/assets/..%2fboard.py", "/assets/", "/assets/report/../page.py"],
)
def test_only_the_pages_own_files_are_served(server: Server, path: str) -> None:
    assert server.request(path)[0].status == 404


def test_bokeh_is_served_from_the_installed_package(server: Server) -> None:
    response, content = server.request("/assets/bokeh.js")
    assert response.status == 200 and len(content) > 500_000
    assert response.getheader("Content-Type") == "text/javascript; charset=utf-8"


def test_planned_runs_have_their_states(server: Server, results: Results) -> None:
    with running(results.folder("r1")):
        results.start("r1")
        results.finish("r2", [{"loss": 0.5}], seed=1)
        server.read_all()
        overview = server.ask("/api/overview")
    states = {run["run"]: run["state"] for run in overview["runs"]}
    assert states == {"r1": "running", "r2": "finished", "r3": "to do"}
    assert overview["experiments"][0]["variants"] == ["a", "b"]
    assert overview["experiments"][0]["metric"] == "loss"
    found = server.run("r2")
    assert found["live"]["last"] == {"loss": 0.5} and found["parameters"] == {"variant": "a"}
    assert found["host"] == "node1" and found["attempts"] == 1


def test_a_new_row_arrives_as_a_change(server: Server, results: Results) -> None:
    with running(results.folder("r1")):
        log = results.start("r1")
        server.read_all()
        changes = Changes(server, server.ask("/api/overview")["sequence"])
        log_rows(log, [{"loss": 1.0}])
        while True:
            name, change = changes.next()
            live = change.get("live", {}).get("r1") or next(
                (run["live"] for run in change.get("runs", []) if run["run"] == "r1"), {}
            )
            if name == "change" and live.get("rows") == 1:
                break
        assert live["last"] == {"loss": 1.0} and live["step"] == 0
        first = curve(server, "r1")
        assert first["is_whole"] and numbers(first["y"], "<f4") == [1.0]
        log_rows(log, [{"loss": 0.25}], first=1)
        while changes.next()[1].get("live", {}).get("r1", {}).get("rows") != 2:
            pass
        added = curve(server, "r1", **{"epoch": first["epoch"], "from": first["to"]})
        assert not added["is_whole"] and numbers(added["x"], "<f8") == [1.0]
        assert numbers(added["y"], "<f4") == [0.25]
        changes.connection.close()


def test_a_curve_starts_over_once_its_run_is_exported(server: Server, results: Results) -> None:
    log = results.start("r1")
    log_rows(log, [{"loss": 1.0}, {"loss": float("nan")}])
    server.read_all()
    live = curve(server, "r1")
    assert live["not_finite"] == 1
    changes = Changes(server, server.ask("/api/overview")["sequence"])
    results.finish("r1", [{"loss": 1.0}, {"loss": 0.5}, {"loss": 0.25}])
    while not any(run["state"] == "finished" for run in changes.next()[1].get("runs", [])):
        pass
    changes.connection.close()
    found = curve(server, "r1", **{"epoch": live["epoch"], "from": live["to"]})
    assert found["is_whole"] and numbers(found["y"], "<f4") == [1.0, 0.5, 0.25]


def test_runs_come_and_go(server: Server, results: Results) -> None:
    server.read_all()
    changes = Changes(server, server.ask("/api/overview")["sequence"])
    results.finish("stray", [{"loss": 1.0}], experiment="old")
    while "stray" not in {run["run"] for run in changes.next()[1].get("runs", [])}:
        pass
    assert server.run("stray")["kind"] == "abandoned"
    folder = results.folder("stray").path
    folder.rename(folder.parents[1] / "elsewhere")
    while "stray" not in changes.next()[1].get("gone", []):
        pass
    changes.connection.close()
    assert "stray" not in {run["run"] for run in server.ask("/api/overview")["runs"]}


def test_a_damaged_run_costs_only_itself(server: Server, results: Results) -> None:
    for place, run in enumerate(("r1", "r2", "r3")):
        results.finish(run, [{"loss": 1.0}], seed=place)
    results.folder("r1").train_json.write_text("")
    results.folder("r2").summary_json.write_bytes(b"\xff\x00")
    (results.folder("r3").path / "metrics_history.csv").write_text("_step,loss\n0\n")
    server.read_all()
    assert server.run("r1")["state"] == server.run("r2")["state"] == "damaged"
    assert "train.json" in server.run("r1")["about"]
    assert server.run("r3")["state"] == "finished"
    body = {"metric": "loss", "runs": [{"run": run} for run in ("r1", "r3", "none")]}
    first, third, none = server.ask("/api/curves", body)["curves"]
    assert first["count"] == 0 and "metrics_history.csv" in third["error"]
    assert none["error"] == "there is no such run"


def test_a_damaged_plan_is_a_warning(server: Server, results: Results) -> None:
    (results.path / "experiments/other.json").write_text("{")
    server.read_all()
    overview = server.ask("/api/overview")
    assert "other.json" in overview["warnings"][0] and len(overview["runs"]) == 3


def test_variants_have_a_mean_and_a_band(server: Server, results: Results) -> None:
    results.finish("r1", [{"loss": 1.0}, {"loss": 3.0}], seed=0)
    results.finish("r2", [{"loss": 2.0}], seed=1)
    server.read_all()
    variants = [{"experiment": "toy", "variant": name} for name in ("a", "b", "r9")]
    answer = server.ask("/api/averages", {"metric": "loss", "variants": variants})
    first, *others = answer["averages"]
    assert "95 %" in answer["method"]
    assert numbers(first["mean"], "<f4") == [1.5, 3.0] and numbers(first["n"], "<f4") == [2, 1]
    assert numbers(first["low"], "<f4")[0] < 1.5 < numbers(first["high"], "<f4")[0]
    assert sorted(first["runs"]) == ["r1", "r2"]
    assert [other["count"] for other in others] == [0, 0]


def test_averages_have_the_runs_of_one_program(server: Server, results: Results) -> None:
    """Runs of earlier programs and of tries have the experiment and variant of others."""
    results.finish("r1", [{"loss": 1.0}])
    results.finish("old", [{"loss": 9.0}], seed=1)
    results.finish("edited", [{"loss": 9.0}], seed=2)
    results.finish("gone", [{"loss": 9.0}], variant="gone")
    write_try(results.path, ["edited"])
    server.read_all()
    kinds = {run["run"]: run["kind"] for run in server.ask("/api/overview")["runs"]}
    assert (kinds["r1"], kinds["old"], kinds["edited"]) == ("planned", "abandoned", "try")
    variants = [{"experiment": "toy", "variant": name} for name in ("a", "gone")]
    first, gone = server.ask("/api/averages", {"metric": "loss", "variants": variants})["averages"]
    assert (first["runs"], numbers(first["mean"], "<f4")) == (["r1"], [1.0])
    assert gone["runs"] == ["gone"]


def test_metrics_have_their_axes(server: Server, results: Results) -> None:
    results.finish("r1", [{"loss": 1.0, "text": "x"}])
    server.read_all()
    metrics = server.ask("/api/metrics")["metrics"]
    assert [metric["name"] for metric in metrics] == ["loss"]
    assert metrics[0]["axes"][0] == "_step" and metrics[0]["runs"] == 1


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        {},
        {"metric": 1, "runs": []},
        {"metric": "loss", "runs": {}},
        {"metric": "loss", "runs": [1]},
        {"metric": "loss", "runs": [{"run": ["r1"]}]},
        {"metric": "loss", "runs": [{"run": "r1", "from": -1}]},
        {"metric": "loss", "runs": [{"run": "r1", "from": True}]},
        {"metric": "loss", "points": 10**9, "runs": []},
        {"metric": "loss", "runs": [{"run": "r1"}] * 201},
    ],
)
def test_a_question_of_another_form_is_refused_in_a_line(server: Server, body: object) -> None:
    response, content = server.request("/api/curves", body)
    assert response.status == 400 and list(json.loads(content)) == ["error"]


def test_a_stream_of_another_board_starts_over(server: Server) -> None:
    server.read_all()
    for since in ("999999", "", "-1", "x"):
        changes = Changes(server, since)
        assert changes.next() == ("reset", {})
        changes.connection.close()


def test_hostile_names_and_secrets_arrive_as_text(
    server: Server, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", SECRET)
    hostile = '</script><img src=x onerror=alert(1)>"\u2028\ud800'
    results.plan({"r1": (hostile, 0), "r2": (f"key={SECRET}", 0)}, name=SECRET)
    results.finish("r1", [{hostile: 1.0, "nan": float("nan")}], variant=hostile)
    server.read_all()
    while server.ask("/api/overview")["experiments"][0]["name"] == "toy":
        pass
    response, content = server.request("/api/overview")
    assert SECRET.encode() not in content
    assert response.getheader("Content-Type") == "application/json; charset=utf-8"
    assert response.getheader("X-Content-Type-Options") == "nosniff"
    json.loads(content)
