"""`caduceus build` leaves settled runs out of the graph, and does what Snakemake would."""

import itertools
import json
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from caduceus.system.snakemake_job_list import WHOLE
from file_edits import EDITS, Edit, append
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from project_edits import (
    CALLS,
    LIST,
    OF_PROJECT,
    PLACES,
    WORDS,
    copy_over_anew,
    keep_results_elsewhere,
    write_another_experiment,
)
from projects import Project

SETTLED = ".snakemake/caduceus/settled"
NUMBERS = itertools.count()


def build(project: Project, *words: str) -> None:
    project.fork(LIST, "build", "--cores", "2", *WORDS, *words).check()


def jobs(project: Project, how: str, *words: str) -> tuple[object, int]:
    """The jobs that would run, or how it failed; and how many jobs were looked at."""
    done = project.fork(LIST, how, *WORDS, *words)
    lines = done.output.splitlines()
    if WHOLE in lines:  # of unstarted runs; settled ones stay left out
        return jobs(project, "whole", *words)
    listed = [json.loads(line)["job"] for line in lines if line.startswith('{"job"')]
    found = sorted((job["rule"], sorted(job["outputs"])) for job in listed)
    counts = [int(line) for line in lines if line.isdigit()]
    return (done.code, found), counts[0] if counts else 0


def settle(project: Project, runs: int = 4) -> None:
    """Have all runs settle; other tests may just have changed packages' folders."""
    for _ in range(5):
        (project.path / ".snakemake/caduceus/build").unlink(missing_ok=True)
        build(project)
        path = project.path / SETTLED
        if path.exists() and len(json.loads(path.read_text())["runs"]) == runs:
            return
    raise AssertionError("the runs don't settle")


def hold(project: Project, *words: str) -> tuple[int, int]:
    """Ask both for the jobs; return how many each looked at."""
    reduced, few = jobs(project, "reduced", *words)
    full, many = jobs(project, "full", *words)
    assert reduced == full, words
    return few, many


def test_a_changed_run_is_looked_at_and_the_others_are_not(finished: Project) -> None:
    settle(finished)
    run = finished.runs[0].name
    finished.replace(f"results/runs/{run}/train.json", '"wall_s"', '"wall_s" ')

    few, many = hold(finished)

    # Of three runs five jobs each, and no job of theirs.
    assert many - few == 15
    build(finished)
    assert finished.planned() == {}


def test_a_figure_of_another_width_looks_at_no_run(finished: Project) -> None:
    settle(finished)
    paper = yaml.safe_load((finished.path / "config.yaml").read_text())["paper"]
    finished.change("config.yaml", paper=paper | {"venue": "ieee"})

    few, many = hold(finished)

    assert many - few == 20


def test_what_runs_are_called_is_looked_at(finished: Project) -> None:
    settle(finished)
    finished.change("experiments/toy.yaml", tags=["new"])

    few, many = hold(finished)

    assert few == many


def test_nothing_to_do_is_no_longer_said_once_a_settled_run_has_lost_a_file(
    finished: Project,
) -> None:
    settle(finished)
    (finished.path / ".snakemake/caduceus/build").unlink(missing_ok=True)
    build(finished)  # looks at no run
    (finished.runs[0] / "metrics_history.csv").unlink()

    build(finished)

    assert (finished.runs[0] / "metrics_history.csv").exists()


def test_a_file_beside_the_code_that_a_run_used_is_looked_at(finished: Project) -> None:
    program = finished.path / "experiments/train.py"
    program.write_text(program.read_text() + 'Path("data/rate.txt").read_text()\n')
    finished.write("data/rate.txt", "0.1")
    build(finished)
    settle(finished, runs=4)  # without those of the old code
    finished.write("data/rate.txt", "0.2")

    few, many = hold(finished)

    assert few == many
    assert [rule for rule, _ in jobs(finished, "full")[0][1]].count("train") == 4  # type: ignore[index]


@pytest.mark.parametrize(
    "words",
    [
        *(["--forceall"], ["--until", "train"], ["paper"], ["--touch"]),
        *(["--consider-ancient", "export_run=run"], ["--omit-flags", "ancient"]),
        *(["--persistence-backend", "db"], ["--batch", "all=1/2"]),
    ],
)
def test_a_call_that_asks_for_something_else_settles_nothing(
    finished: Project, words: list[str]
) -> None:
    build(finished, *words)

    assert not (finished.path / SETTLED).exists()


def test_rules_of_the_users_own_settle_nothing(finished: Project) -> None:
    finished.write("own.smk", "rule own:\n    output: 'own.txt'\n    shell: 'touch {output}'\n")
    finished.change("config.yaml", custom_rules=["own.smk"])
    build(finished)
    build(finished)

    assert not (finished.path / SETTLED).exists()


SOME = st.lists(
    st.tuples(st.sampled_from((*EDITS, *OF_PROJECT)), st.floats(0, 1, exclude_max=True)),
    min_size=1,
    max_size=4,
)


def hold_after_each(
    project: Project, edits: list[tuple[Edit, float]], *calls: tuple[str, ...]
) -> None:
    settle(project)
    write_another_experiment(project.path)
    for edit, share in edits:
        files = sorted(path for path in project.path.rglob("*") if path.is_file())
        with suppress(OSError, yaml.YAMLError, StopIteration, TypeError):  # of a broken project
            edit(files[int(share * len(files))])
        hold(project)
        for words in calls:
            hold(project, *words)


@pytest.fixture(scope="module", autouse=True)
def _places() -> Iterator[None]:
    yield
    while PLACES:
        shutil.rmtree(PLACES.pop())


def test_calls_that_ask_for_something_else_look_at_all_and_say_the_same(finished: Project) -> None:
    settle(finished)
    write_another_experiment(finished.path)
    append(finished.runs[0] / "train.json")

    for words in CALLS[::2]:  # the long test has the others, too
        hold(finished, *words)


def test_in_a_copy_behind_a_link_and_from_elsewhere_runs_settle_and_are_looked_at(
    finished: Project,
) -> None:
    copy_over_anew(finished.runs[0] / "train.json")
    keep_results_elsewhere(finished.runs[0] / "train.json")
    settle(finished)
    append(finished.runs[0] / "train.json")

    few, many = hold(finished)
    assert many - few == 15
    few, many = hold(Project(finished.path.parent), "--directory", str(finished.path))
    assert many - few == 15


@settings(
    max_examples=2,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(edits=SOME)
def test_it_looks_at_less_and_says_the_same(
    trained: Project, tmp_path: Path, edits: list[tuple[Edit, float]]
) -> None:
    hold_after_each(trained.copy(tmp_path / str(next(NUMBERS))), edits)


@pytest.mark.soak
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=SOME, words=st.sampled_from(CALLS))
def test_it_looks_at_less_and_says_the_same_many_times(
    trained: Project, tmp_path: Path, edits: list[tuple[Edit, float]], words: tuple[str, ...]
) -> None:
    place = tmp_path / str(next(NUMBERS))
    hold_after_each(trained.copy(place / "project"), edits, words)
    shutil.rmtree(place)
