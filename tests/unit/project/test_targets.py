"""Which files each job takes: what decides what Snakemake reruns."""

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from caduceus.project.deleted_files import EXPORTED, PLANNED
from caduceus.project.project import Project, load_project
from caduceus.project.targets import Targets, load_targets
from projects import REPOSITORY

PLAIN = {
    "id": "plain",
    "type": "baseline",
    "program": "train.py",
    "dataset": {"name": "points", "path": "points.csv", "version": 1},
    "matrix": {"width": [1, 2]},
    "seeds": [0],
    "metric": {"name": "accuracy"},
}
TUNED = {
    "id": "tuned",
    "type": "sweep",
    "program": "train.py",
    "sweep": {
        "count": 4,
        "lag": 2,
        "confirm": 1,
        "config": {
            "method": "bayes",
            "metric": {"name": "loss"},
            "parameters": {"width": {"min": 1, "max": 9}},
        },
    },
}
CLAIM = {
    "statement": "Wide is good.",
    "at_least": {"variant": {"width": 2}, "metric": "accuracy", "value": 0.5},
}
PAPER = {
    "tables": {"accuracy": {"metrics": {"accuracy": "accuracy"}}},
    "figures": {
        "bars": {"kind": "bars", "variants": [{"width": 1}], "metrics": {"a": "accuracy"}},
        "search": {"kind": "sweep", "width": "column"},
    },
    "claims": {"wide": CLAIM},
}
REMOTE = {"source": "api"}

Plan = Callable[..., Project]


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    """Loads a project of the experiments above, with keys of config.yaml."""

    def load(**config: Any) -> Project:
        (tmp_path / "train.py").touch()
        for experiment in (PLAIN, TUNED):
            (tmp_path / f"{experiment['id']}.yaml").write_text(json.dumps(experiment))
        settings = {"experiments": ["plain.yaml", "tuned.yaml"], "paper": PAPER} | config
        return load_project(settings, [], tmp_path)

    return load


def targets(
    project: Project, existing: Iterable[str] = (), groups: dict[str, dict[str, str]] | None = None
) -> Targets:
    there = set(existing)

    def are_logs_lost(folder: str) -> bool:
        return there.isdisjoint((f"{folder}/work/code", f"{folder}/work/server"))

    return Targets(project, there.__contains__, are_logs_lost, groups or {})


def runs_of(project: Project, experiment: str) -> list[str]:
    return project.run_ids([experiment])


def files(runs: Iterable[str], name: str) -> list[str]:
    return [f"results/runs/{run}/{name}" for run in runs]


# Lost logs


@pytest.mark.parametrize(
    ("existing", "lost"),
    [
        ((), []),  # never run
        (("train.json", "work/code"), []),  # not exported yet
        (EXPORTED, []),  # exported, and to be trained again
        ((*EXPORTED, "train.json", "work/code"), []),
        ((*EXPORTED, "server.json", "work/server"), []),
        ((*EXPORTED, "train.json"), ["work/lost_logs"]),
        ((*EXPORTED, "server.json"), ["work/lost_logs"]),
        ((*EXPORTED[1:], "train.json"), []),
    ],
)
def test_logs_are_lost_where_only_an_ended_runs_export_is_left(
    plan: Plan, existing: Iterable[str], lost: list[str]
) -> None:
    folder = "results/runs/r"
    found = targets(plan(), [f"{folder}/{name}" for name in existing]).lost_logs(folder)
    assert found == [f"{folder}/{name}" for name in lost]


def test_a_run_with_lost_logs_is_neither_planned_nor_exported_anew(plan: Plan) -> None:
    project = plan()
    for experiment in ("plain", "tuned"):
        run = runs_of(project, experiment)[0]
        kept = {path for name in (*PLANNED, *EXPORTED, "train.json") for path in files([run], name)}
        archived = targets(project, kept)
        lost = files([run], "work/lost_logs")  # no rule makes it
        assert archived.trial(run) == archived.logged(run) == lost
        assert archived.sweep(run) == []
        for name in EXPORTED:
            damaged = targets(project, kept - {*files([run], name)})
            assert damaged.logged(run) == files([run], "checked_logs")  # its rule fails
            assert damaged.trial(run) == lost
        unplanned = targets(project, kept - {*files([run], "params.json")})
        assert unplanned.trial(run) != lost
        assert unplanned.logged(run) == lost


