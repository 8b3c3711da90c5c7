"""The wheel and the sdist hold everything; installed, the wheel works as the clone does."""

import json
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import tomllib
from collections import Counter
from email.parser import BytesParser
from pathlib import Path
from urllib.request import HTTPCookieProcessor, build_opener

import caduceus
import pytest
from caduceus.project.command_digests import PACKAGE, command_digests
from packages import Packages, build, build_packages, content, namesake, new_environment
from packaging.metadata import Metadata
from projects import REPOSITORY

COMMANDS = ("validate_spec", "export_run", "make_table", "make_report")
FOLDERS = {"workflow", "envs"}  # beside the package in a clone


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Packages:
    return build_packages(tmp_path_factory.mktemp("packages"))


@pytest.fixture(scope="module")
def installed(packages: Packages, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_environment(tmp_path_factory.mktemp("wheel") / "environment", packages.wheel)


def run(bin: Path, folder: Path, *words: str, code: int = 0, path: str = "") -> str:
    """Run a program of the environment; returns what it prints."""
    done = subprocess.run(
        [str(bin / words[0]), *words[1:]],
        cwd=folder,
        env=environment(folder, path or f"{bin}:/usr/bin:/bin"),
        capture_output=True,
        text=True,
    )
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout + done.stderr


def environment(folder: Path, path: str) -> dict[str, str]:
    return {"PATH": path, "HOME": str(folder), "WANDB_ERROR_REPORTING": "false"}


def test_the_wheels_of_a_clone_and_of_the_sdist_are_equal(packages: Packages) -> None:
    assert content(packages.wheel) == content(packages.wheel_of_sdist)


def test_the_sdist_has_every_schema_once_and_no_links(packages: Packages) -> None:
    with tarfile.open(packages.sdist) as archive:
        members = archive.getmembers()
    assert all(member.isreg() or member.isdir() for member in members)
    schemas = Counter(Path(m.name).name for m in members if m.name.endswith(".schema.yaml"))
    assert schemas == Counter(p.name for p in REPOSITORY.glob("workflow/schemas/**/*.schema.yaml"))


def test_the_wheel_has_every_file_that_the_clone_uses(packages: Packages) -> None:
    files = content(packages.wheel)
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "scripts", *FOLDERS],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
        text=True,
    ).stdout.split()
    own = "caduceus/project/pipeline"
    for name in listed:
        path = REPOSITORY / name
        parts = Path(name).parts
        if parts[0] != "scripts":
            if len(parts) > 2 or parts[0] == "envs":  # pages between are the documentation's
                assert files[f"{own}/{name}"] == path.read_bytes(), name
        elif path.is_file():  # else a link to a folder, or a file that is deleted
            assert files["/".join(parts[1:])] == path.read_bytes(), name
    for name in ("Snakefile", "pyproject.toml", "LICENSE", "README.md", "results/README.md"):
        assert files[f"{own}/{name}"] == (REPOSITORY / name).read_bytes()


def test_what_the_container_is_given_makes_the_wheel(packages: Packages, tmp_path: Path) -> None:
    clone, source = packages.wheel.parents[1] / "clone", tmp_path / "source"
    lines = (REPOSITORY / "envs/Containerfile").read_text().splitlines()
    for words in (line.split()[1:] for line in lines if line.startswith("COPY ")):
        if words[0].startswith("--from"):
            continue
        target = tmp_path / words[-1].lstrip("/")
        for name in words[:-1]:
            if (clone / name).is_dir():
                shutil.copytree(clone / name, target, symlinks=True)
            else:
                target.mkdir(parents=True, exist_ok=True)
                shutil.copy2(clone / name, target)
    wheel = build(source, "wheel", tmp_path / "made")
    assert content(wheel) == content(packages.wheel)


def test_its_metadata_are_those_of_pyproject(packages: Packages) -> None:
    found = BytesParser().parsebytes(content(packages.wheel)["info/METADATA"])
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert found["Name"] == project["name"] == caduceus.DISTRIBUTION
    assert found["Version"] == caduceus.__version__
    required = [line for line in found.get_all("Requires-Dist") if "extra ==" not in line]
    names = [re.match(r"[\w-]+", line)[0] for line in required]
    assert names == [re.match(r"[\w-]+", line)[0] for line in project["dependencies"]]
    assert found.get_all("Provides-Extra") == [*project["optional-dependencies"]]
    supported = [c.rpartition(" ")[2] for c in found.get_all("Classifier") if ":: 3." in c]
    assert found["Requires-Python"] == f">={supported[0]}"


