"""Whatever is logged by the real SDK comes back from its log, to the last bit."""

import json
import math
import pickle
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from caduceus.wandb_log import Row, read_log
from caduceus.wandb_log.columns import iter_batches
from caduceus.wandb_log.records import metric_name
from caduceus.wandb_log.segments import Segment
from hypothesis import given, settings
from hypothesis import strategies as st

LOG = """
import pickle, sys, wandb
with wandb.init(mode="offline", project="p", id="abc") as run:
    for row in pickle.load(open(sys.argv[1], "rb")):
        run.log(row)
"""
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
names = st.text("ab./é ", min_size=1, max_size=8)  # W&B keeps names that begin with _ to itself
numbers = st.integers(-(2**63), 2**63 - 1) | st.floats() | st.booleans()
values = st.recursive(
    numbers | texts | st.none() | st.lists(numbers | texts, max_size=5),
    lambda below: st.dictionaries(names, below, min_size=1, max_size=3),
    max_leaves=4,
)
rows = st.lists(st.dictionaries(names, values, min_size=1, max_size=5), min_size=1, max_size=40)


def leaves(value: Any, keys: list[str]) -> dict[str, Any]:
    """A nested value as W&B flattens it: a metric for each leaf."""
    if not isinstance(value, dict):
        return {metric_name(keys): value}
    return {k: v for name, below in value.items() for k, v in leaves(below, [*keys, name]).items()}


def is_same(logged: Any, read: Any) -> bool:
    if isinstance(logged, list):
        return len(logged) == len(read) and all(map(is_same, logged, read))
    if isinstance(logged, float) and math.isnan(logged):
        return isinstance(read, float) and math.isnan(read)
    if isinstance(logged, bool) or logged is None or isinstance(logged, str):
        return type(logged) is type(read) and logged == read
    return not isinstance(read, bool) and logged == read  # 1.0 is logged as 1


@given(rows)
@settings(max_examples=3, deadline=None)
def test_every_value_comes_back(logged: list[dict[str, Any]]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "rows").write_bytes(pickle.dumps(logged))
        command = [sys.executable, "-c", LOG, "rows"]
        subprocess.run(command, cwd=folder, check=True, capture_output=True)
        (path,) = folder.glob("wandb/offline-run-*/*.wandb")
        found = read_log(path).history
        batches = iter_batches(Segment(path))
        by_columns: list[Row] = [b.row(index) for b in batches for index in range(b.rows)]
    assert by_columns == found
    assert len(found) == len(logged)
    for row, known in zip(found, logged, strict=True):
        read = {name: json.loads(text) for name, text in row.items() if name[0] != "_"}
        expected = leaves(known, [])
        assert read.keys() == expected.keys()
        for name, value in expected.items():
            assert is_same(value, read[name]), (name, value, row[name])
