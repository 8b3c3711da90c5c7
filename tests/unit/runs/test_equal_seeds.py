"""Runs of one variant that logged equal rows count as one."""

from typing import Any

from caduceus.runs.equal_seeds import equal_note, equal_seeds, repeats
from caduceus.runs.files.export import Summary
from run_files import summary


def run(name: str, seed: int | None, rows: str | None, **values: Any) -> Summary:
    about = {"experiment": "toy", "variant": "rate=0.1", "state": "finished"}
    return summary(name, seed=seed, rows_sha256=rows, **about | values)


def test_equal_rows_of_different_seeds_are_one_set() -> None:
    runs = [run("a", 0, "x"), run("b", 1, "y"), run("c", 2, "x"), run("d", 3, "x")]
    (found,) = equal_seeds([*runs, run("e", 0, "x", variant="rate=0.2")])
    assert found.runs == ("a", "c", "d") and found.seeds == (0, 2, 3)
    assert repeats([found]) == {"c", "d"}
    assert equal_note([found]) == (
        "Seeds that logged equal rows count as one: rate=0.1 (seeds 0, 2 and 3)."
    )


def test_experiments_are_named_where_there_are_several() -> None:
    others = [run(name, seed, "z", experiment="b") for name, seed in (("c", 0), ("d", 1))]
    found = equal_seeds([run("a", 0, "x"), run("b", 1, "x"), *others])
    assert equal_note(found).endswith(
        ": rate=0.1 of toy (seeds 0 and 1), rate=0.1 of b (seeds 0 and 1)."
    )


def test_runs_without_rows_seeds_or_an_experiment_are_never_equal() -> None:
    for pair in (
        [run("a", 0, None), run("b", 1, None)],
        [run("a", None, "x"), run("b", None, "x")],
        [run("a", 0, "x", experiment=None), run("b", 1, "x", experiment=None)],
        [run("a", 0, "x", state="failed"), run("b", 1, "x")],
        [run("a", 0, "x"), run("b", 0, "x")],  # a seed once more says nothing of seeds
    ):
        assert equal_seeds(pair) == []
