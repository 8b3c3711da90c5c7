"""Parse W&B's sweep configuration, in the form that W&B takes.

Keys are documented at https://docs.wandb.ai/models/sweeps/sweep-config-keys. Where that page is
silent or wrong, W&B's package `sweeps` 0.3.0 decides.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from caduceus.errors import SpecError
from caduceus.io.validation import Where, brief, schema_keys, suggestion, validate
from caduceus.runs import command_line
from caduceus.runs.goal import Goal
from caduceus.sweeps.distribution_specs import CLEAR_KEYS, KEYS, error_at
from caduceus.sweeps.hyperband import HyperbandSettings, rungs
from caduceus.sweeps.parameters import read_space
from caduceus.sweeps.seeds import SEED, DrawnSeeds, read_seeds
from caduceus.sweeps.spaces import Space

# Keys that need features of W&B's server.
_REFUSED = {
    "job": "jobs of W&B Launch aren't supported; set a `program` instead",
    "image_uri": "images of W&B Launch aren't supported; set a `program` instead",
    "scheduler": "other schedulers aren't supported; remove it and choose a `method`",
    "metrics": "only one metric is supported; write it under `metric`",
}


@dataclass(frozen=True)
class SweepConfig:
    """A sweep's configuration with every default of W&B filled in.

    Attributes:
        method: how parameters are chosen.
        metric_name: the metric to optimize; never None if `method` is "bayes" or runs are stopped
            early.
        goal: which values are best.
        target: the value that ends the sweep.
        impute: the value that a failed run counts with in method bayes.
        space: the parameters, without `seed`.
        early_terminate: the settings of hyperband, if runs are stopped early.
        run_cap: the maximal number of runs.
        program: the training program.
        command: the command line that starts it, with W&B's macros.
        name: what W&B calls the sweep.
        description: notes.
        project: of W&B.
        entity: of W&B.
        raw: the configuration as given, without keys that start with x-, which hold anchors.
        seeds: those of the parameter `seed`, which is none of `space`; None if it lists none.
        drawn_seeds: what draws a seed for each trial by this parameter; None if it doesn't.
        where: finds the file and line of a key in it.
    """

    method: Literal["grid", "random", "bayes"]
    metric_name: str | None
    goal: Goal
    target: float | None
    impute: Literal["latest", "best", "worst"]
    space: Space
    early_terminate: HyperbandSettings | None
    run_cap: int | None
    program: str | None
    command: tuple[Any, ...] | None
    name: str | None
    description: str | None
    project: str | None
    entity: str | None
    raw: Mapping[str, Any]
    seeds: tuple[int, ...] | None
    drawn_seeds: DrawnSeeds | None
    where: Where = field(compare=False, repr=False)


def read_config(value: Any, where: Where) -> SweepConfig:
    """Validate and parse a sweep configuration.

    Args:
        value: the content of the user's file, or of a part of it.
        where: finds the file and line of a key, for the message.

    Raises:
        SpecError: the first thing that is wrong.
    """
    if isinstance(value, dict):
        value = {key: item for key, item in value.items() if not str(key).startswith("x-")}
        _check_places(value, where)
    spec = validate(value, "sweep", where)
    metric = spec.get("metric")
    for key in ("method", "early_terminate"):
        if metric is None and (spec[key] == "bayes" if key == "method" else key in spec):
            who = "method bayes" if key == "method" else key
            raise SpecError(
                f"missing key 'metric': add it, {who} needs a metric such as "
                "{name: val/loss, goal: minimize}",
                where([key]),
            )
    wrong = command_line.wrong_word(spec.get("command", []))
    if wrong:
        raise SpecError(
            f"command: found {wrong}, allowed: {command_line.ALLOWED}", where(["command"])
        )
    seeds, drawn_seeds = read_seeds(spec["parameters"], spec["method"], where)
    parameters = spec["parameters"]
    if seeds is not None or drawn_seeds is not None:
        parameters = {name: item for name, item in parameters.items() if name != SEED}
    return SweepConfig(
        method=spec["method"],
        metric_name=metric and metric["name"],
        goal=Goal(metric["goal"]) if metric else Goal.MINIMIZE,
        target=metric and metric.get("target"),
        impute=metric["impute"] if metric else "worst",
        space=read_space(parameters, spec["method"], where),
        early_terminate=_read_hyperband(spec, where),
        run_cap=int(spec["run_cap"]) if "run_cap" in spec else None,  # the schema accepts 20.0 too
        program=spec.get("program"),
        command=tuple(spec["command"]) if "command" in spec else None,
        name=spec.get("name"),
        description=spec.get("description"),
        project=spec.get("project"),
        entity=spec.get("entity"),
        raw=value,
        seeds=seeds,
        drawn_seeds=drawn_seeds,
        where=where,
    )


def _check_places(value: dict[Any, Any], where: Where) -> None:
    """Refuse keys at a wrong indentation, and say which is right."""
    keys = schema_keys("sweep")
    sections = {name: schema_keys("sweep", name) for name in ("metric", "early_terminate")}
    for key, item in value.items():
        if key in keys:
            continue
        message = _REFUSED.get(key)
        owner = next((name for name, known in sections.items() if key in known), None)
        if owner:
            message = f"is a key of `{owner}`: indent it below that"
        elif key in KEYS and not isinstance(item, dict):
            message = "is a key of a parameter: indent it below one under `parameters`"
        elif isinstance(item, dict) and set(item) & set(CLEAR_KEYS) and not suggestion(key, keys):
            message = "is a parameter: indent it below `parameters`"
        if message:
            raise error_at([key], message, where)
    for name, known in sections.items():
        for key in value[name] if isinstance(value.get(name), dict) else ():
            if key in keys and key not in known:
                message = f"belongs beside `{name}`, not below it: remove its indentation"
                raise error_at([name, key], message, where)


def _read_hyperband(spec: Mapping[str, Any], where: Where) -> HyperbandSettings | None:
    """Parse `early_terminate`; None if it isn't given."""
    given = spec.get("early_terminate")
    if given is None:
        return None
    if "max_iter" in given and "s" not in given:
        raise SpecError(
            "missing key 's' in 'early_terminate': add it, the number of rungs below max_iter",
            where(["early_terminate", "max_iter"]),
        )
    whole = {key: int(given[key]) for key in ("min_iter", "max_iter", "s") if key in given}
    settings = HyperbandSettings(
        **whole, eta=given["eta"], strict=given["strict"], axis=given["axis"]
    )
    if not rungs(settings):
        raise SpecError(
            f"early_terminate: found max_iter {brief(settings.max_iter)} and eta "
            f"{brief(settings.eta)}, which give no rung of at least 1 row; raise max_iter or lower "
            "eta",
            where(["early_terminate", "max_iter"]),
        )
    return settings
