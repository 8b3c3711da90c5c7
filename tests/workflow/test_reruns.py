"""What runs again after a change, and what doesn't: the jobs of a dry run, counted."""

import os
import shutil
import subprocess
import time

import pytest
import yaml
from caduceus.project.deleted_files import EXPORTED
from projects import REPOSITORY, Project
from reads import unordered_reads

# What follows once anything that the paper shows has changed, and once a run's export has.
RECORDED = {
    "record_provenance": 1,
    "fill_checklist": 1,
    "make_report": 1,
    "report_failures": 1,
}
SHOWN = {"export_group": 1, "make_table": 1, "measure_figure": 1, "draw_figure": 1, **RECORDED}


def one_new_run(count: int) -> dict[str, int]:
    rules = ("plan_run", "init_run", "train", "upload_artifacts", "export_run")
    return {"validate_spec": 1, **dict.fromkeys(rules, count), "sum_compute": 1, **SHOWN}


def test_no_job_reads_what_it_does_not_wait_for(trained: Project) -> None:
    rules, unordered = unordered_reads(trained, trained.path.parent / "reads")
    assert unordered == set()
    assert {"train", "export_run", "export_group", "make_table", "sum_compute"} < rules


def test_nothing_to_do_after_a_run(trained: Project) -> None:
    assert trained.planned() == {}


def test_nothing_runs_after_a_touch_of_every_file(finished: Project) -> None:
    later = time.time() + 10
    for folder in ("experiments", "data", "."):
        for path in (finished.path / folder).iterdir():
            if path.is_file():
                os.utime(path, (later, later))

    assert finished.planned() == {}


def test_nothing_runs_after_a_checkout_of_another_branch_and_back(finished: Project) -> None:
    def git(*words: str) -> None:
        author = ["-c", "user.name=test", "-c", "user.email=test@example.org"]
        subprocess.run(["git", *author, *words], cwd=finished.path, check=True, capture_output=True)

    git("init", "--initial-branch=main")
    git("add", "experiments", "data", "config.yaml")
    git("commit", "--message=first")
    git("checkout", "-b", "other")
    finished.write("experiments/train.py", "raise SystemExit\n")
    git("commit", "--all", "--message=second")
    git("checkout", "main")

    assert finished.planned() == {}


def test_nothing_runs_after_the_folder_has_moved(finished: Project) -> None:
    moved = finished.path.with_name("moved")
    finished.path.rename(moved)

    assert Project(moved).planned() == {}
    assert Project(moved).copy(finished.path).planned() == {}


def test_a_new_seed_trains_that_seed_only(finished: Project) -> None:
    finished.change("experiments/toy.yaml", seeds=[0, 1, 2])

    assert finished.planned() == one_new_run(2)


def test_a_changed_parameter_trains_new_runs_beside_the_old(finished: Project) -> None:
    before = finished.runs
    finished.change("experiments/toy.yaml", matrix={"rate": [0.1, 0.3]})

    assert finished.planned() == one_new_run(2)
    finished.snakemake("--until", "init_run", "plan_run").check()
    assert set(before) < set(finished.runs)
    assert len(finished.runs) == 6


def test_an_edited_program_trains_new_runs_beside_the_old(finished: Project) -> None:
    finished.replace("experiments/train.py", "range(5)", "range(6)")

    assert finished.planned() == one_new_run(4)


def test_an_edited_module_of_the_program_trains_new_runs(finished: Project) -> None:
    finished.replace("experiments/curve.py", "step + 2", "step + 3")

    assert finished.planned() == one_new_run(4)


def test_comments_and_layout_of_a_program_train_nothing(finished: Project) -> None:
    finished.replace("experiments/train.py", "run = wandb.init()", "# Start.\nrun = wandb.init( )")

    assert finished.planned() == {}


def test_a_raised_dataset_version_trains_new_runs(finished: Project) -> None:
    finished.replace("experiments/toy.yaml", "version: 1", "version: 2")

    assert finished.planned() == {**one_new_run(4), "make_dataset": 1}