def test_a_run_of_a_whole_project_with_lost_logs_isnt_exported_anew(plan: Plan) -> None:
    folder = "results/projects/team/other/runs/r"
    assert targets(plan()).server_state("team/other", "r") == [f"{folder}/server.json"]
    exported = [f"{folder}/{name}" for name in ("server.json", *EXPORTED)]
    assert targets(plan(), exported).server_state("team/other", "r") == [f"{folder}/work/lost_logs"]
    logged = [*exported, f"{folder}/work/server"]
    assert targets(plan(), logged).server_state("team/other", "r") == exported[:1]


# Ancient


def test_an_export_takes_the_dataset_that_training_takes_as_ancient(plan: Plan) -> None:
    project = plan()
    run = runs_of(project, "plain")[0]
    found = targets(project)
    assert found.dataset(run) == ["results/datasets/points/dataset.json"]
    assert found.logged(run) == [
        *files([run], "train.json"),
        *files([run], "upload.json"),
        *found.dataset(run),
    ]
    assert targets(project).dataset(runs_of(project, "tuned")[0]) == []


def test_a_change_of_all_identities_reaches_trials_that_wait_for_others(plan: Plan) -> None:
    project = plan()
    trials = runs_of(project, "tuned")
    first = files(trials[:1], "run.json")
    found = [targets(project).first_identity(run) for run in trials]
    # Trials 0 and 1 wait for none; 2 and 3 do, and so do the three runs of the confirmation.
    assert found == [[], [], first, first, first, first, first]
    assert targets(project).first_identity(runs_of(project, "plain")[0]) == []


# Remote runs


def test_a_remote_run_is_exported_from_what_the_server_says(plan: Plan) -> None:
    project = plan(export=REMOTE)
    run = runs_of(project, "plain")[0]
    assert targets(project).logged(run) == files([run], "server.json")


def test_a_remote_run_has_ended_with_its_export(plan: Plan) -> None:
    local, remote = plan(), plan(export=REMOTE)
    assert targets(local).ended() == files(local.runs, "train.json")
    assert targets(remote).ended() == files(remote.runs, "manifest.json")


def test_a_remote_sweep_goes_by_outcomes(plan: Plan) -> None:
    local, remote = plan(), plan(export=REMOTE)
    [sweep] = local.sweeps
    trials, confirmations = runs_of(local, "tuned")[:4], runs_of(local, "tuned")[4:]
    assert targets(local).trial_results(sweep) == files(trials, "train.json")
    assert targets(remote).trial_results(sweep) == files(trials, "outcome.json")
    assert targets(local).outcomes(sweep) == []
    assert targets(remote).outcomes(sweep) == files([*trials, *confirmations], "outcome.json")


def test_remote_runs_need_no_dataset_and_are_asked_for_by_plan(plan: Plan) -> None:
    plans = ["results/experiments/plain.json", "results/experiments/tuned.json"]
    local, remote = targets(plan()), targets(plan(export=REMOTE))
    assert local.datasets() == ["results/datasets/points/dataset.json"]
    assert remote.datasets() == []
    assert local.remote_plans() == []
    assert remote.remote_plans() == remote.plans() == local.plans() == plans


# Trials


def test_a_trial_waits_for_those_that_lie_its_lag_before_it(plan: Plan) -> None:
    project = plan()
    [sweep] = project.sweeps
    found = targets(project)
    first, second = runs_of(project, "tuned")[:2]
    assert found.observations(sweep, "0001", "train.json") == []
    assert found.observations(sweep, "0002", "train.json") == files([first], "train.json")
    assert found.observations(sweep, "0003", "upload.json") == files([second], "upload.json")


def test_trials_are_chosen_in_order_where_they_need_results(plan: Plan) -> None:
    project = plan()
    [sweep] = project.sweeps
    assert targets(project).trial_before(sweep, "0000") == []
    before = targets(project).trial_before(sweep, "0001")
    assert before == [f"results/sweeps/{sweep}/trials/0000.json"]


def test_random_trials_wait_for_none(plan: Plan, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TUNED["sweep"]["config"], "method", "random")  # type: ignore[index]
    project = plan()
    [sweep] = project.sweeps
    assert targets(project).observations(sweep, "0003", "train.json") == []
    assert targets(project).trial_before(sweep, "0003") == []


