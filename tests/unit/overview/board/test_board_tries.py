"""Ledgers of tries on the board: what is read when, live progress, damage and hostile texts."""

import json
from pathlib import Path

import pytest
from board_server import Changes, Server
from caduceus.paper.report.tries import read_diff, seed_ranges
from caduceus.system.leases import held
from caduceus.tries.codes import run_of
from growing_runs import Results
from written_tries import FIRST, add_try, confirmed, result, write_ledger

HOSTILE = '</script><img src=x onerror="alert(1)">\x1b[31m\u202e\0'


def test_a_ledger_has_its_tries_without_their_edits(server: Server, results: Results) -> None:
    folder = write_ledger(results.path)
    add_try(folder, 1, result=result("screening"), why=HOSTILE + "x" * 2_000_000)
    confirmed(folder, 2, "kept")
    folder.diff(1).write_text(f"+{HOSTILE}" * 10_000)
    write_ledger(results.path, "toy.2")
    server.read_all()
    assert server.ask("/api/ledgers") == {"ledgers": ["toy", "toy.2"]}
    found = server.ask("/api/ledger?ledger=toy")
    assert (found["metric"], found["goal"], found["damage"]) == ("acc", "maximize", [])
    assert found["budget"]["level"] == 0.05
    assert [row["state"] for row in found["tries"]] == ["discarded", "kept"]
    shown = '</script><img src=x onerror="alert(1)">\\x1b[31m\\u202e\\x00'
    assert found["tries"][0]["why"].startswith(f"{shown}xx")
    assert len(json.dumps(found)) < 10_000
    details = server.ask("/api/try?ledger=toy&number=1")
    assert details["why"].startswith(shown) and len(details["why"]) < 21_000
    assert details["diff"]["is_cut"] and details["diff"]["text"].startswith(f"+{shown}")
    pairs = server.ask("/api/try?ledger=toy&number=2")["pairs"]
    assert pairs[-1] == {
        **{"phase": "confirmation", "seed": 24, "own": "own24", "incumbent": "other24"},
    }


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/ledger?ledger=none", 404),
        ("/api/ledger?ledger=../runs", 404),
        ("/api/try?ledger=toy&number=2", 404),
        ("/api/try?ledger=toy&number=-1", 400),
        ("/api/try?ledger=none&number=1", 404),
    ],
)
def test_what_isnt_there_is_an_error_of_one_line(
    server: Server, results: Results, path: str, status: int
) -> None:
    add_try(write_ledger(results.path), 1)
    server.read_all()
    response, content = server.request(path)
    assert response.status == status and list(json.loads(content)) == ["error"]
    for headers in ({"Cookie": ""}, {"Host": "evil.example"}, {"Origin": "http://evil.example"}):
        assert server.request(path, **headers)[0].status == 403


def test_a_running_try_says_which_runs_are_there(server: Server, results: Results) -> None:
    folder = write_ledger(results.path)
    known = confirmed(folder, 1, "running")
    own = [run_of("toy", known.code, seed) for seed in known.fresh[:5]]
    other = [run_of("toy", FIRST, seed) for seed in known.fresh[:5]]
    add_try(
        folder, 1, "running", fresh=known.fresh, trained=(*own, *other), result=result(effect=0.7)
    )
    results.finish(own[0], [{"acc": 0.5}])
    results.finish(other[0], [{"acc": 0.5}])
    results.finish(own[1], [{"acc": 0.5}])
    server.read_all()
    found = server.ask("/api/ledger?ledger=toy")
    [row] = found["tries"]
    assert (row["state"], row["effect"], row["pairs"]) == ("interrupted", None, None)
    live = row["live"]
    assert (live["phase"], live["there"], live["next"], live["most"]) == ("confirmation", 1, 5, 18)
    assert live["looks"] == [5, 9, 13, 18] and len(live["seeds"]) == 5
    assert live["seeds"][1] == {
        "seed": 11,
        "own": {"run": own[1], "state": "finished"},
        "incumbent": {"run": other[1], "state": "to do"},
    }
    assert found["budget"]["at_stake"] == pytest.approx(0.15 * 0.05)

    changes = Changes(server, server.ask("/api/overview")["sequence"])
    tries = results.path / "tries"
    with held(tries / "lease.json", tries / "lock", None):  # as `caduceus try` does
        while "toy" not in changes.next()[1].get("tries", []):
            pass
        [row] = server.ask("/api/ledger?ledger=toy")["tries"]
        assert row["state"] == "running" and row["live"]["is_at_work"]
        results.finish(other[1], [{"acc": 0.5}])
        while server.ask("/api/ledger?ledger=toy")["tries"][0]["live"]["there"] < 2:
            changes.next()
    changes.connection.close()


def test_a_damaged_ledger_costs_only_itself(server: Server, results: Results) -> None:
    folder = write_ledger(results.path)
    for number in (1, 2):
        add_try(folder, number, trained=(f"r{number}",))
    folder.record(2).write_text("{")
    write_ledger(results.path, "worse").ledger.write_text("")
    server.read_all()
    found = server.ask("/api/ledger?ledger=toy")
    assert [row["number"] for row in found["tries"]] == [1]
    assert "0002.json: not JSON" in found["damage"][0] and found["budget"] is None
    assert "the error budget isn't known" in found["budget_error"]
    worse = server.ask("/api/ledger?ledger=worse")
    assert worse["tries"] is None and "ledger.json" in worse["damage"][0]
    overview = server.ask("/api/overview")
    assert len(overview["warnings"]) == 2 and len(overview["runs"]) == 3


def test_a_ledger_goes_while_it_is_shown(server: Server, results: Results) -> None:
    folder = write_ledger(results.path)
    server.read_all()
    changes = Changes(server, server.ask("/api/overview")["sequence"])
    folder.path.rename(results.path / "elsewhere")
    while "toy" not in changes.next()[1].get("tries", []):
        pass
    changes.connection.close()
    assert server.ask("/api/ledgers") == {"ledgers": []}
    assert server.request("/api/ledger?ledger=toy")[0].status == 404


def test_lines_of_an_edit_are_told_by_their_hunks(tmp_path: Path) -> None:
    path = tmp_path / "0001.diff"
    path.write_text(
        "--- a/a.sql\n+++ b/a.sql\n@@ -1,3 +1,2 @@\n stays\n--- a comment\n-gone\r\n++++ b\n"
        "\\ No newline at end of file\n--- a/b\n+++ b/b\n@@ -0,0 +1 @@\n+\u202enew\t\n"
    )
    diff = read_diff(path, 1000, {})
    assert diff.kinds == "ff@ --+\\ff@+"
    lines = diff.text.split("\n")
    assert len(lines) == len(diff.kinds) and (lines[5], lines[-1]) == ("-gone\\r", "+\\u202enew\t")
    cut = read_diff(path, 30, {})
    assert cut.is_cut and cut.kinds == "ff" and cut.size == path.stat().st_size
    path.write_bytes(b"+\xff\x00 without an end")
    assert read_diff(path, 8, {}).text.startswith("+\ufffd\\x00")
    path.unlink()
    assert read_diff(path, 8, {}).error == "the file of this edit is gone"
    assert seed_ranges([7, 1, 0, 2]) == "0-2, 7"
