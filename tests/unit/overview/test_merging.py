"""Another results/ is merged: what is planned here is taken once, and two results are refused."""

import os
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from answer_schemas import check
from caduceus.io.answers import answer_text
from caduceus.io.files import FileDigest, describe, files_below
from caduceus.overview.merging.copying import copy_folder
from caduceus.overview.merging.merge import Choice, Merged, merge
from caduceus.paper.ledger import read_ledger, removed_runs
from caduceus.project.project import Project as Loaded
from caduceus.runs.attempts import write_attempt
from caduceus.runs.files.export import ExportedFile, Manifest
from caduceus.runs.files.identity import Identity
from caduceus.runs.files.params import Params
from caduceus.runs.files.train import Train
from caduceus.runs.folder import RunFolder
from caduceus.runs.left_logs import left_logs
from caduceus.runs.shown_runs import note_shown, shown_runs
from caduceus.system.leases import held
from exported_runs import export_runs, load
from projects import Project
from run_files import attempt, train, write_try
from wandb_logs import framed, history


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")


@pytest.fixture
def here(tmp_path: Path) -> Project:
    return Project.create(tmp_path / "here")


@pytest.fixture
def there(here: Project, tmp_path: Path) -> Project:
    """A copy of the project elsewhere, whose runs have all been trained and exported."""
    project = here.copy(tmp_path / "there")
    train_all(project)
    return project


def train_all(project: Project, host: str = "far", value: float = 0.5) -> Loaded:
    """Write the results of all runs of a project, as if they had been trained on this host."""
    loaded = export_runs(project, lambda parameters, seed: [{"val/accuracy": value}])
    for run in loaded.runs:
        folder = RunFolder(project.path / "results/runs" / run)
        (folder.code / "experiments").mkdir(parents=True)
        (folder.code / "experiments/train.py").write_text("print()")
        own = attempt(host=host)
        write_attempt(folder.attempts, own)
        replace(Train.read(folder.train_json), attempts=(own,)).write(folder.train_json)
        (folder.path / "system_metrics.csv").write_text("_timestamp\n")
        for name in ("media", "artifacts"):
            (folder.path / name).mkdir()
            (folder.path / name / ".snakemake_timestamp").write_text("")
        write_manifest(folder)
        folder.lock.write_text("")
    return loaded


def write_manifest(folder: RunFolder) -> None:
    names = ("run_summary.json", "metrics_history.csv", "system_metrics.csv")
    found = describe(folder.path, [folder.path / name for name in names])
    files = {name: ExportedFile(bytes=of.bytes, sha256=of.sha256) for name, of in found.items()}
    Manifest(run=folder.path.name, files=files).write(folder.manifest_json)


def merged(here: Project, there: Project, **choice: Any) -> Merged:
    results = here.path / "results"
    lines: list[str] = []
    done = merge(load(here), results, there.path, Choice(**choice), lines.append)
    assert not (results / ".merge").exists()
    return done


def first(project: Project) -> RunFolder:
    return RunFolder(project.runs[0])


def ids(project: Project) -> list[str]:
    return [path.name for path in project.runs]


def state(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.read_bytes())
        for path in files_below(folder)
    }


def test_what_is_planned_is_taken_once(here: Project, there: Project) -> None:
    before = state(there.path)
    planned = merged(here, there, is_dry=True)
    assert planned.taken == sorted(load(here).runs)
    assert not (here.path / "results").exists()

    done = merged(here, there)
    assert done.taken == planned.taken
    assert state(there.path) == before
    ledger = read_ledger(here.path / "results", [])
    assert {(run.run, run.attempts[0].host) for run in ledger} == {(id, "far") for id in done.taken}
    after = state(here.path)
    again = merged(here, there)
    assert (again.taken, again.kept, again.costs) == ([], done.taken, [])
    assert state(here.path) == after


