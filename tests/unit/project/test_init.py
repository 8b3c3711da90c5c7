"""Files of a new project, beside whatever is there already."""

import re
from pathlib import Path

import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.io.yaml_files import Source, load
from caduceus.project.init import create_project


@pytest.mark.parametrize(
    ("place", "content", "message"),
    [
        ("study", "x", r"study: is a file; give the name of a folder"),
        ("study/experiments", "x", r"experiments: is a file; move it away, as a folder is needed"),
        ("study/experiments/first.yaml", "x", r"first.yaml: exists already; choose another folder"),
        ("study/snakefile", "x", r"snakefile: exists already, and Snakemake would take the new"),
        ("study/workflow/Snakefile", "x", r"workflow/Snakefile: exists already, and Snakemake"),
        ("study/workflow/snakefile", "x", r"workflow/snakefile: exists already, and Snakemake"),
        ("study/config.yaml", None, r"config.yaml: exists already; choose another name with"),
        ("study/Snakefile", None, r"Snakefile: exists already; choose another folder"),
    ],
)
def test_what_is_there_is_neither_lost_nor_hidden(
    tmp_path: Path, place: str, content: str | None, message: str
) -> None:
    path = tmp_path / place
    path.parent.mkdir(parents=True, exist_ok=True)
    if content is None:
        path.symlink_to("nowhere")
    else:
        path.write_text(content)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SpecError, match=message):
        create_project(tmp_path / "study", None)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.parametrize("name", ["/elsewhere/x.yaml", "../x.yaml", ".", "a/../../x.yaml"])
def test_a_configuration_elsewhere_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError, match=r"isn't inside .*study; give a name in the project"):
        create_project(tmp_path / "study", None, name)
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("name", ["2024", "1e5", "true", "null", "-", "0x1F", "mein Projekt ü"])
def test_any_folders_name_is_a_projects_name(tmp_path: Path, name: str) -> None:
    create_project(tmp_path / name, None)
    project = load(tmp_path / name / "config.yaml").value["wandb"]["project"]
    assert project == name.replace(" ", "-").replace("ü", "-")


@pytest.mark.parametrize("name", ["a: b #c.py", "train.py", "'quoted' \"twice\".py", "größe.py"])
def test_names_of_a_program_and_a_configuration_may_need_quotes(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("")
    create_project(tmp_path, tmp_path / name, f"{name}.yaml")
    assert load(tmp_path / "experiments/first.yaml").value["program"] == name
    assert yaml.safe_load((tmp_path / f"{name}.yaml").read_text())["wandb"]
    lines = (tmp_path / "Snakefile").read_text().splitlines()
    [named] = [line for line in lines if line.startswith("configfile: ")]
    assert eval(named.removeprefix("configfile: ")) == f"{name}.yaml"


def written(folder: Path, text: str) -> tuple[Source, str]:
    """Return the experiment of a project around a program, and the text of its configuration."""
    (folder / "train.py").write_text(text)
    create_project(folder, folder / "train.py")
    return load(folder / "experiments/first.yaml"), (folder / "config.yaml").read_text()


def uncommented(text: str) -> str:
    """Return a configuration in which the stubs that are comments are taken as they say."""
    settings, _, stubs = text.partition("\npaper:" if "\npaper:" in text else "\n# No metric")
    lines = re.findall(r"(?m)^# (paper:.*|  .*)$", stubs)
    return f"{settings}\n" + "\n".join(lines).replace("METRIC", "loss")


def test_a_guessed_project_is_whole(tmp_path: Path) -> None:
    experiment, config = written(
        tmp_path,
        'p.add_argument("--lr", default=0.1)\np.add_argument("--random-seed")\n'
        'wandb.log({"val": {"a b": 1, "acc": 2}, "odd.loss": 1})',
    )
    assert experiment.value["metric"] == {"name": "val.acc", "goal": "maximize"}
    assert experiment.value["seeds"] == [0, 1, 2, 3, 4, 5]
    assert experiment.value["seed_argument"] == "random-seed"
    assert experiment.value["matrix"] == {"lr": [0.1, 0.03]}
    paper = yaml.safe_load(config)["paper"]
    assert paper["tables"] == {"results": {"metrics": {"val.acc": "val.acc"}}}
    assert paper["figures"]["learning_curves"]["metrics"] == {"val.acc": "val.acc"}
    assert paper["claims"]["first"]["compare"]["metric"] == "val.acc"
    sentence = paper["claims"]["first"]["statement"]
    assert sentence == "With lr 0.1, val.acc is higher than with 0.03."
    assert experiment.value["hypothesis"] == sentence


def test_what_cant_be_guessed_is_a_comment_that_works_without_its_sign(tmp_path: Path) -> None:
    experiment, config = written(tmp_path, "import wandb")
    assert not {"metric", "seeds", "matrix", "command", "hypothesis"} & set(experiment.value)
    assert "# hypothesis: What you expect" in (tmp_path / "experiments/first.yaml").read_text()
    assert "paper" not in yaml.safe_load(config)
    assert "# No metric could be guessed" in config and "remove the first #" in config
    paper = yaml.safe_load(uncommented(config))["paper"]
    assert paper["tables"] == {"results": {"metrics": {"loss": "loss"}}}
    assert paper["claims"]["first"]["compare"]["better"] == {"lr": 0.1}


def test_without_variants_the_claim_is_a_comment(tmp_path: Path) -> None:
    experiment, config = written(tmp_path, 'wandb.log({"loss": 1})')
    assert "hypothesis" not in experiment.value
    assert set(yaml.safe_load(config)["paper"]) == {"tables", "figures"}
    assert "# A claim compares variants" in config and "#   claims:" in config


def test_a_metric_of_the_summary_has_its_curve_in_a_comment(tmp_path: Path) -> None:
    text = 'p.add_argument("--lr", default=0.1)\nrun.summary["acc"] = 1'
    _, config = written(tmp_path, text)
    assert set(yaml.safe_load(config)["paper"]) == {"tables", "claims"}
    assert "# acc is only set in the summary" in config


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("import hydra", ["${env}", "${interpreter}", "${program}", "${args_no_hyphens}"]),
        ("wandb.config.lr", ["${env}", "${interpreter}", "${program}"]),
        ("import tyro\nwandb.config.lr", None),
    ],
)
def test_the_command_is_that_of_the_programs_kind(
    tmp_path: Path, text: str, command: list[str] | None
) -> None:
    assert written(tmp_path, text)[0].value.get("command") == command


