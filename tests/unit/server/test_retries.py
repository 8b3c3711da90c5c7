"""How long requests are sent again."""

import time

import pytest
from caduceus.server.retries import PatientRetry
from urllib3 import HTTPResponse


@pytest.mark.parametrize(
    ("says", "waits"),
    [
        ("40", [40, 20]),
        ("7200", [60]),
        ("1", [1] * 5),
        ("0", [2, 4, 8, 16]),
        (None, [2, 4, 8, 16]),
        ("soon", [2, 4, 8, 16]),
        ("9" * 5000, [2, 4, 8, 16]),
        ("Fri, 31 Dec 999999999 23:59:59 GMT", [2, 4, 8, 16]),
        ("Fri, 31 Dec 2100 23:59:59 GMT", [60]),
    ],
)
def test_the_waits_that_a_server_asks_for_end_with_the_patience(
    monkeypatch: pytest.MonkeyPatch, says: str | None, waits: list[int]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(time, "sleep", lambda seconds: seconds and slept.append(seconds))
    response = HTTPResponse(status=429, headers={"Retry-After": says} if says else {})
    retry = PatientRetry.within(60)
    for _ in range(5):
        if not retry.is_retry("POST", 429, says is not None):
            break
        retry = retry.increment("POST", "/graphql", response)
        retry.sleep(response)
    assert slept == waits
