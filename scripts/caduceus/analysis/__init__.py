"""Results as pandas tables: `from caduceus.analysis import load_runs, load_history, load_sweep`.

| | |
|---|---|
| `load_runs` | a row for each run: its identity, parameters, results and cost |
| `load_history` | every row that runs have logged, unchanged |
| `load_table` | the rows of the tables that runs have logged, with the paths of their pictures |
| `load_sweep` | a row for each trial of a sweep |

They read results/, write nothing and use no network; docs/analyst.md shows how to use them.
"""

from caduceus.analysis.loading import load_history, load_runs, load_sweep
from caduceus.analysis.logged_tables import load_table

__all__ = ["load_history", "load_runs", "load_sweep", "load_table"]
