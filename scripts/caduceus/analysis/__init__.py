"""Results as pandas tables: `from caduceus.analysis import load_runs, load_history, load_sweep`.

| | |
|---|---|
| `load_runs` | a row for each run: who it is, its parameters, results and cost |
| `load_history` | every row that runs have logged, exactly |
| `load_sweep` | a row for each trial of a sweep |

All read results/ as docs/analyst.md shows; none writes anything or asks a server.
"""

from caduceus.analysis.loading import load_history, load_runs, load_sweep

__all__ = ["load_history", "load_runs", "load_sweep"]
