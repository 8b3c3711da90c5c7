"""Cross-validates a classifier: `python train.py --classifier=random_forest --dataset=iris`.

The folds of a dataset are the same for all classifiers: ten, stratified by class. `--fold` names
the test set; the other nine are the training set. Settings are scikit-learn's defaults, but that
the last three classifiers see features of zero mean and unit variance, and logistic regression may
take 1,000 iterations.
"""

import argparse

import wandb
from sklearn.base import ClassifierMixin
from sklearn.datasets import load_breast_cancer, load_digits, load_iris, load_wine, make_moons
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

FOLDS = 10
DATASETS = {
    "breast_cancer": lambda: load_breast_cancer(return_X_y=True),
    "digits": lambda: load_digits(return_X_y=True),
    "iris": lambda: load_iris(return_X_y=True),
    "moons": lambda: make_moons(1000, noise=0.3, random_state=0),
    "wine": lambda: load_wine(return_X_y=True),
}


def classifier_of(name: str, seed: int) -> ClassifierMixin:
    if name == "decision_tree":
        return DecisionTreeClassifier(random_state=seed)
    if name == "random_forest":
        return RandomForestClassifier(random_state=seed)
    scaled = {
        "nearest_neighbours": KNeighborsClassifier(),
        "logistic_regression": LogisticRegression(max_iter=1000),
        "support_vectors": SVC(),
    }
    return make_pipeline(StandardScaler(), scaled[name])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--classifier", default="random_forest")
    parser.add_argument("--dataset", choices=DATASETS, default="iris")
    parser.add_argument("--fold", type=int, default=0, choices=range(FOLDS))
    options = parser.parse_args()

    features, labels = DATASETS[options.dataset]()
    splits = StratifiedKFold(FOLDS, shuffle=True, random_state=0).split(features, labels)
    train, test = list(splits)[options.fold]
    classifier = classifier_of(options.classifier, seed=options.fold)

    run = wandb.init(project="classifiers", config=vars(options))
    classifier.fit(features[train], labels[train])
    for name, part in (("train", train), ("test", test)):
        run.log({f"{name}/accuracy": classifier.score(features[part], labels[part])}, step=0)
    run.finish()


if __name__ == "__main__":
    main()
