"""Files of scores by test item: what is read from each kind, and what is refused at which line."""

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import CaduceusError
from caduceus.runs.files.export import ArtifactFile, ExportedArtifact, Summary
from caduceus.runs.item_files.item_file import ItemFile
from caduceus.runs.item_files.reading import find_items, read_items

OURS = "example,label,prediction\n0,3,3\n1,7,1\n2,7,7\n"


def write(folder: Path, name: str, content: str) -> Path:
    path = folder / name
    path.write_text(content)
    return path


def scores(path: Path, **keys: str) -> dict[str, float]:
    chosen = ItemFile(file=path.name, **keys)
    return {item: found.score for item, found in read_items(path, chosen).items()}


def refusal(path: Path, **keys: str) -> str:
    """The one line that a file is refused with, without its folder."""
    with pytest.raises(CaduceusError) as caught:
        scores(path, **keys)
    line = str(caught.value)
    assert "\n" not in line
    return line.replace(f"{path.parent}/", "")


def samples(*lines: Mapping[str, Any]) -> str:
    return "".join(json.dumps(line) + "\n" for line in lines)


def sample(item: int, **given: Any) -> dict[str, Any]:
    """A line as lm-eval writes it."""
    metrics = [name for name in given if name not in ("filter", "doc")]
    about = {"doc_id": item, "target": "A", "doc_hash": f"hash of {item}", "filter": "none"}
    return about | {"doc": {"passage": item // 2}, "metrics": metrics} | given


def test_our_predictions_are_right_where_they_equal_the_label(tmp_path: Path) -> None:
    assert scores(write(tmp_path, "predictions.csv", OURS)) == {"0": 1, "1": 0, "2": 1}


@pytest.mark.parametrize(
    ("content", "keys"),
    [
        (
            "name,truth,guess\na,3,3.0\nb,7,1\n",
            {"id": "name", "label": "truth", "prediction": "guess"},
        ),
        ("id,correct\na,1\nb,0\n", {"score": "correct"}),
        ("id,correct\na,True\nb,false\n", {"score": "correct"}),
        ("id,filter,correct\na,x,1\nb,y,0\n", {"score": "correct"}),
        ("id,label,prediction\na,123456789012345678,123456789012345678\nb,nan,1e999\n", {}),
        ("id,label,prediction\na,nan,nan\nb,90071992547409930,90071992547409931\n", {}),
        (",id,correct\n0,a,1e0\n1,b,0.0\n", {"score": "correct"}),  # pandas with its index
        ("\ufeffid,label,prediction\r\na,cat,cat\r\n\r\nb,cat,dog \r\n", {}),  # as Excel does
    ],
)
def test_csv_of_others_is_read(tmp_path: Path, content: str, keys: dict[str, str]) -> None:
    assert scores(write(tmp_path, "p.csv", content), **keys) == {"a": 1, "b": 0}


@pytest.mark.parametrize(
    ("content", "keys", "message"),
    [
        ("", {}, "p.csv: it has no items"),
        ("id,score\n", {"score": "score"}, "p.csv: it has no items"),
        ("id,score\na,1\nb,0\na,1\n", {"score": "score"}, "p.csv:4: the id 'a' occurs twice"),
        ("id,score\na,1\n,0\n", {"score": "score"}, "p.csv:3: 'id' is missing"),
        ("id,score\na,1\nb,\n", {"score": "score"}, "p.csv:3: 'score' is missing"),
        ("id,score\na,1\nb,nan\n", {"score": "score"}, "p.csv:3: 'score' is nan"),
        ("id,score\na,1\nb,-inf\n", {"score": "score"}, "p.csv:3: 'score' is -inf"),
        ("id,score\na,1\nb,good\n", {"score": "score"}, "p.csv:3: 'score' is \"good\", not a num"),
        ("id,score\na,1\nb,1_0\n", {"score": "score"}, "p.csv:3: 'score' is \"1_0\", not a num"),
        ("id,score\na,1\nb,True\n", {"score": "score"}, "p.csv:3: 'score' is a boolean, but a nu"),
        ('id,score\n"a\n",1\n"b\n",x\n', {"score": "score"}, "p.csv:4: 'score' is \"x\""),
        ("id,score\na,1,2\n", {"score": "score"}, "p.csv:2: the row has 3 cells, not 2"),
        ("id,id\na,1\n", {"score": "score"}, "p.csv:1: two columns have the name 'id'"),
        ("id,acc\na,1\n", {"score": "ac"}, "p.csv: it has no 'ac', the `score` of its items"),
        ("id,acc\na,1\n", {}, "p.csv: it has no 'prediction' and no 'label' to tell whether an"),
        (
            "a;b\n1;2\n",
            {"score": "b"},
            "p.csv: it has no 'b', the `score` of its items; there are ",
        ),
        ("a,b\n1,2\n", {"score": "b"}, "p.csv: no key is an id of its items; name it"),
        ("id,item,s\n1,2,3\n", {"score": "s"}, "p.csv: 'id' and 'item' may be the id of its items"),
        (
            "id,label,prediction\n0,cat,1\n1,dog,0\n",
            {},
            "p.csv:2: 'prediction' is \"1\" and 'label'",
        ),
        (
            "id,label,prediction\n0,1,0.9\n1,0,0.1\n",
            {},
            "p.csv:2: 'prediction' is \"0.9\" and 'lab",
        ),
        ("id,label,prediction\n0,1,1\n1,0,\n", {}, "p.csv:3: 'prediction' is missing"),
        ("id,s,text\n0,1,\n", {"score": "s", "cluster": "text"}, "p.csv:2: 'text' is missing"),
        (
            "id,score\na,1\n",
            {"filter": "x"},
            "p.csv: no item has the filter 'x'; it has no key `fil",
        ),
    ],
)
def test_odd_csv_is_refused_by_its_line(
    tmp_path: Path, content: str, keys: dict[str, str], message: str
) -> None:
    assert refusal(write(tmp_path, "p.csv", content), **keys).startswith(message)


def test_csv_that_is_no_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_bytes(b"id,score\n\xff\xfe,1\n")
    assert refusal(tmp_path / "p.csv", score="score").startswith("p.csv: not CSV in UTF-8")


def test_a_cluster_and_what_is_right_are_read_with_the_score(tmp_path: Path) -> None:
    path = write(tmp_path, "p.csv", "id,text,label,prediction\na,x,3,3\nb,x,4,3\n")
    found = read_items(path, ItemFile(file="p.csv", cluster="text"))
    assert [(each.cluster, each.label, each.place) for each in found.values()] == [
        ("x", "3", "line 2"),
        ("x", "4", "line 3"),
    ]


def test_samples_of_lm_eval_have_the_score_of_the_chosen_filter(tmp_path: Path) -> None:
    lines = [
        sample(item, filter=name, exact_match=float(item == right))
        for name, right in (("strict-match", 0), ("flexible-extract", 1))
        for item in range(3)
    ]
    path = write(tmp_path, "samples_gsm8k_2026-01-01T00-00-00.jsonl", samples(*lines))
    assert scores(path, filter="strict-match") == {"0": 1, "1": 0, "2": 0}
    assert scores(path, filter="flexible-extract") == {"0": 0, "1": 1, "2": 0}
    assert refusal(path) == (
        f"{path.name}: each item occurs once for each filter: strict-match, flexible-extract; "
        "choose one, such as `items: {filter: strict-match}`"
    )
    assert "'strict', did you mean 'strict-match'?; there are" in refusal(path, filter="strict")

    logged = write(tmp_path, "gsm8k_eval_samples.json", json.dumps(lines, indent=2))
    assert scores(logged, filter="strict-match") == {"0": 1, "1": 0, "2": 0}


def test_of_several_metrics_of_lm_eval_one_is_chosen(tmp_path: Path) -> None:
    lines = [sample(0, acc=1.0, acc_norm=0.0), sample(1, acc=0.0, acc_norm=0.0)]
    path = write(tmp_path, "s.jsonl", samples(*lines))
    assert scores(path, score="acc") == {"0": 1, "1": 0}
    assert refusal(path).endswith(
        "it has 2 scores, acc, acc_norm; choose one, such as `items: {score: acc}`"
    )
    found = read_items(path, ItemFile(file="s.jsonl", score="acc", cluster="doc.passage"))
    assert [(each.cluster, each.label) for each in found.values()] == [
        ("0", "hash of 0"),
        ("0", "hash of 1"),
    ]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            samples(sample(0, acc=1), sample(0, acc=1)),
            "s.jsonl:2: the id '0' occurs twice, first in",
        ),
        (samples(sample(0, acc=1), sample(1, acc=float("nan"))), "s.jsonl:2: 'acc' is nan"),
        (samples(sample(0, acc=1), sample(1, acc=10**400)), "s.jsonl:2: 'acc' is inf"),
        (samples(sample(0, acc=1), sample(1, acc=None)), "s.jsonl:2: 'acc' is missing"),
        (samples(sample(0, acc=[-3.5, 7])), "s.jsonl:1: 'acc' is [-3.5,7], not a number"),
        (samples(sample(0, acc=1), sample(1, acc=True)), "s.jsonl:2: 'acc' is a boolean, but a nu"),
        (
            samples(sample(0, acc=1), sample(1, acc=1) | {"doc_id": "1"}),
            "s.jsonl:2: 'doc_id' is text, but a whole number in line 1",
        ),
        (
            samples(sample(0, acc=1) | {"doc_id": 0.5}),
            "s.jsonl:1: 'doc_id' is 0.5, not text or a wh",
        ),
        (samples(sample(0, acc=1)) + "{\n", "s.jsonl:2: not JSON (Expecting property name"),
        (samples(sample(0, acc=1)) + "3\n", "s.jsonl:2: 3 isn't an object; an item is one"),
        ("[1,\n2", "s.jsonl:2: not JSON"),
        ('{"doc_id": 1' + 5_000 * "0" + "}", "s.jsonl: not JSON in UTF-8 (ValueError)"),
        ("\n", "s.jsonl: it has no items"),
        ("[]", "s.jsonl: it has no items"),
    ],
)
def test_odd_samples_are_refused_by_their_line(tmp_path: Path, content: str, message: str) -> None:
    assert refusal(write(tmp_path, "s.jsonl", content)).startswith(message)


