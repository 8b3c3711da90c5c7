"""Code that changes the environment, and code that only reads it."""

from pathlib import Path

import pytest
from caduceus.system.preloading.environment_changes import environment_change

READS = """import os
from os import environ
a = os.environ["A"], environ.get("B"), "C" in os.environ, dict(os.environ, C="1")
b = {**os.environ, "D": "2"}, os.environ | {"D": "2"}, os.environ.copy()
for name in os.environ:
    pass
c = [name for name in environ]
"""


@pytest.mark.parametrize(
    "line",
    [
        'os.environ["A"] = "1"',
        'os.environ["A"] += "1"',
        'os.environ |= {"A": "1"}',
        'del os.environ["A"]',
        'os.environ.setdefault("A", "1")',
        'os.environ.update(A="1")',
        'os.environ.pop("A")',
        'os.putenv("A", "1")',
        'os.environb[b"A"] = b"1"',
        "variables = os.environ",
        "change(os.environ)",
        "from os import environ as variables",
        "from os import putenv as put",
        "from dotenv import load_dotenv",
        'def set_up():\n    environ["A"] = "1"',
    ],
)
def test_a_change_is_found_by_file_and_line(line: str, tmp_path: Path) -> None:
    tmp_path.joinpath("reads.py").write_text(READS)
    tmp_path.joinpath("broken.py").write_text("os.environ['A'] = (")
    assert environment_change(tmp_path) is None
    tmp_path.joinpath("package").mkdir()
    tmp_path.joinpath("package/change.py").write_text(f"{READS}{line}\n")
    last = READS.count("\n") + 1 + line.count("\n")
    assert environment_change(tmp_path) == f"package/change.py:{last}"
