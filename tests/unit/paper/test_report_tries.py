"""A report's ledgers of tries have no secrets, whatever is in an edit."""

import json
from pathlib import Path

import pytest
from caduceus.paper.report.tries import read_diff, read_tries
from caduceus.runs.files.tries import Code
from run_files import params, plan
from written_tries import add_try, write_ledger

KEY = "hunter2-and-more"
LONG = f"{KEY}-hunter3"  # of which the first is a part
PEM = "-----BEGIN KEY-----\nMIIEpAIBAAKCAQEA75\n  c2Vjb25kIGxpbmU=\n-----END KEY-----"
QUOTED = 'sk-"first", and \\ long'
HOSTILE = f"""\
--- a/experiments/train.py
+++ b/experiments/train.py
@@ -1,2 +1,6 @@
-client = Client("{LONG}")
-API_KEY=abcdefgh1 python x.py
+client = Client({json.dumps(QUOTED)})
+pem = '''-----BEGIN KEY-----
+MIIEpAIBAAKCAQEA75
+  c2Vjb25kIGxpbmU=
+-----END KEY-----'''  # {KEY}{LONG}\u202e
+url = "api_key=planned-secret-1"
"""
SECRETS = {KEY: "A_TOKEN", LONG: "B_TOKEN", PEM: "PEM_KEY", QUOTED: "QUOTED_KEY"}
HIDDEN = ("hunter2", "hunter3", "MIIEp", "c2Vjb25k", "sk-", "first", "abcdefgh1", "planned-secret")


def test_an_edit_shows_no_part_of_a_secret(tmp_path: Path) -> None:
    path = tmp_path / "0001.diff"
    path.write_text(HOSTILE)
    diff = read_diff(path, 10_000, SECRETS)
    assert not [part for part in HIDDEN if part in diff.text]
    assert diff.kinds == "ff@--++++++" and len(diff.text.split("\n")) == len(diff.kinds)
    assert "[A_TOKEN, not shown][B_TOKEN, not shown]\\u202e" in diff.text


@pytest.mark.parametrize("line", [f"+x = '{LONG}'", f"+x = 'é{LONG}'", f"+{KEY}"])
def test_an_edit_of_one_long_line_is_not_cut_inside_of_a_secret(tmp_path: Path, line: str) -> None:
    path = tmp_path / "0001.diff"
    path.write_text(f"+{'é' * 100}{line[1:]}{'y' * 500}")
    for most in range(200, 260):
        diff = read_diff(path, most, SECRETS)
        assert diff.is_cut and "hun" not in diff.text


def test_the_report_shows_no_secret_of_the_user_a_plan_or_a_try(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("A_TOKEN", KEY)
    monkeypatch.setenv("QUOTED_KEY", QUOTED)
    (tmp_path / ".env").write_text(f"B_TOKEN={LONG}\n")
    folder = write_ledger(Path("results"))
    tried = {"parameters": {"api_key": "tried-secret-1"}}
    add_try(
        folder,
        1,
        why=f"with {LONG}",
        code=Code(id="c", definition=params(**tried), variant="api_key=tried-secret-1"),
    )
    folder.diff(1).write_text(f'{HOSTILE}+    "api_key": "tried-secret-1",\n')
    plans = Path("results/experiments/toy.json")
    planned = plan({"r": None})
    planned.write(plans)
    found = read_tries(folder.table, [plans])
    text = json.dumps(found, ensure_ascii=False)
    assert found["view"]["tries"][0]["why"] == "with [B_TOKEN, not shown]"
    hidden = (*HIDDEN[:2], *HIDDEN[4:], "tried-secret")
    assert not [part for part in hidden if part in text]
    assert "[api_key, not shown]" in found["details"][1]["diff"]["text"]
