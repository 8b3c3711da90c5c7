"""Secrets and settings named like one are hidden in texts."""

from caduceus.runs.hidden_settings import hide, hide_settings


def test_settings_in_texts_are_hidden_by_their_names() -> None:
    text = "rate=0.1,api_key=abcdefgh1,max_tokens=123456789 --authToken=abcdefgh2 key=left"
    assert hide_settings(text) == (
        "rate=0.1,api_key=[a secret, not shown],max_tokens=123456789 "
        "--authToken=[a secret, not shown] key=left"
    )


def test_a_secret_that_is_a_part_of_another_leaves_nothing_of_it() -> None:
    secrets = {"abcdefgh": "SHORT", "abcdefgh-rest": "LONG"}
    assert hide("abcdefgh-rest abcdefgh", secrets) == "[LONG, not shown] [SHORT, not shown]"