@pytest.mark.parametrize("key", ["mode", "entity", "project"])
def test_where_runs_are_tracked_never_retrains(finished: Project, key: str) -> None:
    values = {"mode": "online", "entity": "someone", "project": "elsewhere"}
    finished.change("config.yaml", wandb={"project": "tests", key: values[key]})

    checked = {"check_account": 1} if key == "mode" else {}
    assert finished.planned() == {**checked, "init_run": 4, "export_run": 4, **SHOWN}


@pytest.mark.parametrize(
    "change",
    [
        {"tags": ["new"]},
        {"description": "New notes."},
        {"hypothesis": "Another."},
        {"baseline": {"rate": 0.1}},
    ],
)
def test_what_is_said_of_runs_never_retrains(finished: Project, change: dict[str, object]) -> None:
    finished.change("experiments/toy.yaml", **change)

    assert finished.planned() == {
        "validate_spec": 1,
        "init_run": 4,
        "export_run": 4,
        "sum_compute": 1,
        **SHOWN,
    }


def test_another_group_moves_the_runs_there(finished: Project) -> None:
    finished.change("experiments/toy.yaml", group="novel")
    assert "train" not in finished.snakemake().check().jobs

    runs = (finished.path / "results/groups/novel/runs.csv").read_text()
    assert all(run.name in runs for run in finished.runs)
    assert finished.planned() == {}


def test_a_tag_and_a_table_changed_together_both_take_effect(finished: Project) -> None:
    """Snakemake looks past a job below one that runs; nothing may be left for a second call."""
    finished.change("experiments/toy.yaml", tags=["new"])
    finished.replace("config.yaml", "accuracy: val/accuracy", "precision: val/accuracy")
    finished.snakemake().check()

    assert "precision" in (finished.path / "results/paper/tables/accuracy.md").read_text()
    assert finished.planned() == {}


def test_a_run_whose_folder_was_deleted_is_made_again(finished: Project) -> None:
    shutil.rmtree(finished.runs[0])
    planned = finished.planned()
    assert (planned["train"], planned["export_run"], planned["make_table"]) == (1, 1, 1)


def test_a_lost_export_is_made_again(finished: Project) -> None:
    (finished.runs[0] / "metrics_history.csv").unlink()
    shutil.rmtree(finished.runs[1] / "media")
    planned = finished.planned()
    assert (planned["train"], planned["export_run"], planned["make_table"]) == (0, 2, 1)


def test_an_export_that_was_lost_with_its_logs_costs_only_itself(finished: Project) -> None:
    lost, cleaned, whole, other = finished.runs
    (lost / "metrics_history.csv").unlink()
    shutil.rmtree(lost / "work")
    (cleaned / "manifest.json").unlink()
    shutil.rmtree(cleaned / "work/wandb/1/wandb")  # as by `wandb sync --clean`
    shutil.rmtree(whole / "work/wandb")
    (whole / "upload.json").unlink()
    (other / "metrics_history.csv").unlink()
    kept = {path: path.read_bytes() for run in finished.runs for path in run.glob("*_summary.json")}
    finished.change("experiments/toy.yaml", tags=["new"])  # so that all would be exported again

    ended = finished.snakemake()

    assert ended.code == 1
    said = [line for line in ended.output.splitlines() if line.startswith("failed: ")]
    assert len(said) == 2
    for run, file in ((lost, "metrics_history.csv"), (cleaned, "manifest.json")):
        where = f"results/runs/{run.name}: its export lacks {file}, and the logs to make it from "
        assert any(f"{where}are lost (work/wandb/1" in line for line in said)
    assert (other / "metrics_history.csv").exists()
    for path in kept.keys() - {other / "run_summary.json"}:
        assert path.read_bytes() == kept[path]
    planned = finished.caduceus("plan", "--", "--snakefile", str(REPOSITORY / "Snakefile"))
    assert "2 runs to export again" in planned.output

    for run in (lost, cleaned):
        shutil.rmtree(run)
    assert finished.planned()["train"] == 2


