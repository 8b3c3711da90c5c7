"""What a program takes and logs, read from its code in the ways in which people write it."""

import textwrap

import pytest
from caduceus.project.program_facts import facts_of


def logged(text: str) -> list[str]:
    return list(facts_of([textwrap.dedent(text)]).logged)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ('wandb.log({"loss": 1, "val/acc": 2})', ["loss", "val/acc"]),
        ('run.log(data={"loss": 1}, step=3)', ["loss"]),
        ("run.log(dict(loss=1, acc=2))", ["loss", "acc"]),
        ('run.log({"val": {"loss": 1, "top": {"acc": 2}}})', ["val.loss", "val.top.acc"]),
        ('run.log({"val.loss": 1})', ["val\\.loss"]),
        ('m = {"loss": 1}\nm["acc"] = 2\nm.update({"f1": 3})\nwandb.log(m)', ["loss", "acc", "f1"]),
        ('m = {"loss": 1}\nwandb.log({**m, "acc": 2})', ["acc", "loss"]),
        ('m = {"loss": 1}\nwandb.log(m | {"acc": 2})', ["loss", "acc"]),
        ('for s in ("val", "test"):\n  run.log({f"{s}/loss": 1})', ["val/loss", "test/loss"]),
        ('P = "val/"\nrun.log({P + "loss": 1})', ["val/loss"]),
        ('def f():\n  return {"acc": 1}\nm = f()\nwandb.log(m)', ["acc"]),
        ('def f():\n  return {"acc": 1}\nwandb.log({"val": f()})', ["val.acc"]),
        (
            'm = {"acc": 1}\nwandb.log({f"val/{k}": v for k, v in m.items()})',
            ["val/acc"],
        ),
        ('from wandb import log\nlog({"loss": 1})', ["loss"]),
        ('accelerator.log({"loss": 1}, step=2)', ["loss"]),
        ('self.log("val_loss", loss, prog_bar=True)', ["val_loss"]),
        ('self.log_dict({"val_loss": 1, "val_acc": 2})', ["val_loss", "val_acc"]),
        ('self.log("said")', []),
        ('logger.log(logging.INFO, "x")', []),
        ('x = {"loss": 1}\nmath.log(x)\nnp.log(x)', []),
        ("wandb.log(name_of_something())", []),
        ("m = {k: v for k, v in m.items()}\nwandb.log(m)", []),
        ("m = {**m}\nwandb.log(m)", []),
        ('wandb.log({f"{unknown}/loss": 1})', []),
        ('run.summary["test/acc"] = 1\nrun.summary.update({"f1": 2})', ["test/acc", "f1"]),
        (
            "from transformers import Trainer\nTrainer(model, args).train()",
            ["eval/loss", "train/loss"],
        ),
        ("no python (", []),
    ],
)
def test_names_of_metrics_are_read(text: str, names: list[str]) -> None:
    assert logged(text) == names


def test_what_is_only_in_the_summary_has_no_rows() -> None:
    facts = facts_of(['run.summary["acc"] = 1\nrun.summary["loss"] = 2\nrun.log({"loss": 1})'])
    assert facts.logged == ["loss", "acc"] and facts.summarised == ["acc"]


def test_options_of_argparse_have_their_defaults() -> None:
    text = """
    parser.add_argument("-l", "--lr", type=float, default=0.1)
    parser.add_argument("--seed", type=int)
    parser.add_argument("--data", required=True)
    parser.add_argument("--amp", action="store_true")
    parser.add_argument("positional")
    """
    facts = facts_of([textwrap.dedent(text)])
    assert facts.style == "options"
    assert facts.options == {"lr": 0.1, "seed": None, "data": None}
    assert facts.required == ["data"]


def test_options_of_click_have_their_defaults() -> None:
    text = """
    @click.command()
    @click.option("--learning-rate", "-l", default=1e-3)
    @click.option("--amp/--no-amp", default=False)
    @click.option("--fast", is_flag=True)
    def main(learning_rate, amp, fast): ...
    """
    facts = facts_of([textwrap.dedent(text)])
    assert facts.style == "options" and facts.options == {"learning-rate": 0.001}


def test_fields_are_options_of_transformers_parser() -> None:
    text = """
    @dataclass
    class A:
        path: str
        learning_rate: float = field(default=5e-5)
        seed: int = 42
    HfArgumentParser(A)
    """
    facts = facts_of([textwrap.dedent(text)])
    assert facts.options == {"path": None, "learning_rate": 5e-5, "seed": 42}
    assert facts.required == ["path"]


def test_the_options_are_those_of_the_first_file_that_has_some() -> None:
    other = 'p.add_argument("--seed", type=int)'
    assert list(facts_of(["import arguments", other]).options) == ["seed"]
    assert list(facts_of(['p.add_argument("--lr")', other]).options) == ["lr"]
    tool = f'{other}\nif __name__ == "__main__":\n  main()'
    assert not facts_of(["import tool", tool]).options
    assert list(facts_of([tool]).options) == ["seed"]


@pytest.mark.parametrize(
    ("text", "style"),
    [
        ("import hydra", "hydra"),
        ("from lightning.pytorch.cli import LightningCLI", "other"),
        ("import tyro", "other"),
        ("import sys\nsys.argv[1]", "other"),
        ('p.add_subparsers()\np.add_argument("--seed")', "other"),
        ('@click.group()\ndef main(): ...\n@click.option("--seed")\ndef f(seed): ...', "other"),
        ("import wandb", "none"),
        ("", "none"),
    ],
)
def test_the_way_of_taking_arguments_is_read(text: str, style: str) -> None:
    assert facts_of([text]).style == style


@pytest.mark.parametrize(
    "text",
    [
        'run = wandb.init(config={"lr": 0.1, "n": 2})\nrun.config.lr\nrun.config["n"]',
        'c = {"lr": 0.1, "n": 2}\nwandb.init(config=c)\nd = wandb.config\nd.lr\nd.get("n", 3)',
        'with wandb.init(config=dict(lr=0.1, n=2)) as r:\n  c = r.config\n  c.lr\n  c["n"]',
    ],
)
def test_settings_are_those_that_are_read_from_the_run(text: str) -> None:
    assert facts_of([text]).settings == {"lr": 0.1, "n": 2}


def test_settings_that_are_only_given_arent_read() -> None:
    text = 'c = {"lr": 0.1}\nwandb.init(config=c)\nc["lr"]\nwandb.config.update(c)'
    assert facts_of([text]).settings == {}


def test_goals_that_the_program_declares() -> None:
    text = 'define_metric("val/x", summary="min")\nrun.define_metric("y", summary="max")'
    assert facts_of([text]).goals == {"val/x": "minimize", "y": "maximize"}


def test_a_long_chain_of_calls_is_read() -> None:
    chain = "x" + ".a()" * 900
    assert list(facts_of([f'wandb.log({{"loss": 1}})\n{chain}.log({{"acc": 1}})']).logged)


def test_names_that_stand_for_each_other_end() -> None:
    lines = [f"m = f(m, {i})" for i in range(40)] + ['m = {"m": m, **m}'] * 5
    text = "def f(m, i):\n  return m\n" + "\n".join(lines)
    assert "loss" in facts_of([f'wandb.log({{"loss": 1}})\n{text}\nwandb.log(m)']).logged