def test_no_file_is_newer_than_what_was_made_from_it(here: Project, there: Project) -> None:
    """Whatever the times of a copy are, and though the dataset here is younger than the runs."""
    for number, path in enumerate(sorted(there.path.rglob("*"))):
        os.utime(path, (number, number))
    dataset = here.write("results/datasets/points/dataset.json", "{}")
    shutil.rmtree(here.path / "results/datasets")
    merged(here, there)
    for run in here.runs:
        folder = RunFolder(run)
        inputs = (folder.params_json, folder.run_json, folder.train_json)
        made = (folder.summary_json, folder.manifest_json, run / "media/.snakemake_timestamp")
        assert max(p.stat().st_mtime_ns for p in inputs) == min(p.stat().st_mtime_ns for p in made)
        assert not folder.lock.exists()
    assert not dataset.exists()


def test_two_different_exports_are_refused_by_name(here: Project, there: Project) -> None:
    train_all(here, "near", 0.6)
    before = state(here.path)
    done = merged(here, there)
    assert [each.name for each in done.refused] == ids(here)
    reason = "two different exports: metrics_history.csv: 1 values differ"
    assert all(each.reason.startswith(reason) for each in done.refused)
    assert "0.6 here, 0.5 there" in done.refused[0].reason
    assert state(here.path) == before
    assert check("merge", yaml.safe_load(answer_text({**vars(done), "is_dry_run": False})))
    command = here.caduceus("merge", str(there.path))
    assert command.code == 3
    assert f"{ids(here)[0]}: two different exports" in command.output


def test_a_run_trained_twice_with_equal_results_is_kept_and_costs_twice(
    here: Project, there: Project
) -> None:
    train_all(here, "near")
    there.change("experiments/toy.yaml", tags=["other"])
    done = merged(here, there)
    assert (done.kept, done.costs, done.refused) == (ids(here), ids(here), [])
    hosts = [run.attempts[0].host for run in read_ledger(here.path / "results", [])]
    assert sorted(hosts) == ["far"] * 4 + ["near"] * 4
    assert merged(here, there).costs == []
    # Back again: what was trained there isn't counted a second time.
    back = merged(there, here)
    assert back.kept == ids(here)
    hosts = [run.attempts[0].host for run in read_ledger(there.path / "results", [])]
    assert sorted(hosts) == ["far"] * 4 + ["near"] * 4


def test_a_finished_run_replaces_a_failed_one_whose_cost_stays(
    here: Project, there: Project
) -> None:
    train_all(here, "near")
    folder = first(here)
    bad = attempt(host="near", state="failed", error="out of memory")
    train(folder.path.name, bad).write(folder.train_json)
    done = merged(here, there)
    assert done.taken == [folder.path.name]
    assert Train.read(folder.train_json).state == "finished"
    assert [run.attempts[0].host for run in removed_runs(here.path / "results").values()].count(
        "near"
    ) == 1
    # The other way round it is kept, and counted.
    train(folder.path.name, bad).write(first(there).train_json)
    assert folder.path.name in merged(here, there).kept


def test_what_is_not_planned_here_is_left_there(here: Project, there: Project) -> None:
    here.change("experiments/toy.yaml", seeds=[1])
    done = merged(here, there)
    assert (len(done.taken), len(done.unplanned)) == (2, 2)
    again = merged(here, there, with_abandoned=True)
    assert again.taken == done.unplanned
    kinds = [run.kind for run in read_ledger(here.path / "results", [])]
    assert kinds == ["abandoned"] * 4  # no plan was given


def test_another_definition_under_a_planned_name_is_refused(here: Project, there: Project) -> None:
    folder = first(there)
    replace(Params.read(folder.params_json), seed=77).write(folder.params_json)
    [refused] = merged(here, there).refused
    assert refused.name == folder.path.name
    assert "another definition" in refused.reason


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("train.json", ""),
        ("params.json", "[]"),
        ("run.json", "{"),
        ("manifest.json", "null"),
        ("run_summary.json", "{}"),
        ("metrics_history.csv", "_step\n0\n"),
    ],
)
def test_damage_costs_one_run(here: Project, there: Project, file: str, content: str) -> None:
    (first(there).path / file).write_text(content)
    for choice in ({"is_dry": True}, {}):
        done = merged(here, there, **choice)
        assert [each.name for each in done.refused] == [first(there).path.name]
        assert file in done.refused[0].reason
        assert len(done.taken) == 3
    assert len(here.runs) == 3


