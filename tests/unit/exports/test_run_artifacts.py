"""The artifacts of a run: which version is the last, and which has an alias."""

from pathlib import Path

from caduceus.exports.run_artifacts import artifacts_of
from caduceus.wandb_log import Artifact, Segment


def version(digest: str, *aliases: str, name: str = "model", kind: str = "model") -> Artifact:
    return Artifact(name, kind, digest, aliases, None, False, {})


def segment(*artifacts: Artifact) -> Segment:
    return Segment(Path("run-a.wandb"), artifacts=list(artifacts))


def test_the_version_that_was_logged_last_comes_last_whatever_was_logged_before() -> None:
    again = [segment(version("one"), version("two")), segment(version("one"))]
    assert [found.digest for found in artifacts_of(again)] == ["two", "one"]
    assert [found.digest for found in artifacts_of(again[:1])] == ["one", "two"]


def test_an_alias_is_the_versions_that_was_given_it_last() -> None:
    logged = [version("one", "best", "latest"), version("two", "latest", "tried")]
    assert {found.digest: found.aliases for found in artifacts_of([segment(*logged)])} == {
        "one": ("best",),
        "two": ("latest", "tried"),
    }
    back = artifacts_of([segment(*logged, version("one", "latest"))])
    assert {found.digest: found.aliases for found in back} == {
        "two": ("tried",),
        "one": ("best", "latest"),
    }


def test_names_do_not_share_aliases_and_tables_of_wandb_are_left_out() -> None:
    other = version("two", "latest", name="data", kind="dataset")
    table = version("three", "latest", name="run-a-table", kind="run_table")
    found = artifacts_of([segment(version("one", "latest"), other, table)])
    assert [(each.name, each.aliases) for each in found] == [
        ("data", ("latest",)),
        ("model", ("latest",)),
    ]