def test_a_run_takes_its_trial_and_its_sweep(plan: Plan) -> None:
    project = plan()
    [sweep] = project.sweeps
    confirmation = runs_of(project, "tuned")[-1]
    found = targets(project)
    assert found.trial(confirmation) == [f"results/sweeps/{sweep}/trials/c4.0.json"]
    assert found.sweep(confirmation) == [f"results/sweeps/{sweep}/sweep.json"]
    plain = runs_of(project, "plain")[0]
    assert found.trial(plain) == found.sweep(plain) == []
    # Three runs of the confirmation share one trial.
    assert len(found.sweep_manifests(sweep)) == 7
    assert found.trials(sweep)[3:] == [
        f"results/sweeps/{sweep}/trials/0003.json",
        *found.trial(confirmation),
    ]


# What was deleted


def test_deleted_files_are_made_anew_only_of_groups_that_were_exported(plan: Plan) -> None:
    project = plan()
    plain = runs_of(project, "plain")
    names = ("params.json", "run.json", "manifest.json", "run_summary.json")
    names += ("metrics_history.csv", "train.json", "upload.json")
    names += ("system_metrics.csv", "media", "artifacts")
    whole = ["results/experiments/plain.json"]
    whole += [path for name in names for path in files(plain, name)]
    assert targets(project).deleted() == []
    of_group = ("runs.csv", "variants.csv", "history.parquet", "compute.json")
    exported = [*(f"results/groups/baseline/{name}" for name in of_group), *whole]
    assert targets(project, exported).deleted() == []
    gone = files(plain[1:], "train.json")
    assert targets(project, set(exported) - set(gone)).deleted() == gone
    remote = targets(plan(export=REMOTE), set(exported) - set(gone))
    assert remote.deleted() == []  # a remote run has no train.json
    [damaged] = set(exported) & {"results/experiments/plain.json"}
    assert targets(project, set(exported) - {damaged}).deleted() == [damaged]
    media = files(plain[:1], "media")
    receipt = files(plain[:1], "upload.json")
    logs = files(plain[:1], "work/code")
    lacking = {*exported} - {*media, *receipt}
    assert targets(project, lacking | {*logs}).deleted() == receipt + media
    assert targets(project, lacking).deleted() == []  # without the logs, nothing makes them again