def test_an_export_of_a_log_that_has_changed_since_stays_and_is_said(finished: Project) -> None:
    """A new tag has all runs exported again, as an upgrade does."""
    changed, unexported, *others = finished.runs
    (log,) = changed.glob("work/wandb/1/wandb/offline-run-*/*.wandb")
    log.write_bytes(log.read_bytes()[:100].ljust(log.stat().st_size))
    os.utime(log, (0, 0))  # older than its record, as a file from a backup
    (log,) = unexported.glob("work/wandb/1/wandb/offline-run-*/*.wandb")
    size = log.stat().st_size
    log.write_bytes(log.read_bytes()[:100])
    said = f"{log.relative_to(unexported)}: the log has 100 bytes; {size:,} were left by the run"
    for name in EXPORTED:
        (unexported / name).unlink()
    kept = {path.name: path.read_bytes() for path in changed.iterdir() if path.is_file()}
    finished.change("experiments/toy.yaml", tags=["new"])

    ended = finished.snakemake()

    assert ended.code == 1
    where = f"caduceus check-logs: results/runs/{unexported.name}: its export lacks "
    assert f"{where}{', '.join(EXPORTED)}, and the logs to make it from are lost ({said});" in (
        ended.output
    )
    assert {name: (changed / name).read_bytes() for name in EXPORTED} == {
        name: kept[name] for name in EXPORTED
    }
    assert all('"new"' in (run / "run_summary.json").read_text() for run in others)
    shutil.rmtree(unexported)
    built = finished.snakemake().check().output
    told = "its export stays, of a log that is no longer there whole: work/wandb/1/"
    assert told in built
    assert told in finished.caduceus("status").output
    assert finished.planned() == {}


def test_a_lost_file_of_several_that_a_job_makes_is_made_again(finished: Project) -> None:
    (finished.path / "results/paper/tables/accuracy.tex").unlink()
    (finished.path / "results/groups/baseline/history.parquet").unlink()
    assert finished.planned() == {"export_group": 1, "make_table": 1, **RECORDED}


def test_the_order_of_parameters_means_nothing(finished: Project) -> None:
    variants = {f"rate={rate}": {"rate": rate, "width": 4} for rate in (0.1, 0.2)}
    finished.change("experiments/toy.yaml", parameters={}, matrix={}, variants=variants)
    planned = finished.planned()
    assert planned["validate_spec"] == 1
    assert not {"plan_run", "init_run"} & set(planned)


def test_a_moved_dataset_trains_nothing_and_hides_nothing(finished: Project) -> None:
    (finished.path / "data").rename(finished.path / "elsewhere")
    finished.replace("experiments/toy.yaml", "data/points.csv", "elsewhere/points.csv")
    finished.replace("config.yaml", "accuracy: val/accuracy", "precision: val/accuracy")

    planned = finished.planned()
    assert "train" not in planned
    assert planned["make_dataset"] == planned["make_table"] == 1


def test_a_deleted_record_of_a_dataset_is_made_again_and_trains_nothing(finished: Project) -> None:
    record = finished.path / "results/datasets/points/dataset.json"
    before = record.read_bytes()
    trained = {run: (run / "train.json").stat().st_mtime_ns for run in finished.runs}
    shutil.rmtree(finished.path / "results/datasets")
    planned = finished.planned()
    assert planned["make_dataset"] == 1
    assert planned["export_run"] == len(trained)
    assert not {"train", "upload_artifacts"} & planned.keys()

    assert finished.planned("--forcerun", "train")["train"] == len(trained)
    (run,) = list(trained)[:1]
    assert finished.planned(f"results/runs/{run.name}/upload.json") == {}
    finished.change("experiments/toy.yaml", seeds=[0, 1, 2])
    assert finished.planned()["train"] == 2  # a new seed of two variants

    finished.change("experiments/toy.yaml", seeds=[0, 1])
    finished.snakemake().check()
    assert record.read_bytes() == before
    assert {run: (run / "train.json").stat().st_mtime_ns for run in trained} == trained
    assert finished.planned() == {}


def test_a_record_whose_data_are_gone_stays_deleted(finished: Project) -> None:
    shutil.rmtree(finished.path / "results/datasets")
    (finished.path / "data").rename(finished.path / "elsewhere")
    assert finished.planned() == {}


def test_a_changed_table_makes_only_that_table(finished: Project) -> None:
    finished.replace("config.yaml", "accuracy: val/accuracy", "precision: val/accuracy")

    assert finished.planned() == {"make_table": 1, **RECORDED}


