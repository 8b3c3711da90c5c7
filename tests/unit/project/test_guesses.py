"""The metric, seeds and first comparison that are guessed for a program."""

import pytest
from caduceus.project.guesses import described, goal_of, guess
from caduceus.project.program_facts import facts_of


@pytest.mark.parametrize(
    ("name", "goal"),
    [
        ("loss", "minimize"),
        ("val/loss", "minimize"),
        ("eval_loss", "minimize"),
        ("valLoss", "minimize"),
        ("RMSE", "minimize"),
        ("error_rate", "minimize"),
        ("val.perplexity", "minimize"),
        ("log_loss", "minimize"),
        ("brier_score", "minimize"),
        ("accuracy", "maximize"),
        ("test/acc1", "maximize"),
        ("val_F1", "maximize"),
        ("f1_score", "maximize"),
        ("charts/episodic_return", "maximize"),
        ("rollout/ep_rew_mean", "maximize"),
        ("R2", "maximize"),
        ("score", "maximize"),
        ("loss_scale", None),
        ("loss_weight", None),
        ("reward_std", None),
        ("neg_mean_squared_error", None),
        ("learning_rate", None),
        ("epoch", None),
        ("floss", None),
        ("accumulated", None),
        ("", None),
    ],
)
def test_the_words_of_a_name_suggest_a_goal(name: str, goal: str | None) -> None:
    assert goal_of(name) == goal


def metric(*names: str) -> str | None:
    found = guess(facts_of([f"wandb.log({dict.fromkeys(names, 1)})"])).metric
    return found and found[0]


def test_validation_comes_before_test_and_training() -> None:
    assert metric("train/loss", "test/loss", "val/loss") == "val/loss"
    assert metric("train_loss", "loss", "test_loss") == "test_loss"
    assert metric("train/loss", "loss") == "loss"
    assert metric("train/accuracy", "eval/loss") == "eval/loss"
    assert metric("train/loss") == "train/loss"


def test_the_metric_of_a_task_comes_before_a_loss() -> None:
    assert metric("val/loss", "val/acc") == "val/acc"
    assert metric("losses/value_loss", "charts/episodic_return") == "charts/episodic_return"
    assert metric("best_val_acc", "val_acc") == "val_acc"


def test_nothing_is_guessed_from_names_without_such_words() -> None:
    assert metric("epoch", "lr", "foo") is None
    assert metric() is None


def test_a_declared_goal_counts_more_than_words() -> None:
    text = 'wandb.define_metric("gap", summary="min")\nwandb.log({"gap": 1})'
    assert guess(facts_of([text])).metric == ("gap", "minimize")


def test_a_metric_of_the_summary_has_no_curve() -> None:
    assert not guess(facts_of(['run.summary["acc"] = 1'])).has_curve
    assert guess(facts_of(['run.log({"acc": 1})'])).has_curve


@pytest.mark.parametrize(
    ("text", "takes", "argument"),
    [
        ('p.add_argument("--seed", type=int)', True, "seed"),
        ('p.add_argument("--random-seed")', True, "random-seed"),
        ('p.add_argument("--manualSeed")', True, "manualSeed"),
        ('p.add_argument("--seed_model")', False, None),
        ('p.add_argument("--seed", action="store_true")', False, None),
        ('os.environ["CADUCEUS_SEED"]', True, None),
        ("wandb.config.seed", True, None),
        ('p.add_argument("--lr")\nwandb.config.seed', False, None),
        ('import tyro\np.add_argument("--seed")\np.add_subparsers()', False, None),
        ("", False, None),
    ],
)
def test_the_seed_is_an_argument_or_a_setting(text: str, takes: bool, argument: str | None) -> None:
    found = guess(facts_of([text]))
    assert (found.takes_seed, found.seed_argument) == (takes, argument)


@pytest.mark.parametrize(
    ("text", "parameter"),
    [
        ('p.add_argument("--lr", default=0.1)', ("lr", 0.1, 0.03)),
        ('p.add_argument("--learning-rate", default=3e-4)', ("learning-rate", 3e-4, 1e-4)),
        ('p.add_argument("--lr")', None),
        ('p.add_argument("--lr", default=0.0)', None),
        ('p.add_argument("--batch", default=4)', None),
        ('wandb.init(config={"lr": 1})\nwandb.config.lr', ("lr", 1, 0.3)),
        ('import hydra\nwandb.init(config={"lr": 1})\nwandb.config.lr', None),
    ],
)
def test_the_first_comparison_is_of_the_learning_rate(
    text: str, parameter: tuple[str, float, float] | None
) -> None:
    assert guess(facts_of([text])).parameter == parameter


def test_guesses_are_described_with_the_number_of_runs() -> None:
    text = 'p.add_argument("--lr", default=0.1)\np.add_argument("--seed")\nwandb.log({"loss": 1})'
    assert described(guess(facts_of([text]))) == [
        "metric: loss, minimize",
        "variants: lr 0.1 and 0.03",
        "seeds: 6",
        "so 12 runs",
    ]
    unlogged = described(guess(facts_of(["print('loss', 1)"])))
    assert unlogged[0] == (
        "metric: none found; the program logs none by name: if it doesn't use wandb, add "
        '`wandb.init()` and `wandb.log({"loss": loss})`'
    )
    assert unlogged[-1] == "so 1 run"
    assert described(guess(facts_of(['wandb.log({"x": 1})'])))[0] == "metric: none found"