def test_its_page_on_the_index_has_no_relative_link(packages: Packages) -> None:
    """The metadata are checked as `twine check` and the index do."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    source, tag = project["urls"]["Source"], f"v{caduceus.__version__}"
    with tarfile.open(packages.sdist) as archive:
        (member,) = (m for m in archive.getmembers() if re.fullmatch("[^/]+/PKG-INFO", m.name))
        of_sdist = archive.extractfile(member).read()
    found = Metadata.from_email(content(packages.wheel)["info/METADATA"], validate=True)
    assert Metadata.from_email(of_sdist, validate=True).description == found.description
    assert found.description_content_type == "text/markdown"

    addresses = re.findall(r"\]\(([^)\s]+)", found.description)
    own = [a.partition(f"/{tag}/") for a in addresses if a.startswith(f"{source}/")]
    assert all((REPOSITORY / path.partition("#")[0]).is_file() for *_, path in own), own
    assert {f"{source}/blob", f"{source}/raw"} == {place for place, *_ in own}
    assert all(address.startswith("https://") for address in addresses)
    relative = re.findall(r"\]\((?!https:)", (REPOSITORY / "README.md").read_text())
    assert len(own) == len(relative)


def test_its_digests_are_those_of_the_clone(installed: Path, tmp_path: Path) -> None:
    code = (
        "import caduceus, json; from caduceus.project.command_digests import command_digests;"
        f"print(json.dumps([caduceus.__file__, command_digests({COMMANDS})]))"
    )
    place, digests = json.loads(run(installed, tmp_path, "python", "-c", code))
    assert Path(place).parent != PACKAGE
    assert digests == command_digests(COMMANDS)


def test_a_new_project_is_built(installed: Path, tmp_path: Path) -> None:
    """Programs are started by their paths, as pipx does, with none of them on PATH."""
    begun = run(installed, tmp_path, "caduceus-ml", "init", "study", path="/usr/bin:/bin")
    assert f"  {installed / 'caduceus'} build --cores 2\n" in begun
    study = tmp_path / "study"
    first = study / "experiments/first.yaml"
    first.write_text(first.read_text().replace("[0, 1, 2, 3, 4, 5]", "[0]"))
    assert "to do" in run(installed, study, "caduceus", "status")
    built = run(installed, study, "caduceus", "build", "--cores", "2", path="/usr/bin:/bin")
    assert f"next: `{installed / 'caduceus'} build --cores 1 sync`" in built
    assert (study / "results/report/index.html").exists()
    again = run(installed, study, "snakemake", "--cores", "2", path="/usr/bin:/bin")
    assert "Nothing to be done" in again


def test_its_doctor_judges_by_its_requirements(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "caduceus", "init", "study")
    lines = run(installed, tmp_path / "study", "caduceus", "doctor").splitlines()
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    wanted = f"all {len(project['dependencies'])} as caduceus-ml requires them"
    assert f"fine    packages: {wanted}" in lines
    assert not [line for line in lines if line.startswith("error")]


def test_it_verifies_a_set_up(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "caduceus", "init", "study")
    commit = "git init -q && git add -A && git -c user.name=A -c user.email=a@b.c commit -qm Begin"
    subprocess.run(commit, cwd=tmp_path / "study", shell=True, check=True)
    found = run(installed, tmp_path / "study", "caduceus", "verify", "--json")
    answer, _ = json.JSONDecoder().raw_decode(found)  # standard error follows
    assert all(check["is_ok"] for check in answer["checks"])


def test_its_board_starts_answers_and_ends(installed: Path, tmp_path: Path) -> None:
    run(installed, tmp_path, "caduceus", "init", "study")
    board = subprocess.Popen(
        [installed / "caduceus", "board"],
        cwd=tmp_path / "study",
        env=environment(tmp_path, "/usr/bin:/bin"),
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        address = board.stdout.readline().strip()
        # The token of the address becomes a cookie.
        with build_opener(HTTPCookieProcessor()).open(address) as answer:
            page = answer.read().decode()
    finally:
        board.send_signal(signal.SIGINT)
        board.communicate()
    assert "<title>" in page
    assert board.returncode == 0


def test_a_package_of_the_same_name_is_noticed(packages: Packages, tmp_path: Path) -> None:
    other = namesake(tmp_path / "other")
    before = new_environment(tmp_path / "before", other, packages.wheel)
    found = run(before, tmp_path, "caduceus", "doctor", code=1)
    assert "error   Caduceus: the package caduceus 0.0.11, of others, is installed" in found

    after = new_environment(tmp_path / "after", packages.wheel, other)
    assert run(after, tmp_path, "caduceus") == "cron\n"
    found = run(after, tmp_path, "caduceus-ml", "doctor", code=1)
    assert "another package named caduceus has replaced files here; pip uninstall" in found
    assert found.count("\n") == 1


@pytest.mark.soak
def test_it_installs_into_an_empty_environment(packages: Packages, tmp_path: Path) -> None:
    """With all that it requires from the index, and nothing else: no PyTorch, no linters."""
    subprocess.run([sys.executable, "-m", "venv", str(tmp_path / "empty")], check=True)
    bin = tmp_path / "empty/bin"
    subprocess.run([str(bin / "pip"), "--quiet", "install", str(packages.wheel)], check=True)
    listed = run(bin, tmp_path, "pip", "freeze")
    assert not re.search("^(torch|mnist1d|pytest|ruff|mypy)==", listed, re.MULTILINE)
    run(bin, tmp_path, "caduceus", "init", "study")
    study = tmp_path / "study"
    first = study / "experiments/first.yaml"
    first.write_text(first.read_text().replace("[0, 1, 2, 3, 4, 5]", "[0]"))
    run(bin, study, "caduceus-ml", "build", "--cores", "2", path="/usr/bin:/bin")
    assert (study / "results/report/index.html").exists()
    lines = run(bin, study, "caduceus", "doctor").splitlines()
    assert any("as caduceus-ml requires them" in line for line in lines)
    # Others check it with the archive's own code, which the wheel must have put there whole.
    run(bin, study, "snakemake", "--cores", "1", "archive")
    assert "byte for byte" in run(bin, study, "caduceus", "check-archive", *archives(study))


def archives(study: Path) -> list[str]:
    return [str(path) for path in study.glob("results/archive/*.zip")]