def test_a_deleted_record_of_a_dataset_keeps_what_was_trained_with_it(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = plan()
    trained, new = runs_of(project, "plain")
    record = "results/datasets/points/dataset.json"
    there = {"results/groups/baseline/runs.csv", *files([trained], "train.json")}
    found = targets(project, there)
    assert found.kept_without_dataset(trained, "train.json") == [f"{record}.deleted"]
    assert found.kept_without_dataset(trained, "upload.json") == []
    assert found.kept_without_dataset(new, "train.json") == []
    assert record not in found.deleted()  # its data are gone
    Path("points.csv").touch()
    assert record in found.deleted()
    assert record not in targets(project, {*files([trained], "train.json")}).deleted()
    whole = targets(project, {*there, record})
    assert whole.kept_without_dataset(trained, "train.json") == []
    assert record not in whole.deleted()
    made = {"name": "points", "program": "train.py", "version": 1}
    (tmp_path / "plain.yaml").write_text(json.dumps(PLAIN | {"dataset": made}))
    by_program = load_project({"experiments": ["plain.yaml"]}, [], tmp_path)
    assert record not in targets(by_program, there).deleted()


# Rules whose outputs only some projects or calls make, or that nothing may make anew.
NOT_BY_DEFAULT = {
    *("make_dataset", "check_account", "report_refuted", "write_appendix", "find_run"),
    *("export_fetched_run", "export_server_run", "evaluate_run", "sweep_agent", "start_sweep"),
    *("suggest_trial", "ask_trial", "find_trial", "confirm_trial", "report_failures", "check_logs"),
}


def test_each_declared_output_is_made_again_alone(plan: Plan) -> None:
    """Those that no other job takes, such as the .tex of a table, too."""
    project = plan(export={"projects": [{"project": "team/other"}]})
    named = {
        **{"experiment": "plain", "run": runs_of(project, "plain")[0], "group": "baseline"},
        **{"table": "accuracy", "figure": "bars", "project": "team/other", "server_group": "a"},
        "sweep": next(iter(project.sweeps)),
    }
    outputs = [
        path.format(**named)
        for rules in sorted((REPOSITORY / "workflow/rules").glob("*.smk"))
        for rule, body in re.findall(r"rule (\w+):\n(.*?)(?=\n *rule |\Z)", rules.read_text(), re.S)
        if rule not in NOT_BY_DEFAULT
        for made in re.findall(r" output:\n(.*?)\n +(?:log|params|localrule):", body, re.S)
        for path in re.findall(r'"(results/[^"]*)"', made)
    ]
    assert len(outputs) > 40
    there = {*outputs, *files([named["run"]], "work/code")}
    groups = {"team/other": {"r1": "a"}}
    of_others = set(targets(project, there, groups).deleted())
    named_always = set(targets(project, groups=groups).paper())
    for path in outputs:
        found = targets(project, there - {path}, groups)
        assert path in named_always or set(found.deleted()) - of_others == {path}, path


# Groups and whole projects


def test_groups_of_experiments_and_of_whole_projects_go_into_the_report(plan: Plan) -> None:
    members = {"r1": "b", "r2": "a", "r3": "b"}
    project = plan(export={"projects": [{"project": "team/other"}]})
    found = targets(project, groups={"team/other": members})
    assert found.group_plans("sweep") == ["results/experiments/tuned.json"]
    assert found.group_manifests("baseline") == files(runs_of(project, "plain"), "manifest.json")
    of_server = [f"results/projects/team/other/groups/{group}/runs.csv" for group in "ab"]
    assert found.server_group_files("runs.csv") == of_server
    own = [f"results/groups/{group}/runs.csv" for group in ("baseline", "sweep")]
    assert found.group_files("runs.csv") == own + of_server
    assert found.server_group_manifests("team/other", "b") == [
        f"results/projects/team/other/runs/{run}/manifest.json" for run in ("r1", "r3")
    ]


def test_a_projects_runs_are_known_once_they_were_asked_for(plan: Plan, tmp_path: Path) -> None:
    project = plan(export={"projects": [{"project": "team/other"}]})

    def prefixed(path: str) -> str:
        return str(tmp_path / "study" / path)

    assert load_targets(project, prefixed).server_group_files("runs.csv") == []
    index = tmp_path / "study/results/projects/team/other/runs.json"
    index.parent.mkdir(parents=True)
    index.write_text('{"r1": "a"}')
    found = load_targets(project, prefixed)
    assert found.server_group_files("runs.csv") == ["results/projects/team/other/groups/a/runs.csv"]
    assert not found.exists("results/verification.json")
    (tmp_path / "study/results/verification.json").touch()
    assert found.verification() == ["results/verification.json"]


# The paper


def test_an_entry_takes_the_runs_that_it_shows(plan: Plan) -> None:
    project = plan()
    narrow, wide = runs_of(project, "plain")
    found = targets(project)
    plain = ["results/experiments/plain.json"]
    # Trials of a sweep go into no table that doesn't name them.
    assert found.shown_plans("tables", "accuracy") == plain
    assert found.shown_manifests("tables", "accuracy") == files([narrow, wide], "manifest.json")
    assert found.figure_manifests("bars") == files([narrow], "manifest.json")
    assert found.figure_trials("bars") == []
    assert found.claim_plans() == plain
    assert found.claim_manifests() == files([wide], "manifest.json")


def test_a_sweeps_figure_takes_its_table_of_trials(plan: Plan) -> None:
    project = plan()
    [sweep] = project.sweeps
    assert targets(project).figure_manifests("search") == []
    assert targets(project).figure_trials("search") == [f"results/sweeps/{sweep}/trials.csv"]
    assert "width" not in project.paper.figures["search"].measured  # it changes no number


def test_all_entries_and_what_is_made_of_them(plan: Plan) -> None:
    found = targets(plan())
    assert found.entries() == [
        "results/paper/tables/accuracy.json",
        "results/paper/figures/bars.json",
        "results/paper/figures/search.json",
        "results/paper/claims.json",
    ]
    made = found.paper()
    assert {"results/groups/baseline/runs.csv", "results/paper/claims.md"} <= set(made)
    assert "results/paper/claims.md" not in targets(plan(paper="none")).paper()


@pytest.mark.parametrize(
    ("claims", "paper", "expected"),
    [
        ("report", PAPER, []),
        ("strict", PAPER, ["results/refuted.json"]),
        ("strict", "none", []),  # nothing to refute
    ],
)
def test_claims_are_strict_where_asked_for(
    plan: Plan, claims: str, paper: Any, expected: list[str]
) -> None:
    assert targets(plan(claims=claims, paper=paper)).refuted() == expected
