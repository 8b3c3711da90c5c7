import pytest
from caduceus.overview.board.access import Access, RefusedError

HOST = {"Host": "127.0.0.1:8000"}


@pytest.mark.parametrize("host", ["127.0.0.1:1", "localhost", "localhost:9", "[::1]:80"])
def test_loopback_is_asked_through_any_port(host: str) -> None:
    Access().check_place({"Host": host, "Origin": f"http://{host}"})


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": ""},
        {"Host": "evil.example"},
        {"Host": "127.0.0.1.evil.example:8000"},
        {"Host": "evil.example@127.0.0.1.x"},
        {"Host": "[::1"},
        HOST | {"Origin": "http://evil.example"},
        HOST | {"Origin": "null"},
        HOST | {"Origin": "https://127.0.0.1:8000"},
        HOST | {"Origin": "http://127.0.0.1:8001"},
        HOST | {"Sec-Fetch-Site": "cross-site"},
        HOST | {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_host_or_origin_is_refused(headers: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        Access().check_place(headers)


def test_the_token_or_the_cookie_opens_the_board() -> None:
    access, other = Access(), Access()
    access.check_key(f"Bearer {access.token}", "")
    access.check_key("", access.session)
    for authorization, cookie in (
        ("", ""),
        (f"Bearer {other.token}", other.session),
        ("", access.token),
        (f"Basic {access.token}", ""),
        ("Bearer é", "é"),
    ):
        with pytest.raises(RefusedError):
            access.check_key(authorization, cookie)


def test_keys_of_two_boards_differ_and_are_never_shown() -> None:
    access, other = Access(), Access()
    keys = {access.token, access.session, other.token, other.session, access.cookie, other.cookie}
    assert len(keys) == 6
    assert access.token not in repr(access) and access.session not in repr(access)
