"""The files of a run: what is damaged is one line with the file's own mend, what is whole stays."""

from collections.abc import Callable
from pathlib import Path

import pytest
from caduceus.errors import ResultError
from caduceus.io.files import read_json
from caduceus.io.json_records import Record
from caduceus.runs.files.attempt import Gpu, Machine, Restored
from caduceus.runs.files.export import ExportedFile, ExportedSegment, Manifest
from caduceus.runs.files.server_state import ServerState
from caduceus.runs.files.sweep import MissingMetric, ServerSweep
from caduceus.runs.files.train import Train, TrialOutcome
from caduceus.runs.files.trial import Assignment, Trial, TrialAhead, TrialResult
from caduceus.runs.files.upload import Upload, UploadedArtifact
from caduceus.runs.folder import RunFolder
from caduceus.runs.record import RunRecord, read_records
from caduceus.runs.wandb_paths import RunPath
from run_files import artifact, attempt, identity, params, plan, summary, sweep_plan, train

RESULT = TrialResult(
    trial=0, state="finished", objective=0.5, stopped_early=False, bands=({"4": (0.5, 0.4)},)
)
TRIAL = Trial(
    trial=3,
    parameters={"optimizer": {"lr": 0.1}},
    told=RESULT,
    handed_out=Assignment(agent="a", run="r", place="p"),
)
# One of each kind, and a key with a value that it can't have.
RECORDS: list[tuple[Record, str, object]] = [
    (params(dataset={"name": "points"}), "command", "train"),
    (identity("r", config={"rate": 0.1}), "tags", {"a": 1}),
    (
        attempt(
            machine=Machine("cpu", 2, 8.1), gpus=("GPU-1",), gpu_models=(Gpu("H100", 85.5), None)
        ),
        "wall_s",
        "60",
    ),
    (Restored(resumed_from=7, saved_at=1.5), "resumed_from", 1.5),
    (train("r", trial=TrialOutcome(objective=0.5, stopped_at=None)), "attempts", [1]),
    (Train.skipped("r"), "compute", None),
    (Upload(run="r", artifacts={"m": UploadedArtifact("model", "d", False)}), "run", 3),
    (summary("r", artifacts=(artifact("m", "model", {}),)), "summary", 1),
    (
        Manifest(
            run="r",
            files={"metrics_history.csv": ExportedFile(bytes=1, sha256="a", rows=3)},
            segments=(ExportedSegment("a.wandb", "fresh", 3, 0, 0, 0, 2),),
            gaps=((2, 5),),
            damage={"lost_records": 1, "cut_off": 1},
        ),
        "files",
        {"a": 3},
    ),
    (
        ServerState(
            path=RunPath("e", "p", "r"),
            group="",
            state="running",
            rows=3,
            last_step=2,
            updated_at="",
        ),
        "path",
        "e/p/r",
    ),
    (TRIAL, "trial", "0007"),
    (TrialAhead(given="d", trial=TRIAL), "trial", None),
    (plan({"r": None}), "file", 3),
    (
        sweep_plan({"method": "random", "metric": {"name": "loss", "target": 1}, "run_cap": 9}),
        "config",
        {"method": "random", "metric": {"name": "loss", "goal": "low"}},
    ),
    (MissingMetric(run="r", logged=("los",)), "logged", "los"),
    (ServerSweep(server="https://api.wandb.ai", project="e/p", sweep="s"), "sweep", None),
]
each_kind = pytest.mark.parametrize(
    ("record", "key", "wrong"), RECORDS, ids=lambda value: type(value).__name__
)


@each_kind
def test_what_is_written_is_read_and_written_alike(
    tmp_path: Path, record: Record, key: str, wrong: object
) -> None:
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    record.write(first)
    found = type(record).read(first)
    found.write(second)
    assert found.to_json() == record.to_json()
    assert first.read_bytes() == second.read_bytes()


@each_kind
def test_a_damaged_file_is_one_line_with_its_mend(
    tmp_path: Path, record: Record, key: str, wrong: object
) -> None:
    path = tmp_path / "file.json"
    record.write(path)
    whole, value = path.read_text(), read_json(path)
    texts = {"": "not JSON (empty file)", whole[: len(whole) // 2]: "not JSON (", "[]": "the file"}
    for text, message in texts.items():
        path.write_text(text)
        check_message(lambda: type(record).read(path), f"{path}: {message}", type(record).mend)
    for changed in (value | {key: wrong}, {k: v for k, v in value.items() if k != key}):
        with pytest.raises(ValueError, match=rf"^{key}\b"):
            type(record).from_json(changed)


def check_message(read: Callable[[], object], start: str, mend: str) -> None:
    with pytest.raises(ResultError) as error:
        read()
    message = str(error.value)
    assert message.startswith(start) and message.endswith(f"; {mend}")
    assert "\n" not in message


def test_a_damaged_file_leaves_the_others_readable(tmp_path: Path) -> None:
    for name in ("a", "b"):
        folder = RunFolder(tmp_path / "runs" / name)
        params().write(folder.params_json)
        identity(name).write(folder.run_json)
        train(name).write(folder.train_json)
    folder.train_json.write_text("")
    (folder.path / "work/attempts").mkdir(parents=True)
    whole, damaged = read_records(tmp_path)
    assert (whole.damage, whole.run) == ([], "a")
    assert [line.partition(": ")[0] for line in damaged.damage] == [str(folder.train_json)]
    assert damaged.identity.id == "b"


def test_a_remote_run_has_one_attempt_of_which_the_time_is_known(tmp_path: Path) -> None:
    record = RunRecord(RunFolder(tmp_path))
    summary("r", runtime_s=12.5, host="h").write(record.folder.summary_json)
    [only] = record.attempts
    assert (only.number, only.wall_s, only.host, only.gpus) == (0, 12.5, "h", None)
    assert not only.is_measured


def test_what_is_lost_leaves_out_that_a_log_is_cut_off() -> None:
    manifest = next(record for record, _, _ in RECORDS if isinstance(record, Manifest))
    assert manifest.lost == {"lost_records": 1}
