"""Guesses of a new project's metric, seeds and first comparison, from the code of its program."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from caduceus.io.phrases import count_of
from caduceus.project.program_facts import ProgramFacts

Goal = Literal["minimize", "maximize"]
SEEDS = (0, 1, 2, 3, 4, 5)  # five can't decide a comparison in pairs

_LOSSES = {"loss", "nll", "ce", "bce"}
_MINIMIZE = _LOSSES | {
    *("error", "err", "perplexity", "ppl", "mse", "rmse", "mae", "mape", "regret", "distance"),
    *("wer", "cer", "fid", "bpb", "bpc", "ece", "brier"),
}
_MAXIMIZE = {
    *("acc", "accuracy", "f1", "reward", "rewards", "rew", "return", "returns", "score", "auc"),
    *("auroc", "precision", "recall", "map", "bleu", "rouge", "iou", "miou", "dice", "r2", "psnr"),
    *("ssim", "ndcg", "mrr", "success", "elbo", "top1", "winrate"),
}
# Words of what belongs to a metric, or to its making, and isn't one.
_OTHER = {
    *("scale", "weight", "coef", "coefficient", "lr", "time", "seconds", "step", "steps", "epoch"),
    *("count", "num", "std", "var", "norm", "grad", "target", "neg"),
}
_SPLITS = (
    {"val", "valid", "validation", "dev", "eval", "evaluation"},
    {"test", "holdout"},
    set[str](),
    {"train", "training"},
)
_RATES = ("lr", "learning_rate", "learningrate", "step_size", "eta")
_SEEDS = ("seed", "random_seed", "rng_seed", "manual_seed", "manualseed", "random_state")
_WORD = re.compile(r"[A-Z]+(?![a-z])\d*|[A-Z]?[a-z]+\d*")


@dataclass(frozen=True)
class Guesses:
    """Guesses of what a program of this kind is likely to need.

    Attributes:
        metric: the name of the metric, and whether less is better.
        has_curve: whether the metric is logged row by row.
        seed_argument: the name of the option that takes the seed, None for none.
        takes_seed: whether the program takes a seed, by an option or otherwise.
        logs_metrics: whether its code names metrics that it logs.
        parameter: the learning rate's name, with the program's own value and a third of it.
    """

    metric: tuple[str, Goal] | None
    has_curve: bool
    seed_argument: str | None
    takes_seed: bool
    logs_metrics: bool
    parameter: tuple[str, float, float] | None


def guess(facts: ProgramFacts) -> Guesses:
    """Guess what an experiment with this program needs."""
    metric = guess_metric(facts)
    taken = facts.options if facts.style == "options" else {}
    seed = next((name for name in taken if _plain(name) in _SEEDS), None)
    has_seed = facts.reads_seed or (facts.style == "none" and "seed" in facts.settings)
    settings = taken if facts.style == "options" else facts.settings
    return Guesses(
        metric=metric,
        has_curve=metric is not None and metric[0] not in facts.summarised,
        seed_argument=seed,
        takes_seed=seed is not None or has_seed,
        logs_metrics=bool(facts.logged),
        parameter=_parameter(settings if facts.style in ("options", "none") else {}),
    )


def described(guesses: Guesses) -> list[str]:
    """Return a line for each guess, and the number of runs."""
    metric, parameter = guesses.metric, guesses.parameter
    seeds = len(SEEDS) if guesses.takes_seed else 1
    values = f"{parameter[0]} {parameter[1]} and {parameter[2]}" if parameter else "none"
    runs = seeds * (2 if parameter else 1)
    return [
        f"metric: {', '.join(metric) if metric else 'none found' + _unlogged(guesses)}",
        f"variants: {values}",
        f"seeds: {seeds if guesses.takes_seed else 'none, as no argument for one was found'}",
        f"so {count_of(runs, 'run')}",
    ]


def _unlogged(guesses: Guesses) -> str:
    """Return what to do about a program whose code logs no metric; empty if it logs some."""
    if guesses.logs_metrics:
        return ""
    return (
        "; the program logs none by name: if it doesn't use wandb, add `wandb.init()` and "
        '`wandb.log({"loss": loss})`'
    )


def guess_metric(facts: ProgramFacts) -> tuple[str, Goal] | None:
    """Return the metric that a paper would most likely show, and its goal.

    Metrics of validation come before those of a test and those of training; among them what is
    logged row by row, and what isn't a loss; then the first in the code.
    """
    found = [
        (name, goal) for name in facts.logged if (goal := facts.goals.get(name) or goal_of(name))
    ]
    return min(
        found,
        key=lambda each: (
            _split(each[0]),
            each[0] in facts.summarised,
            not _LOSSES.isdisjoint(_words(each[0])),
            "best" in _words(each[0]),
        ),
        default=None,
    )


def goal_of(name: str) -> Goal | None:
    """Return the goal that the words of a metric's name suggest; the last such word counts."""
    words = _words(name)
    if not _OTHER.isdisjoint(words):
        return None
    goals = {**dict.fromkeys(_MINIMIZE, "minimize"), **dict.fromkeys(_MAXIMIZE, "maximize")}
    found = [goals[word] for word in words if word in goals and word != "score"]  # brier_score
    if not found:
        return "maximize" if "score" in words else None
    return "minimize" if found[-1] == "minimize" else "maximize"


def _words(name: str) -> list[str]:
    """Return the words of a name, without the number that ends one: `acc1` has the word acc."""
    words = [word.lower() for word in _WORD.findall(name)]
    known = _MINIMIZE | _MAXIMIZE
    return [word if word in known else word.rstrip("0123456789") for word in words]


def _split(name: str) -> int:
    words = _words(name)
    return next((i for i, split in enumerate(_SPLITS) if not split.isdisjoint(words)), 2)


def _parameter(options: Mapping[str, float | None]) -> tuple[str, float, float] | None:
    """Return the learning rate, its default and a third of it, of one digit."""
    for name, default in options.items():
        if _plain(name) in _RATES and default and default > 0:
            return name, default, float(f"{default / 3:.1g}")
    return None


def _plain(name: str) -> str:
    return name.replace("-", "_").lower()
