"""The list of installed packages in a run's log is that of wandb, made without its parsing."""

import importlib.metadata
import importlib.util
import sys
import zipfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from caduceus.training import wandb_environment

SHIM = Path(wandb_environment.__file__).parent / "shim/caduceus_shim"
Listing = Callable[[], Iterable[Any]]


@pytest.fixture(scope="module")
def original() -> Listing:
    """The function of wandb, which takes a second to import."""
    import wandb.util

    return wandb.util.working_set


@pytest.fixture
def shim(original: Listing, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    spec = importlib.util.spec_from_file_location("shim", SHIM / "installed_packages.py")
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr("wandb.util.working_set", original)
    monkeypatch.setattr(sys, "meta_path", finders())
    module.wrap_list()
    yield module


def finders() -> list[Any]:
    """Return those of a process that hasn't imported `importlib_metadata`, which exchanges them."""
    others = [each for each in sys.meta_path if type(each).__module__ != "importlib_metadata"]
    if any(hasattr(each, "find_distributions") for each in others):
        return others
    return [*others, importlib.metadata.MetadataPathFinder]


def test_all_packages_of_this_environment_are_plain(shim: ModuleType, original: Listing) -> None:
    plain = shim._packages()

    assert plain == [(each.key, each.version) for each in original()]
    assert ("wandb", importlib.metadata.version("wandb")) in plain


def write(folder: Path, name: str, content: bytes) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


PLAIN = {
    "a-1.dist-info/METADATA": b"Metadata-Version: 2.1\nName: A.b_c\nVersion:\t1!2.0+cu121\n\nText",
    "other_name-1.dist-info/METADATA": b"version: 1\r\nNAME: Other\r\nname: second\r\n\r\n",
    "file-3.egg-info": b"Name: file\nVersion: 3",
    "old.egg-info/PKG-INFO": b"Name: old\nVersion: 0\n",
    "e-1.dist-info/METADATA": b"",
    "e-1.dist-info/PKG-INFO": "Name: e\nVersion: 1\n\nTäxt".encode(),
}


def test_plain_packages_are_listed_as_by_wandb(
    shim: ModuleType, original: Listing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, content in PLAIN.items():
        write(tmp_path, name, content)
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    assert shim._packages() == [(each.key, each.version) for each in original()]
    assert len(shim._packages()) == 5


def in_archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        archive.writestr("z-1.dist-info/METADATA", "Name: z\nVersion: 1\n")
    sys.path.append(str(folder / "z.zip"))


def of_text(content: bytes) -> Callable[[Path], None]:
    return lambda folder: write(folder, "x-1.dist-info/METADATA", content)


@pytest.mark.parametrize(
    "odd",
    [
        of_text(b"Name: x\nVersion: 1\n\nT\xe4xt"),
        of_text(b"Name: x\n y\nVersion: 1\n"),
        of_text(b"Summary: of\n two lines\nName: x\nVersion: 1\n"),
        of_text(b"Name: x \nVersion: 1\n"),
        of_text(b"Name: x\nVersion:\n"),
        of_text(b"Name: x\n\nVersion: 1\n"),
        of_text(b"Version: 1\n"),
        of_text("Name: ä\nVersion: 1\n".encode()),
        of_text(b""),
        lambda folder: (folder / "x-1.dist-info").mkdir(),
        in_archive,
    ],
)
def test_with_any_other_package_wandb_makes_the_list(
    shim: ModuleType,
    original: Listing,
    odd: Callable[[Path], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from wandb.util import working_set

    write(tmp_path, "a-1.dist-info/METADATA", PLAIN["a-1.dist-info/METADATA"])
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    odd(tmp_path)

    assert list(working_set()) == list(original())


def test_wandb_has_the_list_once_it_is_imported(
    shim: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    from wandb.util import InstalledDistribution, working_set

    monkeypatch.setattr(shim, "_packages", lambda: [("a", "1")])

    assert working_set() == [InstalledDistribution(key="a", version="1")]
