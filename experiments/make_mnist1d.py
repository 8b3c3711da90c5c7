"""Writes MNIST-1D into a folder: `python experiments/make_mnist1d.py FOLDER`.

Greydanus & Kobak, "Scaling Down Deep Learning with MNIST-1D", arXiv 2011.14439v4. The package
`mnist1d` makes the published 4,000 training and 1,000 test examples without a download. A second
draw from the same generator gives 1,000 examples to choose a model by, so that nothing is chosen
on the test examples and no training example is given up.
"""

import sys
from pathlib import Path

import numpy as np
from mnist1d.data import get_dataset_args, make_dataset

VALIDATION_SEED = 43  # the published data have 42


def main(folder: Path) -> None:
    published = make_dataset(get_dataset_args())
    settings = get_dataset_args()
    settings.seed = VALIDATION_SEED
    validation = make_dataset(settings)
    arrays = {
        "x_train": published["x"],
        "y_train": published["y"],
        "x_test": published["x_test"],
        "y_test": published["y_test"],
        "x_val": validation["x_test"],
        "y_val": validation["y_test"],
    }
    for name, array in arrays.items():
        kind = np.float32 if name.startswith("x") else np.int64
        np.save(folder / f"{name}.npy", array.astype(kind))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
