"""The log of artifacts that Caduceus writes in place of the SDK."""

from pathlib import Path

from caduceus.system.dataset_artifact import dataset_artifact
from caduceus.wandb_log import Artifact, ArtifactFile, Damage, RunHeader, read_log
from caduceus.wandb_log.artifact_log import manifest_digest, write_artifact_log
from caduceus.wandb_log.segments import SECOND

RUN = RunHeader(
    id="abc",
    entity="",
    project="p",
    group="g",
    job_type="train",
    name="n",
    notes="a note\nof two lines",
    tags=("a", "b"),
    sweep_id="",
    host="h",
    start_ns=1_795_909_958 * SECOND + 283_892_000,
    is_resuming=True,
    starting_step=0,
)
FILES = {
    "sub/b.txt": ArtifactFile("1B2M2Y8AsgTpgAmY7PhCfg==", 0, Path("/x/b.txt"), ""),
    "a ä.txt": ArtifactFile("DMF1ucDxtqgxw5niaXcmYQ==", 1, Path("/x/a.txt"), ""),
}
RECORD = {
    "name": "points",
    "version": None,
    "sha256": "00",
    "bytes": 1,
    "files": {"a": {"md5": "DMF1ucDxtqgxw5niaXcmYQ==", "bytes": 1}},
}


def test_a_written_log_is_read_as_it_was_given(tmp_path: Path) -> None:
    model = Artifact("m", "model", manifest_digest(FILES), ("latest",), {"v": 1}, False, FILES)
    dataset = dataset_artifact(RECORD, tmp_path)
    summary = {"loss": 0.5, "best.loss": float("inf"), "nested": {"a": [1, None]}}
    path = tmp_path / "run-abc.wandb"
    write_artifact_log(path, RUN, [model, dataset], summary)

    segment = read_log(path)
    assert segment.run == RUN
    for artifact in segment.artifacts:
        assert len(artifact.client_id) == 128
    given = {artifact.name: vars(artifact) | {"client_id": ""} for artifact in segment.artifacts}
    assert given == {"m": vars(model), "dataset-points": vars(dataset)}
    assert segment.summary == summary
    assert (segment.exit_code, segment.runtime_s) == (0, 0)
    assert segment.damage == Damage()
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_the_digest_of_an_artifact_is_wandbs() -> None:
    # By wandb 0.31: artifact = wandb.Artifact("m", "model"), add_file of both, artifact.digest.
    assert manifest_digest(FILES) == "d2128830967c6a47e49f5b1f379b5ebe"


def test_a_large_dataset_is_logged_by_reference(tmp_path: Path) -> None:
    large = dataset_artifact(RECORD | {"bytes": 10**9}, tmp_path)
    assert large.files["a"] == ArtifactFile(
        "DMF1ucDxtqgxw5niaXcmYQ==", 1, None, (tmp_path / "a").as_uri()
    )
    assert large.digest == dataset_artifact(RECORD, tmp_path).digest
