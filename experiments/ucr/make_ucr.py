"""Writes six datasets of the UCR archive into a folder: `python make_ucr.py FOLDER`.

Dau et al., "The UCR Time Series Archive", arXiv 1810.07758. The packages aeon and tslearn ship some
of its sets as files, so that nothing is downloaded. Only these files are read: the packages aren't
imported, nor need what they depend on. Series are normalised already, as in the archive.
"""

import sys
from importlib.metadata import distribution
from pathlib import Path

import numpy as np

SPLITS = ("TRAIN", "TEST")
OF_AEON = ("ACSF1", "ArrowHead", "GunPoint", "ItalyPowerDemand", "OSULeaf")


def shipped(package: str, path: str) -> Path:
    return Path(distribution(package).locate_file(path))


def read_ts(path: Path) -> tuple[np.ndarray, np.ndarray]:
    """Series (n x length) and class labels (n) of a file: a line of values, a colon and a class."""
    lines = [line for line in path.read_text().splitlines() if line and line[0] not in "#@"]
    rows = [line.rsplit(":", 1) for line in lines]
    series = np.array([[float(value) for value in values.split(",")] for values, _ in rows])
    return series, np.array([int(label) for _, label in rows])


def main(folder: Path) -> None:
    splits = {}
    for name in OF_AEON:
        paths = [f"aeon/datasets/data/{name}/{name}_{split}.ts" for split in SPLITS]
        splits[name] = [read_ts(shipped("aeon", path)) for path in paths]
    trace = np.load(shipped("tslearn", "tslearn/.cached_datasets/Trace.npz"))
    splits["Trace"] = [
        (trace[f"X_{split}"][:, :, 0], trace[f"y_{split}"]) for split in ("train", "test")
    ]
    for name, both in splits.items():
        for split, (series, labels) in zip(SPLITS, both, strict=True):
            stem = f"{name}_{split.lower()}"
            np.save(folder / f"{stem}_x.npy", series.astype(np.float32))
            np.save(folder / f"{stem}_y.npy", labels.astype(np.int64))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
