from collections.abc import Iterator
from pathlib import Path

import pytest
from board_server import Server, board_server
from growing_runs import Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    found = Results(tmp_path)
    found.plan({"r1": ("a", 0), "r2": ("a", 1), "r3": ("b", 0)})
    return found


@pytest.fixture
def server(results: Results) -> Iterator[Server]:
    with board_server(results) as found:
        yield found
