"""Trains one of four classifiers on a dataset of the UCR archive, on the archive's own split.

Bagnall et al., "The great time series classification bake off", Data Mining and Knowledge Discovery
31 (2017), compare them too:
    nearest_neighbour    the class of the nearest series by Euclidean distance; ignores its seed
    decision_tree        splits by entropy; the paper's is C4.5
    random_forest        100 trees, where the paper has 500
    time_series_forest   100 such trees, each on the mean, standard deviation and slope over random
                         intervals (Deng et al., Information Sciences 239, 2013)
The first three take a series as a set of values, as if their order meant nothing.
"""

import argparse
import time
from pathlib import Path

import numpy as np
from caduceus import tracking
from sklearn.ensemble import RandomForestClassifier
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier

TREES = 100
LEAST_INTERVAL = 3  # values


class TimeSeriesForest:
    def __init__(self, seed: int):
        self.generator = np.random.default_rng(seed)
        self.trees: list[tuple[np.ndarray, np.ndarray, DecisionTreeClassifier]] = []

    def fit(self, series: np.ndarray, labels: np.ndarray) -> None:
        length = series.shape[1]
        for _ in range(TREES):
            sizes = self.generator.integers(LEAST_INTERVAL, length + 1, round(length**0.5))
            starts = self.generator.integers(0, length - sizes + 1)
            tree = DecisionTreeClassifier(
                criterion="entropy", random_state=int(self.generator.integers(2**31))
            )
            tree.fit(interval_features(series, starts, starts + sizes), labels)
            self.trees.append((starts, starts + sizes, tree))

    def predict(self, series: np.ndarray) -> np.ndarray:
        shares = sum(
            tree.predict_proba(interval_features(series, starts, ends))
            for starts, ends, tree in self.trees
        )
        return self.trees[0][2].classes_[np.argmax(shares, axis=1)]


def interval_features(series: np.ndarray, starts: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Mean, standard deviation and slope (n x 3 intervals) of the values of each interval."""
    sizes = ends - starts

    def means(values: np.ndarray) -> np.ndarray:
        sums = np.cumsum(np.pad(values, ((0, 0), (1, 0))), axis=1)
        return (sums[:, ends] - sums[:, starts]) / sizes

    mean = means(series)
    deviation = np.sqrt(np.maximum(means(series**2) - mean**2, 0))
    covariance = means(series * np.arange(series.shape[1])) - mean * (starts + ends - 1) / 2
    return np.hstack([mean, deviation, covariance / ((sizes**2 - 1) / 12)])


CLASSIFIERS = {
    "nearest_neighbour": lambda seed: KNeighborsClassifier(1),
    "decision_tree": lambda seed: DecisionTreeClassifier(criterion="entropy", random_state=seed),
    "random_forest": lambda seed: RandomForestClassifier(TREES, random_state=seed),
    "time_series_forest": TimeSeriesForest,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", choices=CLASSIFIERS, default="nearest_neighbour")
    parser.add_argument("--dataset", default="GunPoint")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, default=Path("results/datasets/ucr/data"))
    options = parser.parse_args()
    with tracking.start() as run:
        folder = tracking.dataset_path() or options.data
        data = {
            split: [np.load(folder / f"{options.dataset}_{split}_{part}.npy") for part in "xy"]
            for split in ("train", "test")
        }
        classifier = CLASSIFIERS[options.classifier](options.seed)
        started = time.perf_counter()
        classifier.fit(*data["train"])
        # Few test series have few accuracies, so that seeds may share one; their times differ.
        row = {"fit_s": time.perf_counter() - started}
        for split, (series, labels) in data.items():
            row[f"{split}/accuracy"] = float(np.mean(classifier.predict(series) == labels))
        run.log(row, step=0)


if __name__ == "__main__":
    main()