def test_a_file_that_is_gone_is_left_out_only_without_logs(here: Project, there: Project) -> None:
    """An unpacked archive has lists of packages but no logs, and may lack large files."""
    folder = first(there)
    packages = folder.wandb(1) / "wandb/run-1/files/requirements.txt"
    left = {"wandb/run-1/run-1.wandb": FileDigest(bytes=1, sha256="0")}
    attempts = [attempt(logs=left)]
    Train.of(folder.path.name, attempts).write(folder.train_json)
    (folder.path / "system_metrics.csv").unlink()
    assert "system_metrics.csv is missing" in merged(here, there).refused[0].reason
    shutil.rmtree(folder.work)
    packages.parent.mkdir(parents=True)
    packages.write_text("numpy==2.0\n")
    assert merged(here, there).taken == [folder.path.name]


def test_another_identity_is_written_anew(here: Project, there: Project) -> None:
    """As when a tag was added: the run isn't trained, but exported."""
    here.change("experiments/toy.yaml", tags=["new"])
    config = yaml.safe_load((here.path / "config.yaml").read_text())
    here.change("config.yaml", wandb={**config["wandb"], "scratch": "/scratch"})
    merged(here, there)
    assert not any((run / "run.json").exists() for run in here.runs)
    here.change("experiments/toy.yaml", tags=[])
    for run in here.runs:
        shutil.rmtree(run)
    merged(here, there)  # a scratch disk is no part of it
    assert all((run / "run.json").exists() for run in here.runs)


def test_the_account_and_page_are_no_other_identity(here: Project, there: Project) -> None:
    folder = first(there)
    found = Identity.read(folder.run_json)
    replace(found, entity="me", url="https://wandb.ai/me").write(folder.run_json)
    merged(here, there)
    assert Identity.read(first(here).run_json).entity == "me"


def unfinished(project: Project, run: str, **values: Any) -> RunFolder:
    folder = RunFolder(project.path / "results/runs" / run)
    for path in (folder.train_json, folder.manifest_json, folder.summary_json):
        path.unlink()
    write_attempt(folder.attempts, attempt(state="interrupted", host="far", **values))
    return folder


def test_a_run_that_has_not_ended_is_taken_if_asked(here: Project, there: Project) -> None:
    folder = unfinished(there, ids(there)[0])
    (folder.checkpoints / "last").mkdir(parents=True)
    done = merged(here, there)
    assert done.unfinished == [folder.path.name]
    done = merged(here, there, with_unfinished=True)
    assert done.taken == [folder.path.name]
    assert (first(here).checkpoints / "last").is_dir()
    assert merged(here, there, with_unfinished=True).taken == []
    # Begun here too: two ways to go on, and nothing says which.
    write_attempt(first(here).attempts, attempt(state="interrupted", host="near"))
    [refused] = merged(here, there, with_unfinished=True).refused
    assert "begun in both places" in refused.reason


def test_a_run_that_was_cleared_there_is_no_run(here: Project, there: Project) -> None:
    """`caduceus retry` removes the definition of a failed run, and leaves its attempts."""
    cleared, *others = ids(there)
    unfinished(there, cleared).params_json.unlink()
    done = merged(here, there, with_unfinished=True)
    assert (done.taken, done.refused) == (others, [])


def test_a_killed_attempt_costs_what_its_log_says_in_a_copy_without_times(
    here: Project, there: Project
) -> None:
    folder = unfinished(there, ids(there)[0])
    killed = attempt(state="running", host="far", wall_s=0.0, cpu_s=None)
    write_attempt(folder.attempts, killed)
    log = folder.wandb(1) / f"wandb/offline-run-1/run-{folder.path.name}.wandb"
    log.parent.mkdir(parents=True)
    row = {("_step",): "0", ("_timestamp",): str(killed.start_s + 30)}
    log.write_bytes(framed([history(1, row)]))
    merged(here, there, with_unfinished=True)
    [own] = [r for r in read_ledger(here.path / "results", []) if r.run == folder.path.name]
    assert own.attempts[0].wall_s == 30.0


