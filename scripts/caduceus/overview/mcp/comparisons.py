"""Variants and runs beside each other, never without what so few seeds can say."""

from pathlib import Path
from typing import Any, Literal

from caduceus.overview.mcp.answers import Answer, page

Goal = Literal["maximize", "minimize"]

_FAMILY = (
    "p is corrected for the comparisons of this answer alone; each further question to the same "
    "runs makes a wrong verdict likelier: write what matters under `paper.claims`"
)


def compare_groups(
    results: Path,
    metric: str,
    experiment: str | None = None,
    group: str | None = None,
    variants: list[str] | None = None,
    baseline: str | None = None,
    goal: Goal | None = None,
    at: int | None = None,
    best_by: dict[str, str] | None = None,
    offset: int = 0,
    limit: int = 20,
) -> Answer:
    """Which variants differ in a metric, and whether it is noise: paired by seed where seeds match.

    Compared with a baseline if there is one (named here, the experiment's own, or the first of two
    variants), else with the best. Refused where a variant has a single run.

    Args:
        metric: as runs log it, such as test/accuracy.
        experiment: id of an experiment; by default all that no sweep makes.
        group: a W&B group.
        variants: names of variants, such as "rate=0.1", or "rate=0.1 of EXPERIMENT" where several
            experiments have it; by default all.
        baseline: the variant that the others are compared with.
        goal: maximize or minimize; by default what the experiment says.
        at: take the metric at this step, not at the end.
        best_by: take it where another is best: {"name": "val/loss", "goal": "minimize"}.
        offset: how many comparisons to pass over.
        limit: how many comparisons at most.

    Returns:
        variants with n, seeds, mean, std, low and high (interval of the mean); comparisons of a
        variant with another: effect (its mean less the other's) with low and high, n (pairs, or
        runs), p, adjusted_p (Holm), minimum_p (the least that so many runs can give), effect_size,
        improvement (the probability that a run of it has the greater value), verdict (better,
        worse, within noise, not enough runs; higher or lower without a goal), runs_that_would_do;
        conclusion, method, and left_out, runs that don't count.
    """
    from caduceus.overview.mcp import group_comparison
    from caduceus.overview.mcp import variants as choosing

    asked = choosing.metric_of(metric, goal, at, best_by)
    chosen = choosing.choose_variants(results, experiment, group, variants)
    found = group_comparison.weigh_variants(chosen, asked, baseline, results)
    about: Answer = {"metric": {k: v for k, v in asked.items() if k != "goal"}, "goal": found.goal}
    about |= {"variants": found.variants}
    return (
        about
        | page("comparisons", found.comparisons, offset, limit)
        | {"conclusion": found.conclusion, "method": f"{found.method}; {_FAMILY}"}
        | {"left_out": chosen.left_out}
    )


def compare_runs(results: Path, runs: list[str], metrics: list[str] | None = None) -> Answer:
    """Runs side by side: what differs in parameters, code and results, and what that can say.

    Args:
        runs: ids of 2 to 10 runs.
        metrics: of their summaries; by default those that judge their experiments.

    Returns:
        runs with their metrics; parameters_that_differ and made_of_that_differs, in the order of
        the runs. Of runs of one variant, spread: how far seeds lie apart. Of several variants,
        comparisons with the first run's, as compare_groups has them, of these runs alone: single
        runs give the verdict "not enough runs".
    """
    from caduceus.overview.mcp import run_comparison

    found: dict[str, Any] = run_comparison.compare(results, runs, metrics)
    return found