def test_a_line_separator_inside_of_text_ends_no_line(tmp_path: Path) -> None:
    line = json.dumps(sample(0, acc=1) | {"target": "a\u2028b"}, ensure_ascii=False)
    assert scores(write(tmp_path, "s.jsonl", line)) == {"0": 1}


def summary(*artifacts: tuple[str, Sequence[str]]) -> Summary:
    """The export of a run that logged these artifacts with these files."""
    about = {"type": "results", "digest": "0", "aliases": (), "metadata": {}}
    logged = tuple(
        ExportedArtifact(
            name=name, files={file: ArtifactFile(bytes=1, md5="") for file in files}, **about
        )
        for name, files in artifacts
    )
    names = ("run_id", "name", "entity", "project", "group", "job_type", "notes", "state")
    values: dict[str, Any] = dict.fromkeys(names, "x")
    unknown = dict.fromkeys(("experiment", "variant", "seed"))
    return Summary(**values, **unknown, tags=(), config={}, summary={}, artifacts=logged)


def test_the_file_is_found_in_the_artifacts_by_a_pattern(tmp_path: Path) -> None:
    path = tmp_path / "artifacts/results-1/lm/samples_arc_12.jsonl"
    path.parent.mkdir(parents=True)
    path.touch()
    logged = summary(("model-1", ["m.pt"]), ("results-1", ["lm/samples_arc_12.jsonl", "p.csv"]))
    assert find_items(tmp_path, logged, ItemFile(file="lm/samples_arc_*.jsonl")) == path


@pytest.mark.parametrize(
    ("chosen", "message"),
    [
        (
            ItemFile(file="q.csv"),
            "no artifact of the run has 'q.csv'; there are p.csv in a, p.csv in b",
        ),
        (
            ItemFile(file="p.csv"),
            "'p.csv' matches several files: p.csv in a, p.csv in b; name the `ar",
        ),
        (
            ItemFile(file="p.csv", artifact="c*"),
            "no artifact of the run has 'p.csv' in 'c*'; there a",
        ),
        (
            ItemFile(file="p.csv", artifact="a"),
            "missing, though the run logged it; delete the run's",
        ),
    ],
)
def test_a_file_that_no_artifact_has_is_refused(
    tmp_path: Path, chosen: ItemFile, message: str
) -> None:
    logged = summary(("a", ["p.csv"]), ("b", ["p.csv"]))
    with pytest.raises(CaduceusError, match=re.escape(message)):
        find_items(tmp_path, logged, chosen)
    with pytest.raises(CaduceusError, match="it logged no artifacts"):
        find_items(tmp_path, summary(), chosen)
