"""Logs of Inspect, written by its own classes: what is read, and what is refused."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import CaduceusError
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.reading import read_items

WITHOUT = """
import sys
sys.modules["inspect_ai.log"] = None  # as if it weren't installed
from pathlib import Path
from caduceus.errors import CaduceusError
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.reading import read_items
try:
    read_items(Path("a.eval"), ItemFile(file="a.eval"))
except CaduceusError as error:
    print(error)
"""


def test_without_inspect_ai_a_log_is_refused_in_one_line() -> None:
    found = subprocess.run([sys.executable, "-c", WITHOUT], capture_output=True, text=True)
    assert (found.stdout, found.stderr) == (
        "a.eval: inspect_ai, which reads logs of Inspect, isn't installed: "
        "pip install 'caduceus-ml[inspect]'\n",
        "",
    )


@pytest.fixture
def write(tmp_path: Path) -> Callable[..., Path]:
    """Write a log of these samples, each an id, an epoch and its scores."""
    pytest.importorskip("inspect_ai", reason="reads and writes the logs")
    from inspect_ai.log import EvalConfig, EvalDataset, EvalLog, EvalSample, EvalSpec
    from inspect_ai.log import write_eval_log as write_log
    from inspect_ai.scorer import Score

    def write(name: str, *samples: tuple[int | str, int, dict[str, Any]], **log: Any) -> Path:
        path = tmp_path / name
        logged = [
            EvalSample(
                id=item,
                epoch=epoch,
                input="?",
                target="A",
                scores={name: Score(value=value) for name, value in values.items()},
                metadata={"topic": f"topic {item}"[:7]},
            )
            for item, epoch, values in samples
        ]
        spec = EvalSpec(
            created="2026-01-01T00:00:00+00:00",
            task="t",
            dataset=EvalDataset(),
            model="mockllm/model",
            config=EvalConfig(),
        )
        write_log(EvalLog(**{"status": "success"} | log, eval=spec, samples=logged), str(path))
        return path

    return write


def scores(path: Path, **keys: str) -> dict[str, float]:
    found = read_items(path, ItemFile(file=path.name, **keys))
    return {item: each.score for item, each in found.items()}


def refusal(path: Path, **keys: str) -> str:
    with pytest.raises(CaduceusError) as caught:
        scores(path, **keys)
    return str(caught.value).replace(f"{path.parent}/", "")


@pytest.mark.parametrize("name", ["log.eval", "log.json"])
def test_letters_are_scores_and_epochs_are_averaged(write: Callable[..., Path], name: str) -> None:
    letters = {1: "CC", 2: "CI", 3: "PN"}
    samples = [
        (item, epoch + 1, {"match": letter})
        for item, pair in letters.items()
        for epoch, letter in enumerate(pair)
    ]
    path = write(name, *samples)
    assert scores(path) == {"1": 1, "2": 0.5, "3": 0.25}
    found = read_items(path, ItemFile(file=name, cluster="metadata.topic"))
    assert {each.cluster for each in found.values()} == {"topic 1", "topic 2", "topic 3"}
    assert found["1"].label == "A"


def test_numbers_and_parts_of_scores_are_chosen_by_name(write: Callable[..., Path]) -> None:
    path = write("a.eval", ("a", 1, {"f1": 0.25, "judge": {"style": 3, "fact": True}}))
    assert scores(path, score="f1") == {"a": 0.25}
    assert scores(path, score="judge.fact") == {"a": 1}
    assert refusal(path) == (
        "a.eval, sample a of epoch 1: it has 3 scores, f1, judge.style, judge.fact; choose one, "
        "such as `items: {score: f1}`"
    )
    assert "no score 'judge.fct', did you mean 'judge.fact'?; there are" in refusal(
        path, score="judge.fct"
    )


def test_an_evaluation_that_has_not_succeeded_is_refused(write: Callable[..., Path]) -> None:
    for status in ("started", "cancelled", "error"):
        path = write("a.eval", ("a", 1, {"match": "C"}), status=status)
        assert refusal(path).startswith(f"a.eval: the evaluation's status is {status}, not success")


@pytest.mark.parametrize(
    ("samples", "message"),
    [
        ([], "a.eval: it has no items"),
        ([("a", 1, {})], "a.eval, sample a of epoch 1: it has no score"),
        ([("a", 1, {"m": "A"})], "a.eval, sample a of epoch 1: its 'm' is \"A\", not a number"),
        ([("a", 1, {"m": [1, 2]})], "a.eval, sample a of epoch 1: its 'm' is [1,2], not a number"),
        ([("a", 1, {"m": float("nan")})], "a.eval, sample a of epoch 1: its 'm' is nan"),
        ([("a", 1, {"m": 1}), ("b", 1, {"m": "C"})], "a.eval, sample b of epoch 1: its 'm' is a l"),
        ([("a", 1, {"m": 1}), ("a", 2, {"m": 1}), ("b", 1, {"m": 1})], "a.eval, sample b: 1 epoch"),
    ],
)
def test_odd_samples_are_refused_by_their_name(
    write: Callable[..., Path], samples: list[Any], message: str
) -> None:
    assert refusal(write("a.eval", *samples)).startswith(message)


def test_keys_of_other_files_and_broken_logs_are_refused(write: Callable[..., Path]) -> None:
    path = write("a.eval", ("a", 1, {"m": 1}))
    assert refusal(path, filter="x") == (
        "a.eval: a log of Inspect has no `filter`; write `score` for its scorer"
    )
    assert refusal(path, cluster="metadata.theme").startswith(
        "a.eval, sample a of epoch 1: it has no 'metadata.theme', its cluster"
    )
    path.write_bytes(path.read_bytes()[:100])
    assert refusal(path).startswith("a.eval: not a log of Inspect (")
    path.with_suffix(".json").write_text("{}")
    assert refusal(path.with_suffix(".json")).startswith("a.json: not a log of Inspect (")
