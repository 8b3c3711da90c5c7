"""`caduceus build` with nothing to do: the stamp never says so where Snakemake wouldn't."""

import itertools
import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from file_edits import EDITS, Edit
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from project_edits import OF_PROJECT, PLACES
from projects import REPOSITORY, Project, end

# A build, one that takes itself for a long one, with and without --json, or only the question
# whether a stamp answers.
ASK = """
import sys
from caduceus.overview.terminal.build_ending import build_as_json
from caduceus.system import snakemake_process
from caduceus.system.stamp import Stamp

question, *words = sys.argv[1:]
if question == "ask":
    sys.exit(Stamp("build", words).answer() is None)
snakemake_process._LOOKS = 0.001 if "long" in question else float("inf")
if "json" in question:
    status, answer = build_as_json(words)
    print(answer)
    sys.exit(status)
sys.exit(snakemake_process.run_snakemake(words))
"""
WORDS = ("--cores", "2", "--snakefile", str(REPOSITORY / "Snakefile"))
STAMP = ".snakemake/caduceus/build"
NUMBERS = itertools.count()


@pytest.fixture(scope="module", autouse=True)
def _places() -> Iterator[None]:
    yield
    while PLACES:
        shutil.rmtree(PLACES.pop())


def build(project: Project, *words: str, **variables: str) -> str:
    return (
        project.run(sys.executable, "-c", ASK, "build", *WORDS, *words, **variables).check().output
    )


def is_answered(project: Project, *words: str, **variables: str) -> bool:
    return not project.run(sys.executable, "-c", ASK, "ask", *WORDS, *words, **variables).code


def stamped(project: Project) -> None:
    """Give a project a stamp that answers; other tests may just have changed packages' folders."""
    for _ in range(5):
        assert "Nothing to be done" in build(project)
        if is_answered(project):
            return
    raise AssertionError("no stamp answers")


def logs(project: Project) -> int:
    """How often Snakemake was started."""
    return len(list((project.path / ".snakemake/log").iterdir()))


def test_an_answer_starts_no_snakemake_and_says_the_same(finished: Project) -> None:
    for words in ([], ["--quiet", "host", "rules"], ["--quiet", "all"]):
        starts = []
        while len(starts) < 2 or (starts[-1] != starts[-2] and len(starts) < 6):
            said = build(finished, *words)
            starts.append(logs(finished))
        assert starts[-1] == starts[-2]
        nothing = "Nothing to be done (all requested files are present and up to date).\n"
        assert said == ("" if "all" in words else nothing)


def test_json_asks_the_same_stamp_and_keeps_it(finished: Project) -> None:
    finished.write("results/paper/tables/former.md", "")  # of a table that config.yaml had
    stamped(finished)
    starts = logs(finished)

    said = finished.run(sys.executable, "-c", ASK, "json", *WORDS).check().output

    assert '"state": "nothing to do"' in said
    assert '"tables": [\n    "results/paper/tables/accuracy.md"\n  ]' in said
    assert logs(finished) == starts
    assert is_answered(finished)


def test_each_thing_that_may_decide_is_known(finished: Project) -> None:
    data, rules = finished.path / "data/widths.txt", finished.path / "own.smk"
    finished.write("data/widths.txt", "1 2")
    finished.write("own.smk", 'WIDTHS = open("data/widths.txt").read().split()\n')
    finished.change("config.yaml", custom_rules=["own.smk"])
    stamped(finished)

    assert not is_answered(finished, "--config", "retries=1")
    assert not is_answered(finished, "--forceall")
    assert not is_answered(finished, WANDB_MODE="online")

    def with_its_time(path: Path, old: str, new: str) -> None:
        """An edit that keeps size and time."""
        before = path.stat()
        path.write_text(path.read_text().replace(old, new))
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    def lock() -> None:
        (finished.path / ".snakemake/locks").mkdir(exist_ok=True)
        (finished.path / ".snakemake/locks/0.input.lock").write_text("config.yaml\n")

    changes: Sequence[tuple[Callable[[], object], Callable[[], object]]] = [
        (  # what custom rules read
            lambda: with_its_time(data, "1 2", "1 3"),
            lambda: with_its_time(data, "1 3", "1 2"),
        ),
        (  # a module that an import of the program finds first
            lambda: finished.write("experiments/wandb.py", ""),
            (finished.path / "experiments/wandb.py").unlink,
        ),
        (  # another Snakemake at work
            lock,
            lambda: shutil.rmtree(finished.path / ".snakemake/locks"),
        ),
        (
            lambda: with_its_time(rules, "data", "dat2"),
            lambda: with_its_time(rules, "dat2", "data"),
        ),
    ]
    for change, undo in changes:
        change()
        assert not is_answered(finished)
        undo()
        stamped(finished)


