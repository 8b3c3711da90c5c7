"""A run as one row of a table: its identity, parameters and results."""

from caduceus.io.files import Json
from caduceus.runs.files.export import Summary
from caduceus.runs.files.train import Train
from caduceus.runs.variants import leaves

ABOUT_RUN = ("run", "name", "experiment", "type", "variant", "seed", "state", "error")


def run_row(summary: Summary, train: Train | None, kind: str | None) -> dict[str, Json]:
    """Return a run as one row, with its parameters as config.* and its results as summary.*.

    Args:
        summary: run_summary.json.
        train: train.json; None of a remote run.
        kind: the type of its experiment.
    """
    return {
        "run": summary.run_id,
        "name": summary.name or None,  # empty in W&B's logs if the run has none
        "experiment": summary.experiment,
        "type": kind,
        "variant": summary.variant or None,
        "seed": summary.seed,
        "state": summary.state,
        "error": train.error if train else None,
        **{f"config.{name}": value for name, value in leaves(summary.config)},
        **{f"summary.{name}": value for name, value in leaves(summary.summary)},
        "git_commit": summary.git.commit or None,
        "host": summary.host,
        "started_at": summary.started_at,
        "runtime_s": summary.runtime_s,
    }