def test_other_statistics_make_the_tables_anew(finished: Project) -> None:
    paper = yaml.safe_load((finished.path / "config.yaml").read_text())["paper"]
    finished.change("config.yaml", paper=paper | {"statistics": {"statistic": "median"}})
    planned = finished.planned()

    assert planned["make_table"] == 1
    assert "train" not in planned and "export_run" not in planned


def test_a_figure_of_another_width_is_drawn_and_nothing_else_is_made(finished: Project) -> None:
    paper = yaml.safe_load((finished.path / "config.yaml").read_text())["paper"]
    finished.change("config.yaml", paper=paper | {"venue": "ieee"})

    # The page shows the drawing.
    assert finished.planned() == {"draw_figure": 1, "make_report": 1, "report_failures": 1}


def test_what_does_not_show_a_run_that_changed_stays_as_it_is(finished: Project) -> None:
    table = {"metrics": {"accuracy": "val/accuracy"}}
    low, high = ({"variants": [{"rate": rate}]} for rate in (0.1, 0.2))
    tables = {"all": table, "low": table | low, "high": table | high}
    figures = {"low": table | low | {"kind": "bars"}}
    finished.change("config.yaml", paper={"tables": tables, "figures": figures})
    finished.snakemake().check()
    run = next(run for run in finished.runs if "rate=0.2" in (run / "run.json").read_text())
    finished.replace(f"results/runs/{run.name}/train.json", '"wall_s"', '"wall_s" ')

    planned = finished.planned()
    assert planned["make_table"] == 2
    assert "measure_figure" not in planned and "draw_figure" not in planned


def test_a_new_claim_decides_the_claims_and_does_nothing_else(finished: Project) -> None:
    paper = yaml.safe_load((finished.path / "config.yaml").read_text())["paper"]
    trend = {"parameter": "rate", "metric": "val/accuracy", "direction": "falls"}
    claims = {"lower": {"statement": "A lower rate is better.", "trend": trend}}
    finished.change("config.yaml", paper=paper | {"claims": claims})

    assert finished.planned() == {"check_claims": 1, **RECORDED}


def test_a_run_that_changed_exports_itself_its_group_and_what_shows_it(
    finished: Project,
) -> None:
    run = finished.runs[0]
    finished.replace(f"results/runs/{run.name}/train.json", '"wall_s"', '"wall_s" ')

    assert finished.planned() == {
        "upload_artifacts": 1,
        "export_run": 1,
        "sum_compute": 1,
        **SHOWN,
    }


def test_a_finished_run_is_never_trained_again(finished: Project) -> None:
    """Not even when it is forced: its id says that the result would be the same."""
    before = {run.name: (run / "train.json").read_text() for run in finished.runs}
    forced = finished.snakemake("--forcerun", "train", "--until", "train").check()

    assert "has finished already: kept" in forced.output
    assert before == {run.name: (run / "train.json").read_text() for run in finished.runs}


def test_edited_analysis_code_reruns_analysis_and_never_training(
    finished: Project, tmp_path: object
) -> None:
    """A copy of Caduceus with another way to write tables."""
    copy = finished.path.with_name("caduceus")
    shutil.copytree(
        REPOSITORY,
        copy,
        symlinks=True,
        ignore=shutil.ignore_patterns(".*", "results", "tests", "benchmarks"),
    )
    tables = copy / "scripts/caduceus/paper/table_formats.py"
    tables.write_text(tables.read_text().replace('"published"', '"reported"'))
    arguments = ["--snakefile", str(copy / "Snakefile")]
    environment = {"PYTHONPATH": str(copy / "scripts")}
    planned = finished.snakemake("--dry-run", "--quiet", "rules", *arguments, **environment)

    assert "\nmake_table " in planned.check().output
    for rule in ("train", "upload_artifacts", "export_run", "export_group", "draw_figure"):
        assert f"\n{rule} " not in planned.output


def test_two_experiments_keep_apart(finished: Project) -> None:
    other = yaml.safe_load((finished.path / "experiments/toy.yaml").read_text())
    other |= {"id": "other", "group": "ablation", "seeds": [0], "matrix": {"rate": [0.5]}}
    finished.write_yaml("experiments/other.yaml", other)
    finished.change("config.yaml", experiments=["experiments/toy.yaml", "experiments/other.yaml"])

    planned = finished.planned()
    assert planned["train"] == planned["export_run"] == 1
    assert planned["export_group"] == 1
