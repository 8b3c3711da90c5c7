"""The tools that compare variants or runs, always with the uncertainty of few seeds."""

from pathlib import Path
from typing import Any, Literal

from caduceus.overview.mcp.answers import Answer, page

Goal = Literal["maximize", "minimize"]

_FAMILY = (
    "p is corrected for the comparisons of this answer only; each further comparison of the same "
    "runs makes a wrong verdict more likely: write what matters under `paper.claims`"
)


def compare_groups(
    results: Path,
    metric: str,
    experiment: str | None = None,
    group: str | None = None,
    variants: list[str] | None = None,
    baseline: str | None = None,
    goal: Goal | None = None,
    at: float | dict[str, float] | None = None,
    best_by: dict[str, str] | None = None,
    offset: int = 0,
    limit: int = 20,
) -> Answer:
    """Compare variants in a metric, and say whether differences are noise; paired by seed.

    Variants are compared with the reference variant if there is one (named here, the experiment's
    own, or the first of two variants), else with the best. Refused if a variant has one run only.

    Args:
        metric: its logged name, such as test/accuracy.
        experiment: id of an experiment; by default all except sweeps.
        group: a W&B group.
        variants: names of variants, such as "rate=0.1", or "rate=0.1 of EXPERIMENT" where several
            experiments have it; by default all.
        baseline: the reference variant, with which the others are compared.
        goal: maximize or minimize; by default the experiment's.
        at: take the metric at this step instead of at the end; {"global_step": 1000} names an axis,
            by default the one that the runs declare for the metric, else _step.
        best_by: take it where another metric is best: {"name": "val/loss", "goal": "minimize"}.
        offset: how many comparisons to skip.
        limit: how many comparisons at most.

    Returns:
        variants with n, seeds, mean, std, low and high (interval of the mean); comparisons of a
        variant with another: effect (its mean less the other's) with low and high, n (pairs, or
        runs), p, adjusted_p (Holm), minimum_p (the smallest that so many runs can give),
        effect_size, improvement (the probability that a run of it has the greater value),
        verdict (better, worse, within noise, not enough runs, no verdict; higher or lower without a
        goal), runs_that_would_do; conclusion, method, and left_out, the runs that weren't used;
        notes on seeds with equal rows, which may count as one.
    """
    from caduceus.overview.mcp import group_comparison
    from caduceus.overview.mcp import variants as choosing
    from caduceus.overview.paper_methods import paper_methods

    wanted = choosing.metric_of(metric, goal, at, best_by)
    chosen = choosing.choose_variants(results, experiment, group, variants, paper_methods(results))
    choosing.check_metric_place(wanted, chosen)
    found = group_comparison.compare_variants(chosen, wanted, baseline, results)
    place = {key: value for key, value in wanted.to_json().items() if key != "goal"}
    about: Answer = {"metric": place, "goal": found.goal}
    about |= {"variants": found.variants}
    return (
        about
        | page("comparisons", found.comparisons, offset, limit)
        | {"conclusion": found.conclusion, "method": f"{found.method}; {_FAMILY}"}
        | {"left_out": chosen.left_out, "notes": chosen.notes}
    )


def compare_runs(results: Path, runs: list[str], metrics: list[str] | None = None) -> Answer:
    """Compare runs side by side: parameters, code, results, and what these can show.

    Args:
        runs: ids of 2 to 10 runs.
        metrics: metrics of their summaries; by default their experiments' metrics.

    Returns:
        runs with their metrics; parameters_that_differ and made_of_that_differs, in the order of
        the runs. For runs of one variant, spread: how much seeds vary. For several variants,
        comparisons with the first run's variant as in compare_groups, but of these runs only:
        single runs give the verdict "not enough runs". notes on seeds with equal rows.
    """
    from caduceus.overview.mcp import run_comparison

    found: dict[str, Any] = run_comparison.compare(results, runs, metrics)
    return found