def test_what_imported_modules_log_is_read(tmp_path: Path) -> None:
    (tmp_path / "engine.py").write_text('wandb.log({"val/f1": 1})')
    (tmp_path / "other.py").write_text('wandb.log({"val/acc": 1})')
    experiment, _ = written(tmp_path, "import engine")
    assert experiment.value["metric"]["name"] == "val/f1"


@pytest.mark.parametrize("text", ["no python (", "import broken", "\0", "x = " + "(" * 3000])
def test_a_program_that_cant_be_read_has_no_guesses(tmp_path: Path, text: str) -> None:
    (tmp_path / "broken.py").write_text("no python (")
    experiment, _ = written(tmp_path, text)
    assert experiment.value["program"] == "train.py" and "metric" not in experiment.value


def test_a_gitignore_that_is_a_link_stays_one(tmp_path: Path) -> None:
    (tmp_path / "shared").write_text("own\n")
    (tmp_path / ".gitignore").symlink_to("shared")
    create_project(tmp_path, None)
    assert (tmp_path / ".gitignore").is_symlink()
    assert (tmp_path / "shared").read_text().startswith("own\n/.env\n")


@pytest.mark.parametrize(
    ("program", "lock", "wandb", "line"),
    [
        ("train.py", "uv.lock", True, 'environment: { uv: "." }'),
        ("src/train.py", "uv.lock", True, 'environment: { uv: "." }'),
        ("src/train.py", "src/uv.lock", True, "environment: { uv: src }"),
        ("train.py", "uv.lock", False, None),
        ("train.py", "src/uv.lock", True, None),
    ],
)
def test_a_uv_project_around_the_program_is_guessed(
    tmp_path: Path, program: str, lock: str, wandb: bool, line: str | None
) -> None:
    for name in (program, lock):
        (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / program).write_text("")
    name = "wandb" if wandb else "numpy"
    (tmp_path / lock).write_text(f'[[package]]\nname = "{name}"\nversion = "1.0"\n')
    (tmp_path / lock).with_name("pyproject.toml").write_text("")
    create_project(tmp_path, tmp_path / program)
    text = (tmp_path / "experiments/first.yaml").read_text()
    assert [each for each in text.splitlines() if each.startswith("environment")] == (
        [line] if line else []
    )
    given = load(tmp_path / "experiments/first.yaml").value
    assert given.get("environment") == ({"uv": str(Path(lock).parent)} if line else None)