def test_a_run_whose_log_was_cut_off_is_refused(here: Project, there: Project) -> None:
    folder = first(there)
    log = folder.wandb(1) / f"wandb/offline-run-1/run-{folder.path.name}.wandb"
    log.parent.mkdir(parents=True)
    log.write_bytes(framed([history(1, {("_step",): "0"})]))
    record = Train.read(folder.train_json)
    own = replace(record.attempts[0], logs=left_logs(folder, 1))
    replace(record, attempts=(own,)).write(folder.train_json)
    whole = log.read_bytes()
    log.write_bytes(whole[:-3])
    [refused] = merged(here, there).refused
    place = f"work/wandb/1/wandb/offline-run-1/run-{folder.path.name}.wandb"
    what = f"the log has {len(whole) - 3} bytes; {len(whole)} were left by the run"
    assert refused.reason == f"{place}: {what}; restore it there"
    log.write_bytes(whole)
    assert merged(here, there).taken == [folder.path.name]


def test_a_run_at_work_is_refused(here: Project, there: Project) -> None:
    train_all(here, "near")
    folder = first(here)
    for path in (folder.train_json, folder.manifest_json):
        path.unlink()
    with held(folder.lease, folder.lock, None):
        done = merged(here, there)
    assert [each.name for each in done.refused] == [folder.path.name]
    assert "it runs here" in done.refused[0].reason


def test_links_stay_within_the_run(there: Project, tmp_path: Path) -> None:
    folder = first(there)
    secret = tmp_path / "secret"
    secret.write_text("key")
    annexed = tmp_path / "there/.git/annex/objects/aa/SHA256-x"
    annexed.parent.mkdir(parents=True)
    annexed.write_text("content")
    annexed.chmod(0o444)
    (folder.path / "media/out").symlink_to(secret)
    (folder.path / "media/up").symlink_to("../../../../..")
    (folder.path / "media/loop").symlink_to("loop")
    (folder.path / "media/annexed").symlink_to(os.path.relpath(annexed, folder.path / "media"))
    (folder.path / "media/inside").symlink_to(folder.path / "params.json")
    os.mkfifo(folder.path / "media/pipe")
    outside = copy_folder(folder.path, tmp_path / "copy")
    assert sorted(outside) == ["media/out", "media/pipe", "media/up"]
    copy = tmp_path / "copy/media"
    assert (copy / "inside").readlink() == Path("../params.json")
    assert (copy / "annexed").read_text() == "content"
    assert not (copy / "annexed").is_symlink()
    assert os.access(copy / "annexed", os.W_OK)
    assert not (copy / "out").exists()


def test_a_name_that_is_no_text_is_copied_and_one_that_is_unsafe_refused(
    here: Project, there: Project
) -> None:
    odd = first(there).path / os.fsdecode(b"work/\xff.txt")
    odd.write_text("x")
    shutil.copytree(there.runs[1], there.path / "results/runs/con")
    shutil.copytree(there.runs[1], there.path / "results/runs/a\nb")
    done = merged(here, there, with_abandoned=True)
    assert sorted(each.name for each in done.refused) == ["a\nb", "con"]
    assert (first(here).path / os.fsdecode(b"work/\xff.txt")).read_text() == "x"
    assert "merge: 'a\\nb': its" in here.caduceus("merge", str(there.path), "--abandoned").output


def test_a_folder_without_results_or_of_this_project_is_refused(here: Project) -> None:
    (here.path / "results/runs").mkdir(parents=True)
    assert "own results/" in here.caduceus("merge", ".").line()
    assert "holds no results/" in here.caduceus("merge", "experiments").line()


