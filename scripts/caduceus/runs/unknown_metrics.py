"""The messages on metrics that no run logged, which all that shows metrics shares."""

from collections.abc import Iterable

from caduceus.io.phrases import listed, pasted
from caduceus.io.validation import suggestion
from caduceus.io.yaml_files import shortened
from caduceus.runs.metric import Metric

_SHOWN = 12  # names in a message
_NOT_OWN = ("_", "system/", "visualizations/")  # what wandb and our helpers log by themselves

# Values that `define_metric` takes for `summary`. With one of them a run's summary has METRIC.VALUE
# in place of METRIC.
_KEPT = ("min", "max", "mean", "best", "last", "first")


def no_run_logged(metric: str, logged: Iterable[str]) -> str:
    """Return the message that no run logged a metric: what they logged, and what is similar."""
    return f"no run logged metric {pasted(shortened(metric))}; {logged_instead(metric, logged)}"


def logged_instead(metric: str, logged: Iterable[str]) -> str:
    """Return "logged are: a, b and 3 more; did you mean 'b'?" on the metrics that runs logged.

    Args:
        metric: the metric that was expected.
        logged: the names that runs logged; a longer list is cut.
    """
    names = list(dict.fromkeys(logged))
    own = [shortened(name) for name in names if not name.startswith(_NOT_OWN)]
    shown = f"logged are: {listed(own, _SHOWN)}" if own else "nothing is logged"
    return "; ".join(filter(None, [shown, suggestion(metric, names).removeprefix(", ")]))


def no_number(metric: Metric, logged: Iterable[str], place: str = "") -> str:
    """Return the message for a metric of which no finished run has a number.

    Args:
        metric: the metric, and where in a run it is taken.
        logged: the names that the runs logged, in their rows or their summaries.
        place: where it was looked for, if that isn't the summary or the best of another metric.
    """
    names = list(logged)
    for name in (metric.name, *([metric.best_by.name] if metric.best_by else [])):
        if name not in names:
            return no_run_logged(name, names)
    if metric.best_by:
        place = f"where {pasted(metric.best_by.name)} is best"
    said = f"no finished run has a number of metric {pasted(metric.name)}"
    if place:
        return f"{said} {place}"
    kept = [name for kind in _KEPT if (name := f"{metric.name}.{kind}") in names]
    instead = f"; by define_metric it has {', '.join(map(pasted, kept))}: name that"
    return f"{said} in its summary{instead if kept else ''}"