def test_a_long_build_has_the_next_one_answered(finished: Project) -> None:
    def long(*words: str, question: str = "long") -> None:
        (finished.path / "results/failures.json").unlink()
        finished.run(sys.executable, "-c", ASK, question, *WORDS, *words).check()

    (finished.path / "results/report/index.html").unlink()
    build(finished)
    assert not is_answered(finished)
    for question in ("long json", "long"):
        for _ in range(5):  # other tests may just have changed packages' folders
            long(question=question)
            if is_answered(finished):
                break
        assert is_answered(finished)
    assert finished.planned() == {}
    locks = finished.path / ".snakemake/locks"
    locks.mkdir(exist_ok=True)
    (locks / "0.input.lock").write_text("config.yaml\n")  # another Snakemake at work
    assert not is_answered(finished)
    shutil.rmtree(locks)
    assert is_answered(finished)

    long("--forcerun", "make_report")

    assert not is_answered(finished)


@pytest.mark.parametrize("option", ["--touch", "--dry-run", "--verbose", "--debug-dag"])
def test_options_that_ask_for_more_leave_no_stamp(finished: Project, option: str) -> None:
    build(finished, option)

    assert not (finished.path / STAMP).exists()


def test_rules_that_go_by_more_than_files_leave_no_stamp(finished: Project) -> None:
    finished.change("config.yaml", custom_rules=["own.smk"])
    finished.write("own.smk", 'import subprocess\nHEAD = subprocess.run(["true"])\n')

    assert "Nothing to be done" in build(finished)

    assert not (finished.path / STAMP).exists()


Edits = list[tuple[Edit, float]]


def some(edits: Sequence[Edit]) -> st.SearchStrategy[Edits]:
    one = st.tuples(st.sampled_from(edits), st.floats(0, 1, exclude_max=True))
    return st.lists(one, min_size=1, max_size=8)


def hold_to_snakemake(project: Project, edits: Edits) -> None:
    """Make edits of any file, one by one, until there is no answer; the last is a killed build."""
    stamped(project)
    for edit, share in edits:
        files = sorted(path for path in project.path.rglob("*") if path.is_file())
        # The file system refuses some edits, and a project broken by an earlier one others.
        with suppress(OSError, yaml.YAMLError, StopIteration, TypeError):
            edit(files[int(share * len(files))])
        if not is_answered(project):
            break
        planned = project.snakemake("--quiet", "rules", "--dry-run")
        assert planned.code == 0 and not planned.jobs, (edit, planned.output)
    if (project.path / STAMP).exists():
        process = project.begin(sys.executable, "-c", ASK, "build", *WORDS, "--forceall")
        while (project.path / STAMP).exists() and process.poll() is None:
            pass
        process.send_signal(signal.SIGKILL)
        end(process)
        assert not is_answered(project)


@settings(
    max_examples=3,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(edits=some(EDITS))
def test_it_says_what_snakemake_says(trained: Project, tmp_path: Path, edits: Edits) -> None:
    hold_to_snakemake(trained.copy(tmp_path / str(next(NUMBERS))), edits)


@pytest.mark.soak
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(edits=some((*EDITS, *OF_PROJECT)))
def test_it_says_what_snakemake_says_many_times(
    trained: Project, tmp_path: Path, edits: Edits
) -> None:
    place = tmp_path / str(next(NUMBERS))
    hold_to_snakemake(trained.copy(place / "project"), edits)
    shutil.rmtree(place)
