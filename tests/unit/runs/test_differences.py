"""What differs between runs that are averaged or compared."""

from typing import Any

import pytest
from caduceus.runs.differences import Differences, differences, merged
from caduceus.runs.files.attempt import Attempt, Gpu, Machine
from caduceus.runs.files.usage import LibraryFile, Usage, UsedFile
from run_files import attempt

NONE = Differences(False, (), ())


def used(**contents: str | None) -> Usage:
    """Files of these names and digests; a file without one is known by its time."""
    files = {name: UsedFile(mtime_ns=1, size=2, sha256=digest) for name, digest in contents.items()}
    return Usage(files=files, code="c0de", python="3.11.7", packages={"numpy": "2.1.0"})


def ran(**libraries: str) -> Usage:
    """Modules of libraries outside of the project, with these digests."""
    files = {name: LibraryFile("/lab", 1, 2, digest) for name, digest in libraries.items()}
    return Usage(packages={"lab": "0.1"}, libraries=files)


def on(cpu: str | None, *gpus: str) -> dict[str, Any]:
    models = tuple(Gpu(name, 80.0) for name in gpus)
    return {"machine": Machine(cpu, 8, 16.0), "gpus": gpus, "gpu_models": models}


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        (attempt(), attempt(), NONE),
        (attempt(usage=used(a="1")), attempt(usage=used(a="1")), NONE),
        # Runs may read other files; a run of an earlier Caduceus has recorded none.
        (attempt(usage=used(a="1")), attempt(usage=used(b="2")), NONE),
        (attempt(usage=used(a="1")), attempt(), NONE),
        (
            attempt(usage=used(a="1", b="1")),
            attempt(usage=used(a="2", b="1")),
            Differences(False, ("a",), ()),
        ),
        (
            attempt(usage=used(a=None)),
            attempt(usage=used(a="2")),
            Differences(False, ("a",), ()),
        ),
        (
            attempt(usage=used()),
            attempt(usage=Usage(code="0ther")),
            Differences(True, (), ()),
        ),
        (
            attempt(usage=used()),
            attempt(usage=Usage(python="3.12.1", packages={"numpy": "2.4.0", "torch": "2.7"})),
            Differences(False, (), ("Python 3.11.7 or 3.12.1", "numpy 2.1.0 or 2.4.0")),
        ),
        # A library outside of the project has the same version after an edit.
        (
            attempt(usage=ran(**{"lab/model.py": "a" * 64, "lab/one.py": "1"})),
            attempt(usage=ran(**{"lab/model.py": "b" * 64, "lab/two.py": "2"})),
            Differences(False, (), ("lab/model.py aaaaaaaa or bbbbbbbb",)),
        ),
        (
            attempt(**on("EPYC", "H100", "H100")),
            attempt(**on("Xeon", "A100")),
            Differences(False, (), ("GPU A100 or H100", "CPU EPYC or Xeon")),
        ),
        (
            attempt(**on("EPYC", "H100")),
            attempt(**on(None)),
            Differences(False, (), ("GPU H100 or none",)),
        ),
    ],
)
def test_what_two_runs_have_both_is_compared(
    first: Attempt, second: Attempt, expected: Differences
) -> None:
    assert differences([[first], [second]]) == expected


def test_an_attempt_whose_rows_are_dropped_does_not_count() -> None:
    old, new = attempt(usage=used(a="1")), attempt(2, usage=used(a="2"))
    resumed = attempt(2, usage=used(a="2"), resumed_from=3)
    assert differences([[old, new], [new]]) == NONE
    assert differences([[old, resumed]]).files == ("a",)


def test_they_fit_into_a_phrase() -> None:
    assert NONE.phrase == ""
    found = Differences(True, ("a.py", "b.py", "c.py", "d.yaml"), ("Python 3.11.7 or 3.12.1",))
    assert found.phrase == (
        "code: the program's code, a.py, b.py, c.py and 1 more; Python 3.11.7 or 3.12.1"
    )


def test_seeds_of_a_variant_use_the_same_packages_and_modules() -> None:
    """An optional package was installed between them; variants may import what they need."""
    without = attempt(usage=Usage(packages={"numpy": "2.1.0"}))
    with_it = attempt(usage=Usage(packages={"numpy": "2.1.0", "flash-attn": "2.3"}))
    unknown = attempt()
    assert differences([[without], [with_it], [unknown]]) == NONE
    found = differences([[without], [with_it], [unknown]], are_seeds=True)
    assert found == Differences(False, (), ("flash-attn 2.3 or none",))
    plugin = attempt(usage=used(**{"plugins/late.py": "1"}))
    assert differences([[attempt(usage=used())], [plugin]], are_seeds=True).files == (
        "plugins/late.py",
    )


def test_a_file_that_came_after_a_seed_had_started_is_a_difference_and_a_fold_is_none() -> None:
    started = attempt().start_s * 1e9

    def read(name: str, mtime_ns: float) -> Attempt:
        return attempt(usage=Usage(files={name: UsedFile(int(mtime_ns), 2, name)}))

    first, second = read("folds/0.csv", started - 1e9), read("folds/1.csv", started - 1e9)
    assert differences([[first], [second]], are_seeds=True) == NONE
    late = read("local.yaml", started + 1e9)
    assert differences([[first], [late]], are_seeds=True).files == ("local.yaml",)
    assert differences([[first], [late]]) == NONE


def test_phrases_on_seeds_are_added_where_no_other_names_the_same() -> None:
    of_all = ["numpy 2.1 or 2.4"]
    assert merged(of_all, ["numpy 2.1 or 2.4", "apex 1.0 or none"]) == [
        "numpy 2.1 or 2.4",
        "apex 1.0 or none",
    ]
