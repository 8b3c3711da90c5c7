"""Files that users write: every wrong key or value is refused in one line that says where."""

from pathlib import Path

import pytest
import yaml
from caduceus.errors import SpecError
from caduceus.io.validation import validate
from caduceus.io.yaml_files import as_number, load
from projects import CONFIG, EXPERIMENT, REPOSITORY

SCHEMAS = REPOSITORY / "workflow/schemas"


def refusal(tmp_path: Path, text: str, schema: str = "experiment", *section: str) -> str:
    """What is said of a file with this text."""
    (tmp_path / "x.yaml").write_text(text)
    with pytest.raises(SpecError) as caught:
        source = load(tmp_path / "x.yaml", "x.yaml")
        value = source.value
        for key in section:
            value = value[key]
        validate(value, schema, lambda keys: source.where([*section, *keys]), section)
    message = str(caught.value)
    assert "\n" not in message
    return message


def closed_mappings(schema: dict, value: dict, path: tuple = ()) -> list[tuple]:
    """The path of every mapping in `value` whose keys the schema lists, and of none other."""
    found = [path] if schema.get("additionalProperties") is False else []
    for key, below in schema.get("properties", {}).items():
        for choice in [below, *below.get("oneOf", [])]:
            if isinstance(value.get(key), dict) and choice.get("properties"):
                found += closed_mappings(choice, value[key], (*path, key))
    return found


def whole_experiment() -> dict:
    return yaml.safe_load((REPOSITORY / "experiments/template.yaml").read_text())


def test_a_typo_is_refused_in_every_mapping_of_an_experiment(tmp_path: Path) -> None:
    schema = yaml.safe_load((SCHEMAS / "experiment.schema.yaml").read_text())
    paths = closed_mappings(schema, whole_experiment())
    assert set(paths) == {(), ("dataset",), ("metric",), ("resources",)}
    for path in paths:
        experiment = whole_experiment()
        mapping = experiment
        for key in path:
            mapping = mapping[key]
        mapping["typo_"] = 1
        message = refusal(tmp_path, yaml.safe_dump(experiment))
        assert f"unknown key '{'.'.join([*path, 'typo_'])}'" in message
        assert "; allowed: " in message


@pytest.mark.parametrize(
    "path",
    [
        (),
        ("wandb",),
        ("paper",),
        ("paper", "tables", "accuracy"),
        ("paper", "tables", "accuracy", "published", 0),
        ("paper", "figures", "accuracy"),
        ("paper", "claims", "cnn_beats_mlp"),
        ("paper", "claims", "cnn_beats_mlp", "compare"),
        ("paper", "claims", "cnn_as_published", "reproduces"),
    ],
)
def test_a_typo_is_refused_in_every_mapping_of_the_configuration(
    tmp_path: Path, path: tuple
) -> None:
    config = yaml.safe_load((REPOSITORY / "config.yaml").read_text())
    mapping = config
    for key in path:
        mapping = mapping[key]
    mapping["typo_"] = 1
    section = path[:1] if path[:1] == ("paper",) else ()
    message = refusal(tmp_path, yaml.safe_dump(config), *(section or ["config"]), *section)

    assert "unknown key '" in message
    assert "typo_'" in message


