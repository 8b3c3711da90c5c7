"""Everything that a program logged is in its export, and the same from a log and a server."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from both_exports import Exports, connect, export_from_server, log_and_export
from caduceus.exports.equality import differences
from caduceus.runs.wandb_paths import RunPath
from caduceus.server.runs import read_artifacts
from caduceus.server.staging import held_artifacts
from wandb_server import WandbServer

PROGRAM = """
from pathlib import Path
import wandb

def log_text(run, text, aliases):
    artifact = wandb.Artifact("best-model", "model", description="the best so far")
    with artifact.new_file("model.txt") as stream:
        stream.write(text)
    run.log_artifact(artifact, aliases=aliases)

with wandb.init(mode="offline", project="p", entity="alice", id="abc", name="one") as run:
    log_text(run, "one", ["best"])
    log_text(run, "two", ["latest"])
    log_text(run, "one", ["best", "latest"])  # the second was worse: back to the first
    data = wandb.Artifact("data", "dataset", description="links, äöü")
    Path("local.txt").write_text("by reference")
    data.add_reference("https://example.org/weights?version=7", name="unchecked", checksum=False)
    data.add_reference(Path("local.txt").absolute().as_uri(), name="checked.txt")
    run.log_artifact(data)
    run.log({"loss": 1})
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exports]:
    with WandbServer() as server:
        yield log_and_export(server, tmp_path_factory.mktemp("whole"), PROGRAM)
        assert (server.problems, server.doubled) == ([], [])


def test_both_exports_are_equal(exports: Exports) -> None:
    assert differences(*exports.both) == []


def test_an_artifact_that_went_back_to_an_earlier_content_has_that_content(
    exports: Exports,
) -> None:
    for folder, summary in zip(exports.both, exports.summaries(), strict=True):
        assert (folder / "artifacts/best-model/model.txt").read_text() == "one"
        *_, last = (each for each in summary.artifacts if each.name == "best-model")
        first, *_ = (each for each in summary.artifacts if each.name == "best-model")
        assert {"best", "latest"} <= set(last.aliases)
        assert not {"best", "latest"} & set(first.aliases)


def test_a_server_that_lists_versions_by_age_gives_the_last_content(
    exports: Exports, tmp_path: Path
) -> None:
    run = exports.server.run("abc")
    run.logged.sort(key=lambda artifact: artifact.version_index or 0)
    folder = export_from_server(exports.server, tmp_path)
    assert (folder / "artifacts/best-model/model.txt").read_text() == "one"


def test_an_earlier_content_that_a_server_holds_is_uploaded_again_to_be_the_latest(
    exports: Exports,
) -> None:
    found = read_artifacts(connect(exports.server), RunPath("alice", "p", "abc"))
    names = {(artifact.name, artifact.digest) for artifact in found}
    assert held_artifacts(found, [exports.log]) == names
    first, second = sorted(
        (each for each in found if each.name == "best-model"), key=lambda each: each.aliases
    )
    stale = [
        replace(first, aliases=second.aliases),
        replace(second, aliases=()),
        *(each for each in found if each.name != "best-model"),
    ]
    assert held_artifacts(stale, [exports.log]) == names - {(second.name, second.digest)}


def test_references_keep_their_address_and_artifacts_their_description(exports: Exports) -> None:
    for summary in exports.summaries():
        (data,) = (artifact for artifact in summary.artifacts if artifact.name == "data")
        assert data.description == "links, äöü"
        address = "https://example.org/weights?version=7"
        assert (data.files["unchecked"].ref, data.files["unchecked"].md5) == (address, address)
        local = data.files["checked.txt"]
        assert (local.ref or "").startswith("file:///")
        assert local.bytes == len("by reference")
        (model, *_) = (each for each in summary.artifacts if each.name == "best-model")
        assert model.files["model.txt"].ref is None
        assert "ref" not in model.to_json()["files"]["model.txt"]
