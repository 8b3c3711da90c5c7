"""Files that extend others: what the composed value is, and where messages say it came from."""

from pathlib import Path
from typing import Any

import pytest
from caduceus.errors import SpecError
from caduceus.io.composition import compose
from caduceus.io.written_out import flow, written_out
from caduceus.io.yaml_files import load
from hypothesis import given
from hypothesis import strategies as some

FILES = {
    "base.yaml": "type: baseline\nparameters:\n  width: 4\n  dropout: 0.1\n"
    "  nested: {depth: 2, kind: relu}\nmatrix: {rate: [1, 2]}\nmetric:\n  name: acc\n",
    "more.yaml": "extends: base.yaml\nparameters:\n  width: 8\ntags: [a, b]\n",
    "own.yaml": "extends: [base.yaml, more.yaml]\nremove: [parameters.dropout, metric]\nid: own\n"
    "parameters:\n  nested: {depth: 3}\nmatrix:\n  rate: [5]\n",
}


def write(folder: Path, **changes: str) -> Path:
    for name, text in (FILES | {f"{key}.yaml": text for key, text in changes.items()}).items():
        (folder / name).write_text(text)
    return folder


def refusal(folder: Path, name: str = "own.yaml") -> str:
    with pytest.raises(SpecError) as caught:
        compose(name, folder)
    return str(caught.value)


def test_mappings_are_merged_and_other_values_replaced(tmp_path: Path) -> None:
    source = compose("own.yaml", write(tmp_path))

    assert source.value == {
        "type": "baseline",
        "parameters": {"width": 8, "nested": {"depth": 3, "kind": "relu"}},
        "matrix": {"rate": [5]},
        "tags": ["a", "b"],
        "id": "own",
    }
    assert source.files == ("own.yaml", "base.yaml", "more.yaml")


@pytest.mark.parametrize(
    ("keys", "place"),
    [
        ([], "own.yaml:1"),
        (["type"], "base.yaml:1"),
        (["parameters", "width"], "more.yaml:3"),
        (["parameters", "nested", "depth"], "own.yaml:5"),
        (["parameters", "nested", "kind"], "base.yaml:5"),
        (["parameters", "none"], "own.yaml:4"),
        (["matrix", "rate", 0], "own.yaml:7"),
        (["tags", 1], "more.yaml:4"),
    ],
)
def test_a_value_is_found_in_the_file_that_it_came_from(
    tmp_path: Path, keys: list[str | int], place: str
) -> None:
    assert compose("own.yaml", write(tmp_path)).where(keys) == place


def test_a_removed_value_is_not_found(tmp_path: Path) -> None:
    source = compose("own.yaml", write(tmp_path))

    assert source.find(["metric"]) is None
    assert source.find(["parameters", "dropout"]) is None
    assert source.find(["parameters", "width"]) is not None


def test_a_mapping_is_replaced_whole_if_it_is_removed_first(tmp_path: Path) -> None:
    own = "extends: base.yaml\nremove: parameters\nparameters: {rate: 1}\n"

    assert compose("own.yaml", write(tmp_path, own=own)).value["parameters"] == {"rate": 1}


def test_a_name_with_dots_can_be_removed(tmp_path: Path) -> None:
    base = "parameters: {model.lr: 1, model: {lr: 2}}\n"
    own = "extends: base.yaml\nremove: [parameters.model.lr]\n"

    found = compose("own.yaml", write(tmp_path, base=base, own=own)).value
    assert found == {"parameters": {"model": {"lr": 2}}}


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ("id: a\nextends: non.yaml\n", "own.yaml:2: extends: non.yaml doesn't exist; give its"),
        (
            "extends:\n- base.yaml\n- own.yaml\n",
            "own.yaml:3: extends[1]: own.yaml extends own.yaml",
        ),
        ("extends: {a: 1}\n", 'own.yaml:1: extends: found {"a": 1}, allowed: the path of a file'),
        ("extends: [1]\n", "own.yaml:1: extends: found [1], allowed: the path of a file"),
        (
            "extends: base.yaml\nremove: parameters.dropuot\n",
            'own.yaml:2: remove: no file under `extends` has "parameters.dropuot", did you mean '
            "'parameters.dropout'?",
        ),
        ("remove: [a]\nid: a\n", 'own.yaml:1: remove[0]: no file under `extends` has "a"'),
    ],
)
def test_a_mistake_is_named_with_its_line(tmp_path: Path, own: str, message: str) -> None:
    assert refusal(write(tmp_path, own=own)).startswith(message)


def test_files_that_extend_each_other_are_refused(tmp_path: Path) -> None:
    write(tmp_path, base="extends: more.yaml\n")

    assert refusal(tmp_path, "more.yaml") == (
        "base.yaml:1: extends: more.yaml extends base.yaml extends more.yaml; remove one"
    )


def test_a_base_that_is_no_mapping_is_refused(tmp_path: Path) -> None:
    write(tmp_path, base="- 1\n")

    assert refusal(tmp_path, "more.yaml").startswith("more.yaml:1: extends: base.yaml holds [1]")


def test_a_file_written_out_in_full_has_the_same_value_and_names_each_place(tmp_path: Path) -> None:
    source = compose("own.yaml", write(tmp_path))
    text = written_out(source, tmp_path)
    (tmp_path / "whole.yaml").write_text(text)

    assert load(tmp_path / "whole.yaml").value == source.value
    assert "    kind: relu # base.yaml:5\n" in text
    assert "  rate: [5] # own.yaml:7\n" in text


def test_a_file_that_extends_nothing_is_written_out_as_it_is(tmp_path: Path) -> None:
    text = "# why\nid: a # b\n"
    (tmp_path / "plain.yaml").write_text(text)

    assert written_out(compose("plain.yaml", tmp_path), tmp_path) == text


TEXTS = some.text(some.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12)
VALUES = some.recursive(
    some.none()
    | some.booleans()
    | some.integers()
    | some.floats(allow_nan=False)
    | TEXTS
    | some.sampled_from(
        ["1e-5", "yes", "null", "012", "12:30:00", "- a", "a: b", "~", "2020-01-01"]
    ),
    lambda inside: some.lists(inside, max_size=3) | some.dictionaries(TEXTS, inside, max_size=3),
    max_leaves=8,
)


@given(some.dictionaries(TEXTS, VALUES, max_size=4))
def test_any_value_is_written_so_that_it_reads_as_itself(
    tmp_path_factory: pytest.TempPathFactory, value: Any
) -> None:
    path = tmp_path_factory.mktemp("flow") / "value.yaml"
    path.write_text(f"value: {flow(value)}\n")

    assert load(path).value == {"value": value}
