"""Where the account is found, and that its key is shown nowhere."""

import os
from pathlib import Path

import pytest
from caduceus.errors import AccountError
from caduceus.system.wandb_account import Account, dotenv_variables, find_account
from own_ca import make_ca

KEY = "secret" + "0123456789" * 4
OTHER = "other" + "9876543210" * 4
HOST = "wandb.example.org"
URL = f"https://{HOST}"


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home that is also the folder we work in."""
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("NETRC", raising=False)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def found(home: Path, **variables: str) -> Account:
    return find_account({"HOME": str(home), "WANDB_BASE_URL": URL} | variables)


def refused(home: Path, **variables: str) -> str:
    with pytest.raises(AccountError) as error:
        found(home, **variables)
    assert KEY not in repr(error.value)
    assert "\n" not in str(error.value)
    assert error.value.__cause__ is None
    return str(error.value)


def write(path: Path, text: str | bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def machine(key: str, host: str = HOST) -> str:
    return f"machine {host}\n  login user\n  password {key}\n"


def settings(url: str) -> str:
    return f"[default]\nbase_url = {url}\n"


def test_the_environment_names_server_key_and_entity(home: Path) -> None:
    account = found(home, WANDB_API_KEY=f" {KEY}\n", WANDB_BASE_URL=f"{URL}/", WANDB_ENTITY="lab")
    assert (account.base_url, account.key, account.entity) == (URL, KEY, "lab")
    assert (account.key_from, account.url) == ("WANDB_API_KEY", URL)
    assert found(home, WANDB_API_KEY=KEY, WANDB_ENTITY="").entity is None


def test_without_a_word_on_the_server_it_is_wandbs_own(home: Path) -> None:
    account = find_account({"HOME": str(home), "WANDB_API_KEY": KEY})
    assert account.base_url.startswith("https://api.")
    assert account.url.startswith("https://") and "//api." not in account.url


def test_our_own_environment_is_asked_with_what_env_adds(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(
        home / ".env",
        f"# ours\nWANDB_API_KEY='{KEY}'\nWANDB_BASE_URL={URL}\nWANDB_ENTITY=lab\nWANDB_MODE=\n",
    )
    assert dotenv_variables() == {
        "WANDB_API_KEY": KEY,
        "WANDB_BASE_URL": URL,
        "WANDB_ENTITY": "lab",
    }
    account = find_account()
    assert (account.base_url, account.key, account.entity) == (URL, KEY, "lab")

    monkeypatch.setenv("WANDB_API_KEY", OTHER)
    monkeypatch.setenv("WANDB_ENTITY", "alice")
    account = find_account()
    assert (account.base_url, account.key, account.entity) == (URL, OTHER, "alice")
    (home / "below").mkdir()
    monkeypatch.chdir(home / "below")
    assert dotenv_variables() == {}


def test_the_key_stands_in_netrc(home: Path) -> None:
    path = write(home / ".netrc", machine(OTHER, "elsewhere.org") + machine(KEY))
    assert (found(home).key, found(home).key_from) == (KEY, str(path))
    path.rename(home / "_netrc")
    assert (found(home).key, found(home).key_from) == (KEY, str(home / "_netrc"))


def test_a_netrc_that_is_named_is_the_only_one(home: Path) -> None:
    named = write(home / "keys", machine(KEY))
    write(home / ".netrc", machine(OTHER))
    assert found(home, NETRC=str(named)).key == KEY
    assert "no API key" in refused(home, NETRC=str(home / "missing"))


def test_a_netrc_is_named_below_the_home(home: Path) -> None:
    write(home / "keys", machine(KEY))
    assert found(home, NETRC="~/keys").key == KEY


def test_a_netrc_may_have_a_tilde_in_its_name(home: Path) -> None:
    assert found(home, NETRC=str(write(home / "keys~", machine(KEY)))).key == KEY


def test_a_host_of_netrc_may_have_a_port(home: Path) -> None:
    write(home / ".netrc", machine(OTHER) + machine(KEY, f"{HOST}:8080"))
    assert found(home, WANDB_BASE_URL=f"http://{HOST}:8080").key == KEY


def test_the_environment_comes_before_env_and_env_before_netrc(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_BASE_URL", URL)
    write(home / ".netrc", machine(KEY[::-1]))
    assert find_account().key == KEY[::-1]
    write(home / ".env", f"WANDB_API_KEY={OTHER}\n")
    assert find_account().key == OTHER
    monkeypatch.setenv("WANDB_API_KEY", KEY)
    assert find_account().key == KEY


def test_the_server_stands_in_settings_the_nearest_first(home: Path) -> None:
    variables = {"HOME": str(home), "WANDB_API_KEY": KEY}
    write(home / ".config/wandb/settings", settings("https://home.org/"))
    assert find_account(variables).base_url == "https://home.org"
    write(home / "config/settings", settings("http://named.org:8080"))
    variables["WANDB_CONFIG_DIR"] = str(home / "config")
    assert find_account(variables).base_url == "http://named.org:8080"
    write(home / "wandb/settings", settings("https://here%20.org"))
    assert find_account(variables).base_url == "https://here%20.org"
    assert find_account(variables | {"WANDB_BASE_URL": URL}).base_url == URL


@pytest.mark.parametrize(
    "text",
    ["", "[default]\nmode = offline\n", "[other]\nbase_url = x\n", "base_url = x\n", "[default"],
)
def test_settings_that_name_no_server_are_passed_over(home: Path, text: str) -> None:
    write(home / ".config/wandb/settings", text)
    expected = find_account({"HOME": str(home / "empty"), "WANDB_API_KEY": KEY}).base_url
    assert find_account({"HOME": str(home), "WANDB_API_KEY": KEY}).base_url == expected


def test_an_account_without_a_key_says_what_to_do(home: Path) -> None:
    for text in ("", machine(OTHER, "elsewhere.org"), f"machine {HOST}\n  login user\n"):
        write(home / ".netrc", text)
        assert refused(home) == (
            f"no API key for {URL}: type `wandb login`, or put WANDB_API_KEY into the environment "
            "or .env"
        )


def test_a_key_that_is_too_short_is_refused_without_being_shown(home: Path) -> None:
    short = KEY[:39]
    for variables, source in (
        ({"WANDB_API_KEY": short}, "WANDB_API_KEY"),
        ({}, str(write(home / ".netrc", machine(short)))),
    ):
        message = refused(home, **variables)
        assert message.startswith(
            f"{source}: the API key has 39 characters, but W&B's have at least 40"
        )
        assert short not in message


@pytest.mark.parametrize(
    "key", [f"{KEY}\u200b", f"{KEY[:20]} {KEY[20:]}", f'"{KEY}"', f"local-{KEY[:39]}"]
)
def test_a_key_that_the_sdk_refuses_is_refused(home: Path, key: str) -> None:
    assert KEY[:39] not in refused(home, WANDB_API_KEY=key)


@pytest.mark.parametrize(
    "url",
    [
        *(HOST, "ftp://x.org", "//x.org", "x", "https://", "https:///path", "https://x.org:port"),
        *("https://x.org:99999", "https://x.org/a b", "https://x.org?key=1", "https://x.org#a"),
        *(
            "https://x org",
            "https://x.org/\n",
            "https://x.org\x00",
            "https://:80",
        ),
    ],
)
def test_an_address_that_is_none_is_refused(home: Path, url: str) -> None:
    message = refused(home, WANDB_API_KEY=KEY, WANDB_BASE_URL=url)
    assert message.startswith("WANDB_BASE_URL: ")
    assert "isn't an address; write one that begins with https://" in message


@pytest.mark.parametrize(
    "url",
    ["https://x.org/wandb", "http://127.0.0.1:8080", "http://[::1]:8080", "https://a-b.c_d/~e"],
)
def test_an_address_is_taken_whole(home: Path, url: str) -> None:
    assert found(home, WANDB_API_KEY=KEY, WANDB_BASE_URL=url).base_url == url


def test_an_address_with_half_a_bracket_is_refused(home: Path) -> None:
    assert "isn't an address" in refused(home, WANDB_BASE_URL="https://[::1")


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (f"machine {HOST} login user passwrd {KEY}\n", [1]),
        # Python's parser counts no comments, and reads on past the end of a line.
        (f"# keys\n\nmachin {HOST} login user password {KEY}\n", [2, 3]),
        (f"machine {HOST}\n  login user\n  password {KEY} {KEY}\n", [3, 4]),
    ],
)
def test_a_broken_netrc_is_named_by_file_and_line(home: Path, text: str, lines: list[int]) -> None:
    path = write(home / ".netrc", text)
    message, mend = refused(home).split(": ", 1)
    assert message in [f"{path}:{line}" for line in lines]
    assert mend.startswith("can't be read; correct it, or type `wandb login`")


def test_a_netrc_that_is_a_folder_is_named(home: Path) -> None:
    (home / ".netrc").mkdir()
    assert refused(home).startswith(f"{home / '.netrc'}: can't be read; correct it, or type")


@pytest.mark.parametrize("name", [".netrc", ".env", ".config/wandb/settings"])
def test_a_file_that_is_no_text_is_named(
    home: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(home / name, machine(KEY).encode() + b"\n# \xff\xfe\n")
    with pytest.raises(AccountError) as error:
        find_account()
    assert str(error.value).startswith(str(path.relative_to(home) if name == ".env" else path))
    assert KEY not in repr(error.value)


def test_the_key_is_in_nothing_that_is_shown(home: Path) -> None:
    account = found(home, WANDB_API_KEY=KEY)
    shown = f"{account} {account!r} {[account]} {vars(AccountError(str(account)))}"
    assert URL in shown
    assert KEY not in shown


def test_the_sdk_is_told_of_the_account(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("WANDB_BASE_URL", "WANDB_API_KEY", "WANDB_DIR", "WANDB_SILENT"):
        monkeypatch.setenv(name, "before")
    found(home, WANDB_API_KEY=KEY, WANDB_BASE_URL=URL).use(Path("new/notes"))
    account = find_account()
    assert (account.base_url, account.key) == (URL, KEY)
    assert Path(os.environ["WANDB_DIR"]) == home / "new/notes"
    assert (home / "new/notes").is_dir()


def test_one_setting_names_a_custom_ca_for_all(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ca, other = make_ca(home)[0], home / "other.pem"
    other.write_bytes(ca.read_bytes())
    assert found(home, WANDB_API_KEY=KEY).ca is None
    for name in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
        assert found(home, WANDB_API_KEY=KEY, **{name: "ca.pem"}).ca == ca
    both = {"REQUESTS_CA_BUNDLE": str(ca), "SSL_CERT_FILE": str(other)}
    account = found(home, WANDB_API_KEY=KEY, **both)
    monkeypatch.setattr(os, "environ", {"SSL_CERT_FILE": str(other)})
    account.use(home / "logs")
    assert {os.environ["SSL_CERT_FILE"], os.environ["REQUESTS_CA_BUNDLE"]} == {str(ca)}
    (home / "9d66eef0.0").symlink_to(ca)
    found(home, WANDB_API_KEY=KEY, SSL_CERT_FILE=str(home)).use(home / "logs")
    assert os.environ["SSL_CERT_DIR"] == str(home)


def test_a_folder_in_which_openssl_finds_no_ca_is_one_line(home: Path) -> None:
    make_ca(home)
    assert refused(home, WANDB_API_KEY=KEY, REQUESTS_CA_BUNDLE=str(home)) == (
        f"REQUESTS_CA_BUNDLE: names {home}, a folder without certificates under the names that "
        "`openssl rehash` gives; name a file of PEM certificates, or unset it"
    )


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (None, "can't be read: No such file or directory"),
        (b"", "has no certificate"),
        (b"no certificate", "has no certificate"),
        (b"-----BEGIN CERTIFICATE-----\nx\n-----END CERTIFICATE-----\n", "has no certificate"),
    ],
)
def test_a_ca_that_is_none_is_one_line(home: Path, content: bytes | None, problem: str) -> None:
    if content is not None:
        write(home / "ca.pem", content)
    assert refused(home, WANDB_API_KEY=KEY, SSL_CERT_FILE=f"{home}/ca.pem") == (
        f"SSL_CERT_FILE: names {home}/ca.pem, which {problem}; name a file of PEM "
        "certificates, or unset it"
    )
