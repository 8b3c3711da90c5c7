"""A Hydra application: conf/digits.yaml holds its settings, the command line overrides them."""

import hydra
import wandb
from omegaconf import DictConfig, OmegaConf
from sklearn.datasets import load_digits
from sklearn.linear_model import SGDClassifier
from sklearn.metrics import log_loss
from sklearn.model_selection import train_test_split


@hydra.main(version_base="1.3", config_path="conf", config_name="digits")
def main(settings: DictConfig) -> None:
    images, labels = load_digits(return_X_y=True)
    x_train, x_val, y_train, y_val = train_test_split(images / 16, labels, random_state=0)
    model = SGDClassifier(
        loss="log_loss",
        learning_rate="constant",
        eta0=settings.optimizer.lr,
        alpha=settings.optimizer.alpha,
        random_state=settings.seed,
    )
    with wandb.init(
        project=settings.wandb.project, config=OmegaConf.to_container(settings, resolve=True)
    ) as run:
        for epoch in range(settings.epochs):
            model.partial_fit(x_train, y_train, classes=range(10))
            run.log(
                {
                    "epoch": epoch,
                    "val/loss": log_loss(y_val, model.predict_proba(x_val)),
                    "val/accuracy": model.score(x_val, y_val),
                }
            )


if __name__ == "__main__":
    main()