# What stands in line 3 of a file, and what is said of it.
REFUSED = {
    "id: a b": (
        'x.yaml:3: id: found "a b", allowed: a short name of letters, digits and _ . - '
        "(at most 48), which starts every run's id"
    ),
    "type: base": (
        "x.yaml:3: type: found \"base\", did you mean 'baseline'?; allowed: baseline, ablation, "
        "novel, sweep"
    ),
    "seeds: 3": (
        "x.yaml:3: seeds: found 3, allowed: a list of different whole numbers; each variant "
        "runs once with each"
    ),
    "seeds: [1, x]": 'x.yaml:3: seeds[1]: found "x", allowed: a whole number of at most 63 bits',
    "seeds: [9223372036854775808]": (
        "x.yaml:3: seeds[0]: found 9223372036854775808, allowed: maximum 9223372036854775807 "
        "(a whole number of at most 63 bits)"
    ),
    "seeds: [1, 2, 1]": "x.yaml:3: seeds: duplicate value 1; remove one",
    "matrix: {rate: 0.1}": (
        "x.yaml:3: matrix.rate: found 0.1, allowed: a list of at least one value"
    ),
    "matrix:\n  rate: []": (
        "x.yaml:4: matrix.rate: found [], allowed: a list of at least one value"
    ),
    "tags: ['a,b']": (
        'x.yaml:3: tags[0]: found "a,b", allowed: a tag of 1 to 64 characters without commas'
    ),
    "resources: {gpus: 1.5}": (
        "x.yaml:3: resources.gpus: found 1.5, allowed: a whole number of GPUs, of which the run "
        "gets free ones and sees no others, or a share of one between 0 and 1, such as 0.25"
    ),
    "resources: {gpus: .nan}": (
        "x.yaml:3: resources.gpus: found NaN, allowed: a whole number of GPUs, of which the run "
        "gets free ones and sees no others, or a share of one between 0 and 1, such as 0.25"
    ),
    "resources: {threads: 0}": (
        "x.yaml:3: resources.threads: found 0, allowed: minimum 1 (processor threads; "
        "small networks are fastest with 1)"
    ),
    "metric: {name: loss, goal: down}": (
        'x.yaml:3: metric.goal: found "down", allowed: maximize, minimize'
    ),
    "dataset: {name: d, path: p}": (
        "x.yaml:3: dataset: found name, path; needs at least one of sha256 and version"
    ),
    "dataset: {name: d, path: p, program: q, version: 1}": (
        "x.yaml:3: dataset: found name, path, program, version; needs one of path and program"
    ),
    "dataset: {path: p, version: 1}": (
        "x.yaml:3: missing key 'name' in 'dataset': add it, a short name of letters, "
        "digits and _ . - (at most 48)"
    ),
    "hypothesis: 3": (
        "x.yaml:3: hypothesis: found 3, allowed: text (what the experiment should show, "
        "in a sentence)"
    ),
    "seeds: [1]\nseeds: [2]": "x.yaml:4: duplicate key 'seeds': remove one",
    "seeds: [1": "x.yaml:4: not YAML: did not find expected ',' or ']'",
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_wrong_is_said_with_file_line_key_and_what_is_allowed(
    tmp_path: Path, text: str
) -> None:
    needed = {"id": "id: a", "type": "type: novel"}
    needed.pop(text.partition(":")[0], None)
    whole = "\n".join([*needed.values(), *["# a comment"] * (2 - len(needed)), text])
    assert refusal(tmp_path, f"{whole}\nprogram: p.py\n") == REFUSED[text]


def test_a_missing_key_says_what_it_is_for(tmp_path: Path) -> None:
    assert refusal(tmp_path, "id: a\n") == (
        "x.yaml:1: missing key 'type': add it, the purpose of the experiment"
    )


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    assert "found null, allowed: a mapping" in refusal(tmp_path, "")


def test_a_group_may_be_named_only_by_what_wandb_takes(tmp_path: Path) -> None:
    text = "experiments: [a]\nwandb:\n  groups:\n    'a/b': slash\n"
    assert refusal(tmp_path, text, "config") == (
        'x.yaml:4: wandb.groups: key "a/b", allowed: a short name of letters, digits and _ . - '
        "(at most 64)"
    )


def test_defaults_are_filled_in_at_every_level() -> None:
    experiment = validate(EXPERIMENT, "experiment", lambda keys: "")
    config = validate(CONFIG, "config", lambda keys: "")

    assert experiment["resources"] == {"threads": 1, "mem_mb": 2000, "gpus": 0, "runtime": 0}
    assert experiment["metric"] == {"name": "val/accuracy", "goal": "maximize"}
    assert experiment["command"][0] == "${env}"
    assert config["wandb"]["mode"] == "offline"
    assert list(config["wandb"]["groups"]) == ["baseline", "ablation", "novel", "sweep"]
    paper = validate(config["paper"], "paper", lambda keys: "", ["paper"])
    assert paper["tables"]["accuracy"]["decimals"] is None
    assert config["defaults"]["seed"] == 0


def test_a_whole_number_may_have_a_point() -> None:
    spec = {"id": "a", "type": "sweep", "sweep": {"config": "x", "count": 3.0, "lag": 2.0}}
    found = validate(spec | {"resources": {"threads": 2.0}}, "experiment", str)
    assert [type(found["sweep"][key]) for key in ("count", "lag", "confirm")] == [int] * 3
    assert type(found["resources"]["threads"]) is int
    for gpus, kind in ((2.0, int), (0.0, int), (0.25, float)):
        found = validate(spec | {"resources": {"gpus": gpus}}, "experiment", str)
        assert type(found["resources"]["gpus"]) is kind


def test_numbers_without_a_point_are_numbers(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("a: 1e-5\nb: [1E3, 2.5e+2, -1e-3]\nc: '1e-5'\nd: 1e\ne: 12\n")
    value = load(tmp_path / "x.yaml").value

    assert value == {"a": 1e-5, "b": [1000.0, 250.0, -0.001], "c": "1e-5", "d": "1e", "e": 12}
    # Snakemake reads config.yaml itself, and takes such numbers for text.
    assert as_number({"a": "1e-5", "b": ["2.5e+2", "cnn", "e1", "3.10", "-.5"]}) == {
        "a": 1e-5,
        "b": [250.0, "cnn", "e1", "3.10", -0.5],
    }


def test_every_key_of_an_experiment_stands_in_the_template() -> None:
    schema = yaml.safe_load((SCHEMAS / "experiment.schema.yaml").read_text())
    text = (REPOSITORY / "experiments/template.yaml").read_text()
    template = validate(load(REPOSITORY / "experiments/template.yaml").value, "experiment", str)

    for name in schema["properties"]:
        assert f"\n{name}:" in text or f"\n# {name}:" in text, name
    for name in schema["properties"]["sweep"]["oneOf"][1]["properties"]:
        assert f"\n#   {name}: " in text, name
    for section in ("metric", "resources"):
        assert template[section].keys() == whole_experiment()[section].keys()
    for name in ("path", "program", "sha256", "version"):
        assert f"  {name}: " in text or f"  # {name}: " in text


def test_every_key_of_the_schemas_is_described() -> None:
    def check(schema: object, path: str) -> None:
        if isinstance(schema, dict):
            for key, below in schema.get("properties", {}).items():
                assert "description" in below or "$ref" in below, f"{path}.{key}"
            for key, below in schema.items():
                check(below, f"{path}.{key}")
        elif isinstance(schema, list):
            for below in schema:
                check(below, path)

    for path in SCHEMAS.glob("*.yaml"):
        check(yaml.safe_load(path.read_text()), path.name)
