"""The wheel and sdist of Caduceus, built from a copy of the repository, and their environments."""

import re
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

from projects import REPOSITORY

_BUILD = "import setuptools.build_meta as b, sys; b.build_{}(sys.argv[1])"
_SCRIPT = "#!{}\nimport sys\nfrom snakemake.cli import main\nsys.exit(main())\n"
PIP = (sys.executable, "-m", "pip", "--quiet", "--disable-pip-version-check")


@dataclass(frozen=True)
class Packages:
    """A sdist, the wheel made from it, and the wheel made from a clone."""

    sdist: Path
    wheel_of_sdist: Path
    wheel: Path


def copy_repository(folder: Path) -> None:
    """Copy what git would commit; links stay links."""
    words = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(words, cwd=REPOSITORY, capture_output=True, check=True, text=True)
    for name in filter(None, listed.stdout.split("\0")):
        if (REPOSITORY / name).exists():  # else it is deleted, and not committed yet
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(REPOSITORY / name, folder / name, follow_symlinks=False)


def build_packages(folder: Path) -> Packages:
    copy_repository(folder / "clone")
    sdist = build(folder / "clone", "sdist", folder / "sdist")
    with tarfile.open(sdist) as archive:
        # Python before 3.11.4 has no filters.
        archive.extraction_filter = getattr(tarfile, "data_filter", None)
        archive.extractall(folder)
    return Packages(
        sdist,
        build(folder / sdist.name.removesuffix(".tar.gz"), "wheel", folder / "of_sdist"),
        build(folder / "clone", "wheel", folder / "wheel"),
    )


def build(source: Path, kind: str, folder: Path) -> Path:
    """Build a `wheel` or `sdist` of a folder into a new folder."""
    folder.mkdir()
    words = [sys.executable, "-c", _BUILD.format(kind), str(folder)]
    subprocess.run(words, cwd=source, check=True, stdout=subprocess.DEVNULL)
    (made,) = folder.iterdir()
    return made


def new_environment(folder: Path, *wheels: Path) -> Path:
    """Make an environment with wheels in it; all that they depend on is taken from this one.

    Returns:
        Its folder of programs.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = str(folder / "bin/python")
    for wheel in wheels:
        words = [*PIP, f"--python={python}", "install", "--no-deps", str(wheel)]
        subprocess.run(words, check=True)
    paths = {"base": str(folder), "platbase": str(folder)}
    # A line of a .pth file adds a folder, and not what that folder's own .pth files add: the
    # editable install of this environment stays out.
    site = Path(sysconfig.get_path("purelib", vars=paths))
    (site / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n")
    (folder / "bin/snakemake").write_text(_SCRIPT.format(python))
    (folder / "bin/snakemake").chmod(0o755)
    return folder / "bin"


def namesake(folder: Path) -> Path:
    """Make a mock of the package `caduceus` of others: the same files in it do nothing."""
    info = "caduceus-0.0.11.dist-info"
    files = {
        "caduceus/__init__.py": "__version__ = '0.0.11'\n",
        "caduceus/cli.py": "def main():\n    print('cron')\n",
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: caduceus\nVersion: 0.0.11\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": "[console_scripts]\ncaduceus = caduceus.cli:main\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in files)
    folder.mkdir()
    wheel = folder / "caduceus-0.0.11-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def content(wheel: Path) -> dict[str, bytes]:
    """The files of a wheel by name, but for the list of them."""
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if not name.endswith("/RECORD")]
        return {re.sub(r"^[^/]+\.dist-info/", "info/", name): archive.read(name) for name in names}
