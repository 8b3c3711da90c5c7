"""A scikit-learn script without arguments: parameters come from wandb.config."""

import wandb
from sklearn.datasets import load_digits
from sklearn.ensemble import RandomForestClassifier
from sklearn.model_selection import cross_val_score

wandb.init(
    project="digits", config={"n_estimators": 50, "max_depth": None, "max_features": 8, "seed": 0}
)
config = wandb.config
images, labels = load_digits(return_X_y=True)
forest = RandomForestClassifier(
    n_estimators=config.n_estimators,
    max_depth=config.max_depth,
    max_features=config.max_features,
    random_state=config.seed,
)
scores = cross_val_score(forest, images, labels, cv=3)
for fold, score in enumerate(scores):
    wandb.log({"fold": fold, "fold/accuracy": score})
wandb.summary["val/accuracy"] = scores.mean()
