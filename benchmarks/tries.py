"""How often tries are kept though they aren't better, and found if they are, by simulation.

    python benchmarks/tries.py [--ledgers 1000] [--tries 200]

Plays ledgers of tries under the rule of `caduceus.statistics.tries` and under simpler ones, side by
side, and prints the tables of workflow/STATISTICS.md. All tries of a ledger share the incumbent's
values, and a try that is kept is the next incumbent, with the values for which it was kept. Effects
are in standard deviations of a paired difference. Takes ten minutes on a busy core.

`tries_mnist1d.csv` has the accuracies that the shipped program reached on MNIST-1D in 85 runs, with
up to 31 seeds at each of three learning rates (`train_mnist1d.py --architecture=cnn --epochs=50`,
from a matrix, torch 2.13 on an AMD EPYC). The shape of their distribution is used: the seed, which
explains half of their variance, cancels in paired differences.
"""

import argparse
import csv
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache, partial
from pathlib import Path

import numpy as np
from caduceus.statistics.tries import (
    Design,
    Outcome,
    Step,
    next_step,
    paired_differences,
    screening_seeds,
    spread_of_differences,
)
from numpy.random import Generator
from verdicts import percent, show

MEASURED = Path(__file__).with_name("tries_mnist1d.csv")
POOL = 24  # runs of an incumbent on which tries are screened, the latest
REMEMBERED = 30  # tries whose differences show the spread, the latest

Noise = Callable[[Generator, tuple[int, ...]], np.ndarray]


@cache
def accuracies() -> np.ndarray:
    """Return the measured accuracies in test items, each less the mean of its learning rate."""
    groups = defaultdict(list)
    with MEASURED.open() as stream:
        for row in csv.DictReader(stream):
            groups[row["learning_rate"]].append(round(1000 * float(row["test/accuracy_selected"])))
    return np.concatenate([np.array(group) - round(np.mean(group)) for group in groups.values()])


