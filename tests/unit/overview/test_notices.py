"""What the last job tells, to whom, and that nobody's silence costs the build anything."""

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.io.files import write_json
from caduceus.overview.live_notices import LiveNotices, tell_verdict
from caduceus.overview.notice_delivery import send
from caduceus.overview.notices import Told, notify
from caduceus.project.settings import NotifySettings, load_settings
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train
from growing_runs import Results

ALL = ("end", "failure", "divergence", "verdict")


class Webhook(ThreadingHTTPServer):
    """A webhook on loopback."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.texts: list[str] = []
        self.paths: list[str] = []
        self.status = 200
        self.refusals: list[int] = []  # the statuses of the first answers
        self.may_answer = threading.Event()
        self.may_answer.set()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/services/T000/hidden"


class _Handler(BaseHTTPRequestHandler):
    server: Webhook

    def do_POST(self) -> None:
        content = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.paths.append(self.path)
        self.server.texts.append(json.loads(content)["text"])
        self.server.may_answer.wait()
        refusals = self.server.refusals
        self.send_response(refusals.pop(0) if refusals else self.server.status)
        self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def webhook(monkeypatch: pytest.MonkeyPatch) -> Iterator[Webhook]:
    with Webhook() as found:
        thread = threading.Thread(target=found.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("TEAM_WEBHOOK", found.address)
        monkeypatch.setenv("no_proxy", "*")
        try:
            yield found
        finally:
            found.may_answer.set()
            found.shutdown()
            thread.join()


@pytest.fixture
def results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Results:
    monkeypatch.chdir(tmp_path)
    found = Results(tmp_path)
    found.plan({"r1": ("a", 0), "r2": ("a", 1)})
    found.finish("r1", [{"loss": 1.0}])
    found.finish("r2", [{"loss": 1.0}], seed=1)
    return found


def tell(results: Results, *entries: str, events: tuple[str, ...] = ALL) -> str:
    given = NotifySettings(webhook="TEAM_WEBHOOK", events=events).argument
    plans = [results.path / "experiments/toy.json"]
    return notify(given, plans, results.path, entries)


def test_the_end_of_a_build_is_told(webhook: Webhook, results: Results) -> None:
    assert tell(results) == ""
    [text] = webhook.texts
    assert text.endswith("the build has ended; runs: 2 finished")


def test_news_are_told_once(webhook: Webhook, results: Results) -> None:
    results.finish("r1", [{"loss": float("nan")}])
    results.finish("r2", [], seed=1, state="failed")
    claims = results.path / "paper/claims.json"
    write_json(claims, {"claims": [{"name": "better", "verdict": "within noise"}]})
    events = ("failure", "divergence", "verdict")
    assert tell(results, "table main can't be made", events=events) == ""
    [text] = webhook.texts
    assert "failed: r2: " in text and "diverged: r1" in text
    assert "verdict on better: within noise" in text and "table main can't be made" in text
    assert (
        tell(results, "table main can't be made", events=events) == "" and len(webhook.texts) == 1
    )
    write_json(claims, {"claims": [{"name": "better", "verdict": "supported"}]})
    tell(results, events=events)
    [_, text] = webhook.texts
    assert "verdict on better: within noise before, now supported" in text
    assert "r2" not in text and "r1" not in text


def test_only_what_is_wanted_is_told(webhook: Webhook, results: Results) -> None:
    results.finish("r2", [], seed=1, state="failed")
    assert tell(results, events=("verdict",)) == "" and not webhook.texts
    assert tell(results, events=("failure",)) == "" and not webhook.texts, "it has been passed over"


def test_no_secret_and_no_markup_of_slack_is_sent(
    webhook: Webhook, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hunter2-and-more")
    tell(results, f"<!channel> & hunter2-and-more, {webhook.address}")
    [text] = webhook.texts
    assert "hunter2" not in text and "hidden" not in text and "<" not in text
    assert "&lt;!channel&gt; &amp; " in text


@pytest.mark.parametrize("status", [302, 404, 500])
def test_a_refusal_is_a_line(webhook: Webhook, results: Results, status: int) -> None:
    webhook.status = status
    warning = tell(results)
    assert f"the webhook says {status}" in warning and "hidden" not in warning
    assert webhook.paths == ["/services/T000/hidden"], "no redirect is followed"


def test_a_slow_webhook_is_given_up(webhook: Webhook) -> None:
    webhook.may_answer.clear()
    settings = NotifySettings(webhook="TEAM_WEBHOOK", events=ALL)
    found = send(settings, "text", wait_s=0.05)
    assert found.warning.startswith("notify: ") and "hidden" not in found.warning


@pytest.mark.parametrize(
    ("address", "says"),
    [
        ("http://127.0.0.1:1/hidden", "can't be reached"),
        ("", "the variable TEAM_WEBHOOK isn't set"),
        ("file:///etc/passwd", "no address that begins with"),
        ("http://127.0.0.1:hidden/", "can't be reached (InvalidURL)"),
        ("http://[::1/hidden", "can't be reached (ValueError)"),
        ("http://h\u00f6st.invalid/h\u00e4hidden", "can't be reached"),
        ("http://127.0.0.1:1/\x7fhidden", "can't be reached (InvalidURL)"),
    ],
)
def test_a_dead_webhook_is_a_line(address: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEAM_WEBHOOK", address)
    found = send(NotifySettings(webhook="TEAM_WEBHOOK", events=ALL), "text")
    assert says in found.warning and "hidden" not in found.warning and not found.is_delivered


def test_an_error_that_nobody_expects_says_no_address(
    webhook: Webhook, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: Any) -> None:
        raise RuntimeError(f"no way to {webhook.address}")

    monkeypatch.setattr("caduceus.overview.notice_delivery.build_opener", fail)
    found = send(NotifySettings(webhook="TEAM_WEBHOOK", events=ALL), "text")
    assert "the webhook can't be told (RuntimeError)" in found.warning
    assert "hidden" not in "".join([found.warning, *capfd.readouterr()])


def test_a_command_gets_the_message(tmp_path: Path) -> None:
    out = tmp_path / "out"
    command = ("tee", str(out))
    assert send(NotifySettings(command=command, events=ALL), "a\nb").warning == ""
    assert out.read_text() == "a\nb"


@pytest.mark.parametrize(
    ("command", "says"),
    [(("false",), "status 1"), (("no-such-program",), "there is no program no-such-program")],
)
def test_a_command_that_fails_is_a_line(command: tuple[str, ...], says: str) -> None:
    assert says in send(NotifySettings(command=command, events=ALL), "text").warning


def test_damaged_results_are_a_line(webhook: Webhook, results: Results) -> None:
    results.folder("r1").summary_json.write_text("{")
    assert "run_summary.json" in tell(results) and not webhook.texts


def test_nobody_is_told_by_default() -> None:
    assert NotifySettings().argument == ""


def test_a_key_of_config_yaml_says_what_is_told(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    lines = ["experiments: [a.yaml]", "notify: { webhook: TEAM_WEBHOOK }"]
    config.write_text("\n".join(lines))
    assert load_settings(config).notify == NotifySettings(webhook="TEAM_WEBHOOK", events=ALL)
    config.write_text("experiments: [a.yaml]\nnotify: { webhook: 'https://example.org/secret' }\n")
    with pytest.raises(SpecError, match=r"config\.yaml:2: "):
        load_settings(config)


def live(results: Results, events: tuple[str, ...] = ALL, pause_s: float = 0.0) -> LiveNotices:
    settings = NotifySettings(webhook="TEAM_WEBHOOK", events=events)
    return LiveNotices(settings, results.path, pause_s)


def test_a_failure_is_told_when_it_happens_and_only_once(
    webhook: Webhook, results: Results
) -> None:
    results.finish("r2", [], seed=1, state="failed")
    train = Train.read(results.folder("r2").train_json)
    notices = live(results)
    notices.take_training("r1", Train.read(results.folder("r1").train_json))
    notices.take_training("r2", train)
    notices.stop()
    [text] = webhook.texts
    assert "failed: r2: " in text and "r1" not in text
    again = live(results)
    again.take_training("r2", train)
    again.stop()
    assert tell(results) == "" and len(webhook.texts) == 2
    assert webhook.texts[1].endswith("the build has ended; runs: 1 failed, 1 finished")


def test_a_divergence_is_told_when_its_run_is_exported(webhook: Webhook, results: Results) -> None:
    results.finish("r1", [{"loss": float("nan")}])
    notices = live(results)
    for run in ("r1", "r2"):
        notices.take_export(run, Summary.read(results.folder(run).summary_json), "loss")
    notices.stop()
    [text] = webhook.texts
    assert text.endswith("diverged: r1: its metric loss isn't a finite number")
    tell(results, events=("divergence",))
    assert len(webhook.texts) == 1


def test_a_hundred_failures_are_few_messages(webhook: Webhook, results: Results) -> None:
    webhook.may_answer.clear()
    notices = live(results, pause_s=3600)
    train = replace(Train.read(results.folder("r1").train_json), state="failed", error="boom")
    for number in range(100):
        notices.take_training(f"x{number}", train)
    webhook.may_answer.set()
    notices.stop()
    told = Told.read(results.path / "notified.json")
    assert len(webhook.texts) <= 2 and len(told.failed) == 100
    assert "see `caduceus status`" in webhook.texts[-1]


def test_what_isnt_sent_yet_is_left_to_the_last_job(webhook: Webhook, results: Results) -> None:
    notices = live(results, pause_s=3600)
    train = replace(Train.read(results.folder("r1").train_json), state="failed", error="boom")
    notices.take_training("r1", train)
    while not webhook.texts:
        pass
    notices.take_training("r2", train)
    notices.leave_rest()
    notices.stop()
    assert list(Told.read(results.path / "notified.json").failed) == ["r1"]
    assert len(webhook.texts) == 1


def test_a_build_without_its_last_job_says_so(webhook: Webhook, results: Results) -> None:
    live(results).stop(["the build stopped before its last job", "failed: make_table main: boom"])
    [text] = webhook.texts
    assert "stopped before its last job\nfailed: make_table main: boom" in text


def test_a_dead_webhook_holds_no_build_up(
    results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TEAM_WEBHOOK", "http://127.0.0.1:1/hidden")
    results.finish("r2", [], seed=1, state="failed")
    notices = live(results)
    notices.take_training("r2", Train.read(results.folder("r2").train_json))
    notices.stop()


def test_what_nobody_got_is_told_by_the_next_build(
    webhook: Webhook, results: Results, monkeypatch: pytest.MonkeyPatch
) -> None:
    results.finish("r2", [], seed=1, state="failed")
    with monkeypatch.context() as patch:
        patch.setenv("TEAM_WEBHOOK", "http://127.0.0.1:1/hidden")
        notices = live(results)
        notices.take_training("r2", Train.read(results.folder("r2").train_json))
        notices.stop()
    webhook.status = 500
    assert "the webhook says 500" in tell(results, events=("failure",))
    webhook.status = 200
    assert tell(results, events=("failure",)) == ""
    assert tell(results, events=("failure",)) == ""
    refused, taken = webhook.texts
    assert refused == taken and "failed: r2: " in taken


@pytest.mark.slow
def test_a_message_at_the_end_waits_for_the_one_on_its_way(
    webhook: Webhook, results: Results
) -> None:
    """The webhook takes both, and answers neither."""
    webhook.may_answer.clear()
    notices = live(results, pause_s=3600)
    train = replace(Train.read(results.folder("r1").train_json), state="failed", error="boom")
    notices.take_training("r1", train)
    while not webhook.texts:
        pass
    notices.take_training("r2", train)
    notices.stop()
    assert len(webhook.texts) == 2
    assert all(f"failed: r{n}: boom" in text for n, text in enumerate(webhook.texts, 1))
    assert list(Told.read(results.path / "notified.json").failed) == ["r1", "r2"]


def test_a_message_that_a_webhook_refuses_is_sent_with_the_next(
    webhook: Webhook, results: Results
) -> None:
    webhook.refusals = [503]
    notices = live(results, pause_s=3600)
    train = replace(Train.read(results.folder("r1").train_json), state="failed", error="boom")
    notices.take_training("r1", train)
    while not webhook.texts:
        pass
    notices.stop()
    refused, taken = webhook.texts
    assert refused == taken and "failed: r1: boom" in taken


@pytest.mark.parametrize(("event", "is_told"), [("verdict", True), ("failure", False)])
def test_the_verdict_on_a_try_is_told_where_verdicts_are(
    tmp_path: Path, event: str, is_told: bool
) -> None:
    config = tmp_path / "config.yaml"
    notify = {"command": ["tee", str(tmp_path / "told")], "events": [event]}
    content = {"experiments": ["first.yaml"], "wandb": {"project": "tests"}, "notify": notify}
    write_json(config, content)
    assert tell_verdict("try 1 kept", config, tmp_path / "results") == ""
    assert (tmp_path / "told").exists() == is_told
    if is_told:
        assert (tmp_path / "told").read_text().endswith(": try 1 kept")