def test_removed_runs_of_the_other_count_here(here: Project, there: Project) -> None:
    train_all(here, "near")
    shutil.copytree(there.runs[0], there.path / "results/runs/gone")
    there.caduceus("gc", "--remove", "--yes").check()
    assert "gone" in merged(here, there).costs
    (there.path / "results/removed.json").write_text("{")
    assert merged(here, there).refused[0].name == "removed.json"


def test_what_was_shown_in_either_place_stays_known(here: Project, there: Project) -> None:
    """Merging notes what was shown of runs that it doesn't take, and of tables only there, too."""
    own, other = here.path / "results", there.path / "results"
    note_shown(own, "tables/t", {"tables/t": ["a", "b"]})
    note_shown(other, "tables/t", {"tables/t": ["b", "c"]})
    note_shown(other, "claims", {"claims/old": ["a"], "claims/c": ["a", "c"]})
    before = state(own)
    assert not merged(here, there, is_dry=True).refused
    assert state(own) == before

    for _ in range(2):
        assert not merged(here, there).refused
        assert sorted((name, *sorted(runs)) for name, runs in shown_runs(own)) == [
            ("claims/c", "a", "c"),
            ("claims/old", "a"),
            ("tables/t", "a", "b"),
            ("tables/t", "b", "c"),
        ]


@pytest.mark.parametrize("content", ["{", "[]", '{"tables/t": "abc"}', '{"tables/t": [["a", 1]]}'])
def test_a_damaged_note_on_what_was_shown_is_refused_and_others_go_on(
    here: Project, there: Project, content: str
) -> None:
    other = there.path / "results"
    note_shown(other, "tables/u", {"tables/u": ["a"]})
    there.write("results/shown/tables/t.json", content)
    there.write("results/shown/tables/con.json", "{}")
    done = merged(here, there)
    assert len(done.taken) == 4
    assert [each.name for each in done.refused] == [
        "'shown/tables/con.json'",
        "shown/tables/t.json",
    ]
    assert list(shown_runs(here.path / "results")) == [("tables/u", {"a"})]


def test_a_damaged_note_here_is_named_with_what_to_do(here: Project, there: Project) -> None:
    note_shown(there.path / "results", "tables/t", {"tables/t": ["a"]})
    here.write("results/shown/tables/t.json", "{")
    [refused] = merged(here, there).refused
    assert "delete it; seeds added after" in refused.reason


def test_ledgers_of_tries_and_remote_projects_stay_where_they_are(
    here: Project, there: Project
) -> None:
    write_try(there.path / "results", [])
    there.write("results/projects/me/other/runs.json", "{}")
    assert [note.partition(":")[0] for note in merged(here, there).notes] == [
        "tries/toy",
        "projects/me/other",
    ]


STOP = """
import os, sys
from pathlib import Path
import caduceus.overview.merging.taking as taking
renames, original = [], Path.rename
def rename(self, target):
    if ".merge" in str(self) or ".merge" in str(target):
        renames.append(self)
        if len(renames) > {after}:
            os._exit(9)
    return original(self, target)
Path.rename = rename
from caduceus.__main__ import main
main(["merge", {other!r}])
"""


@pytest.mark.slow
@pytest.mark.parametrize("after", range(8))
def test_a_killed_merge_is_finished_by_the_next(
    here: Project, there: Project, tmp_path: Path, after: int
) -> None:
    """Killed before each of its moves, when each run here has failed."""
    train_all(here, "near")
    for run in here.runs:
        bad = attempt(host="near", state="failed")
        write_attempt(RunFolder(run).attempts, bad)
        train(run.name, bad).write(run / "train.json")
    script = tmp_path / "stop.py"
    script.write_text(STOP.format(after=after, other=str(there.path)))
    ended = here.fork(script)
    assert ended.code == 9, ended.output
    done = merged(here, there)
    assert done.refused == []
    assert {Train.read(run / "train.json").state for run in here.runs} == {"finished"}
    hosts = [run.attempts[0].host for run in read_ledger(here.path / "results", [])]
    assert sorted(hosts) == ["far"] * 4 + ["near"] * 4