def measured(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    return generator.choice(accuracies(), shape) / (2**0.5 * accuracies().std())


def skewed(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """A long tail of bad runs: the negative of lognormal values."""
    values = np.exp(0.5) - generator.lognormal(size=shape)
    return values / np.sqrt(2 * (np.e - 1) * np.e)


def collapsing(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal runs, of which one in ten is worse by ten."""
    return generator.normal(0, 0.5**0.5, shape) - 10 * (generator.random(shape) < 0.1)


def few_values(generator: Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Normal runs rounded to multiples of their standard deviation."""
    return np.round(generator.normal(size=shape)) / np.sqrt(2 * (1 + 1 / 12))


NOISES: dict[str, Noise] = {
    "measured on MNIST-1D": measured,
    "normal": lambda generator, shape: generator.normal(0, 0.5**0.5, shape),
    "skewed (lognormal)": skewed,
    "heavy tails (t, 3 df)": lambda generator, shape: generator.standard_t(3, shape) / 6**0.5,
    "few values": few_values,
    "one in ten collapses": collapsing,
}
MIXED = {0.0: 0.6, -1.0: 0.2, 0.5: 0.05, 1.0: 0.05, 1.5: 0.05, 2.0: 0.05}


@dataclass
class Played:
    """The result of a rule: effect, whether kept and runs of each try, (ledgers, tries)."""

    effects: np.ndarray
    kept: np.ndarray
    runs: np.ndarray
    intervals: list[tuple[float, Step]] = field(default_factory=list)  # with the true effect

    @property
    def wrong(self) -> float:
        """The share of ledgers in which a try was kept that isn't better."""
        return float((self.kept & (self.effects <= 0)).any(axis=1).mean())

    @property
    def drift(self) -> float:
        """How much better the last incumbent truly is than the first."""
        return float((self.kept * self.effects).sum(axis=1).mean())


Rule = Callable[[np.ndarray, Noise, Generator], Played]


def mean_of(pairs: int, effects: np.ndarray, noise: Noise, generator: Generator) -> Played:
    """Keep a try whose mean over the same few seeds is better than the incumbent's."""
    incumbent = noise(generator, (len(effects), pairs))
    kept = np.zeros(effects.shape, dtype=bool)
    score = np.zeros(len(effects))
    for place, effect in enumerate(effects.T):
        tried = (score + effect)[:, None] + noise(generator, incumbent.shape)
        better = kept[:, place] = tried.mean(axis=1) > incumbent.mean(axis=1)
        incumbent[better] = tried[better]
        score += effect * better
    return Played(effects, kept, np.full(effects.shape, pairs))


def one_test(effects: np.ndarray, noise: Noise, generator: Generator) -> Played:
    """Give up below half a standard deviation, and test 13 pairs by sign flips at 0.05 / 200.

    Of the 2^13 ways to flip the signs, two are significant: all differences positive, or all but
    the smallest.
    """
    n = 13
    incumbent = noise(generator, (len(effects), n))
    kept, runs = np.zeros(effects.shape, dtype=bool), np.zeros(effects.shape, dtype=int)
    score = np.zeros(len(effects))
    for place, effect in enumerate(effects.T):
        tried = (score + effect)[:, None] + noise(generator, incumbent.shape)
        differences = np.round(tried - incumbent, 12)
        goes_on = np.ones(len(effects), dtype=bool)
        runs[:, place] = 2
        for pairs in range(2, n + 1):
            seen = differences[:, :pairs]
            goes_on &= seen.mean(axis=1) >= 0.5 * seen.std(axis=1, ddof=1)
            runs[goes_on, place] = min(pairs + 1, n)
        sizes = np.sort(np.abs(differences), axis=1)
        lost = np.where(differences < 0, -differences, 0).sum(axis=1)
        is_first_two = (lost < sizes[:, 1]) & (lost <= sizes[:, 0]) & (sizes[:, 0] < sizes[:, 1])
        better = kept[:, place] = goes_on & ((lost == 0) & (sizes[:, 0] > 0) | is_first_two)
        incumbent[better] = tried[better]
        score += effect * better
    return Played(effects, kept, runs)


def bet(level: float, fresh: np.ndarray, spread: float) -> tuple[bool, int]:
    """Confirm by betting on the signs of differences: keep as soon as the wealth is 1 / level.

    The stake on a difference d is tanh(m d / spread) of the wealth: the best one if normal
    differences have a mean of m spreads. The wealth is the mean over three m.
    """
    stakes = [np.tanh(m * fresh / spread) for m in (1, 2, 4)]
    wealth = np.mean([np.cumprod(1 + stake) for stake in stakes], axis=0)
    for n, value in enumerate(wealth, start=1):
        if value >= 1 / level:
            return True, n
        if n >= 5 and value < 0.5:
            return False, n
    return False, len(fresh)


@dataclass(frozen=True)
class Tested:
    """A confirmation that has ended: whether the try was kept, and its p."""

    is_kept: bool
    p: float


def lord(level: float, earlier: Sequence[Tested]) -> float:
    """Return the level of the next confirmation by LORD++ (Ramdas et al. 2017).

    It bounds the false discovery rate: half of `level` is there at first, each keep gives `level`
    back, but for the first, which gives half of it.
    """
    now, weights = len(earlier), _lord_weights()
    keeps = [place for place, each in enumerate(earlier) if each.is_kept]
    gained = [weights[now - keep - 1] for keep in keeps]
    first = level / 2 * gained[0] if gained else 0.0
    return level / 2 * weights[now] + first + level * sum(gained[1:])


def saffron(level: float, earlier: Sequence[Tested], candidate: float = 0.5) -> float:
    """Return the level of the next confirmation by SAFFRON (Ramdas et al. 2018).

    As LORD++, but tries whose p is at most `candidate` cost nothing.
    """
    is_candidate = np.array([each.p <= candidate for each in earlier], dtype=bool)
    weights = _saffron_weights()
    keeps = [place for place, each in enumerate(earlier) if each.is_kept]
    found = level / 2 * weights[np.sum(~is_candidate)]
    for place, keep in enumerate(keeps):
        gain = level if place else level / 2
        found += gain * weights[np.sum(~is_candidate[keep + 1 :])]
    return min(candidate, (1 - candidate) * float(found))


@cache
def _lord_weights() -> np.ndarray:
    places = np.arange(1, 10_000)
    weights = np.log(np.maximum(places, 2)) / (places * np.exp(np.sqrt(np.log(places))))
    return weights / weights.sum()


@cache
def _saffron_weights() -> np.ndarray:
    weights = np.arange(1, 10_000) ** -1.6
    return weights / weights.sum()


Control = Callable[[float, Sequence[Tested]], float]


def ledger(
    design: Design,
    by_betting: bool,
    effects: np.ndarray,
    noise: Noise,
    generator: Generator,
    control: Control | None = None,
) -> Played:
    """Play by the shipped rule; or confirm by betting in its place, or with another control."""
    kept, runs = np.zeros(effects.shape, dtype=bool), np.zeros(effects.shape, dtype=int)
    played = Played(effects, kept, runs)
    screening, fresh = design.screening[-1], design.confirmation[-1]
    for row, tries in enumerate(effects):
        values = noise(generator, (len(tries), screening + 2 * fresh))
        score, earlier, latest, tested = 0.0, [], [], []
        pool = list(noise(generator, (screening,)))
        for number, effect in enumerate(tries):
            tried = score + effect + values[number, :screening]
            seeds = screening_seeds(range(len(pool)), number, screening)
            screened = paired_differences(tried, [pool[seed] for seed in seeds])
            spread = spread_of_differences(pool, latest)
            before = [] if control else earlier
            step = next_step(design, before, screened, [], spread)
            runs[row, number] = step.n
            latest = [*latest, screened[: step.n].tolist()][-REMEMBERED:]
            if step.decision != "confirm":
                continue
            old = score + values[number, screening:][:fresh]
            new = score + effect + values[number, screening + fresh :]
            differences = paired_differences(new, old)
            if by_betting:
                better, n = bet(step.level, differences, spread)
            else:
                used = design
                if control:  # a fresh ledger whose first try has that level
                    level = control(design.level, tested)
                    used = replace(design, level=min(level / design.share, 0.999))
                step = next_step(used, before, screened, differences, spread)
                better, n = step.decision == "kept", step.n
                played.intervals.append((effect, step))
            kept[row, number] = better
            runs[row, number] = screening + 2 * n
            earlier.append(Outcome(step.level, better))
            tested.append(Tested(bool(better), step.p))
            latest = [*latest, differences[:n].tolist()][-REMEMBERED:]
            pool = [*(tried if better else pool), *(new if better else old)[:n]][-POOL:]
            score += effect * better
    return played


RULES: dict[str, Rule] = {
    "one run is better": partial(mean_of, 1),
    "mean of three is better": partial(mean_of, 3),
    "13 pairs at 0.05 / 200": one_test,
    "confirmed by betting": partial(ledger, Design(), True),
    "`caduceus try`": partial(ledger, Design(), False),
}


def without_effect(ledgers: int, tries: int) -> None:
    effects = np.zeros((ledgers, tries))
    rows = []
    for name, noise in NOISES.items():
        played = [rule(effects, noise, np.random.default_rng(1)) for rule in RULES.values()]
        rows.append([name, *(f"{percent(each.wrong)} / {each.runs.mean():.2f}" for each in played)])
    title = f"Ledgers of {tries} useless tries with one that is kept, in % / runs of a try"
    show(title, ["noise", *RULES], rows)


def mixed_effects(ledgers: int, tries: int, name: str) -> list[tuple[float, Step]]:
    """Print the tables of mixed effects; return the confirmations of the shipped rule."""
    choices = np.random.default_rng(2).choice(list(MIXED), (ledgers, tries), p=list(MIXED.values()))
    played = [rule(choices, NOISES[name], np.random.default_rng(3)) for rule in RULES.values()]
    rows = []
    for effect in sorted(MIXED):
        there = choices == effect
        cells = [
            f"{percent(each.kept[there].mean())} / {each.runs[there].mean():.1f}" for each in played
        ]
        rows.append([f"{effect:+g}", *cells])
    show(f"Kept, in % / runs of a try, by effect; noise: {name}", ["effect", *RULES], rows)
    best = np.where(choices > 0, choices, 0).sum(axis=1).mean()
    show(
        f"Whole ledgers; the sum of all gains is {best:.1f}",
        ["", *RULES],
        [
            ["ledgers with a false keep, %", *(percent(each.wrong) for each in played)],
            ["true gain at the end", *(f"{each.drift:.1f}" for each in played)],
            ["runs", *(round(each.runs.sum(axis=1).mean()) for each in played)],
            [
                "runs for a true gain of 1",
                *(f"{each.runs.sum() / max(1e-9, each.drift * ledgers):.0f}" for each in played),
            ],
        ],
    )
    return played[-1].intervals


def controls(ledgers: int, tries: int) -> None:
    """Print what other controls over all tries would keep, with the same tests on fresh seeds."""
    ways: dict[str, Control | None] = {"`caduceus try`": None, "LORD++": lord, "SAFFRON": saffron}
    useless = np.zeros((ledgers, tries))
    mixed = np.random.default_rng(2).choice(list(MIXED), useless.shape, p=list(MIXED.values()))
    cells = []
    for control in ways.values():
        none, some = (
            ledger(Design(), False, effects, measured, np.random.default_rng(5), control)
            for effects in (useless, mixed)
        )
        kept = some.kept.sum(axis=1)
        false = (some.kept & (mixed <= 0)).sum(axis=1)
        cells.append(
            [
                percent(none.wrong),
                percent(some.wrong),
                f"{false.mean():.2f}",
                percent(float((false / np.maximum(kept, 1)).mean())),
                *(percent(some.kept[mixed == gain].mean()) for gain in (0.5, 1.0, 1.5, 2.0)),
                f"{some.drift:.1f}",
                round(some.runs.sum(axis=1).mean()),
            ]
        )
    names = (
        "useless tries: ledgers with a false keep, %",
        "mixed effects: ledgers with a false keep, %",
        "false keeps of a ledger",
        "false among the kept, %",
        *(f"kept of those that gain {gain}, %" for gain in (0.5, 1, 1.5, 2)),
        "true gain at the end",
        "runs",
    )
    rows = [[name, *found] for name, *found in zip(names, *cells, strict=True)]
    show(f"Controls over {tries} tries, {ledgers} ledgers; measured noise", ["", *ways], rows)


def slightly_harmful(ledgers: int, tries: int) -> None:
    effects = np.full((ledgers, tries), -0.25)
    played = [rule(effects, NOISES["normal"], np.random.default_rng(4)) for rule in RULES.values()]
    show(
        f"{tries} tries that are worse by 0.25",
        ["", *RULES],
        [
            ["true loss at the end", *(f"{0 - each.drift:.2f}" for each in played)],
            ["runs", *(round(each.runs.sum(axis=1).mean()) for each in played)],
        ],
    )


def intervals(found: Sequence[tuple[float, Step]]) -> None:
    rows = []
    for name, chosen in (
        ("confirmed", [pair for pair in found if pair[1].n]),
        ("of these kept", [pair for pair in found if pair[1].decision == "kept"]),
    ):
        covered = np.mean([step.low <= effect <= step.high for effect, step in chosen])
        error = np.mean([step.effect - effect for effect, step in chosen])
        rows.append([name, len(chosen), percent(float(covered)), f"{error:+.2f}"])
    show("Intervals of effects", ["tries", "number", "hold the true effect, %", "mean error"], rows)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ledgers", type=int, default=1000)
    parser.add_argument("--tries", type=int, default=200)
    options = parser.parse_args()
    without_effect(options.ledgers, options.tries)
    fewer = max(1, options.ledgers // 4)
    for name in ("normal", "measured on MNIST-1D"):
        found = mixed_effects(fewer, options.tries, name)
    controls(fewer, options.tries)
    slightly_harmful(fewer, options.tries)
    intervals(found)


if __name__ == "__main__":
    main()
