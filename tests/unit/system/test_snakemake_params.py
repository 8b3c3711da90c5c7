"""Params as texts: Snakemake's own, without an import of pandas."""

import subprocess
import sys

import pytest

CODE = """
import sys
from snakemake.persistence.file import FilePersistence
from caduceus.system.snakemake_params import compare_without_pandas
records = FilePersistence.__new__(FilePersistence)
usual = FilePersistence._serialize_param_pandas
compare_without_pandas()
compare_without_pandas()
light = FilePersistence._serialize_param_pandas
values = ["a", 1, [1, "b"], {"c": None}, 2.5]
texts = [light(records, value) for value in values]
assert "pandas" not in sys.modules
assert texts == [usual(records, value) for value in values]
import pandas
table = pandas.DataFrame({"a": [1, 2]})
assert light(records, table) == usual(records, table) != light(records, table + 1)
"""


@pytest.mark.slow
def test_a_param_has_the_same_text_and_pandas_stays_out() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
