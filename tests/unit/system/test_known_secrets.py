"""Which variables and settings are secrets, by their names and values."""

import os
from pathlib import Path

import pytest
from caduceus.system.known_secrets import is_secret, known_secrets


@pytest.mark.parametrize(
    "name",
    [
        *("PGPASSWORD", "MYSQL_PWD", "SMTP_PASS", "DATABASE_URL", "AWS_CREDENTIALS", "authToken"),
        *("WANDB_API_KEY", "HF_TOKEN", "apiKey", "APIKey", "api-key", "AWS_SECRET_ACCESS_KEY"),
        *("//registry.example.org/:_authToken", "GITHUB_PAT", "clientSecret", "OPENAI_APIKEY"),
        *("db.password", "REDIS_URL", "SLACK_WEBHOOK_URL", "API_TOKENS", "AWS_ACCESS_KEY_ID"),
    ],
)
def test_a_secret_is_known_by_its_name(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name",
    [
        *("MAX_TOKENS", "max_new_tokens", "maxTokens", "HF_TOKEN_FILE", "SSH_KEY_PATH", "PWD"),
        *("OLDPWD", "KEYBOARD", "monkey", "eos_token", "TOKENIZERS_PARALLELISM", "WANDB_ENTITY"),
        *("TOKEN_COUNT", "tokens_per_batch", "PATH", "compass", "base_url", "SSH_ASKPASS", ""),
    ],
)
def test_other_names_are_no_secrets(name: str) -> None:
    assert not is_secret(name)


def test_a_value_that_is_not_text_is_a_secret_too(tmp_path: Path) -> None:
    value = os.fsdecode(b"caf\xe9-and-more")
    assert known_secrets({"HOME": str(tmp_path), "A_TOKEN": value}) == {value: "A_TOKEN"}
    odd = os.fsdecode(b"\xe9_TOKEN")
    [name] = known_secrets({"HOME": str(tmp_path), odd: "long enough"}).values()
    assert name == "?_TOKEN"


def test_a_password_in_an_address_is_one_whatever_its_name(tmp_path: Path) -> None:
    address = "postgres://me:pass%2Fword1@host/db"
    assert known_secrets({"HOME": str(tmp_path), "TRACKING": address}) == {
        "pass/word1": "the password in TRACKING",
        address: "TRACKING",
    }
    assert known_secrets({"HOME": str(tmp_path), "A": "http://[broken", "B": "http://a.b/c"}) == {}


def test_the_path_of_a_file_is_no_secret(tmp_path: Path) -> None:
    key = tmp_path / "key.json"
    key.write_text("{}")
    variables = {"HOME": str(tmp_path), "GOOGLE_APPLICATION_CREDENTIALS": str(key)}
    assert known_secrets(variables) == {}
    variables["GOOGLE_APPLICATION_CREDENTIALS"] = "x" * 10_000
    assert list(known_secrets(variables).values()) == ["GOOGLE_APPLICATION_CREDENTIALS"]
