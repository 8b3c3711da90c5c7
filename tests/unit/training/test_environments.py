"""The environments that experiments name: asked, recorded, and refused in one line."""

import itertools
import os
import shutil
import stat
import sys
import venv
import zipfile
from pathlib import Path

import pytest
from caduceus.errors import ResourceError, SpecError
from caduceus.io.files import sha256, write_json
from caduceus.runs.environments import VARIABLE, environments_variable, record_path
from caduceus.runs.files.environment import EnvironmentSpec, MadeEnvironment
from caduceus.runs.folder import RunFolder
from caduceus.system import processes
from caduceus.training.environments import (
    environment_variables,
    examine,
    make_environments,
    ready_environment,
    words_inside,
)
from caduceus.training.wandb_environment import SHIM

UV = shutil.which("uv") or shutil.which("uv", path=str(Path(sys.executable).parent))
STAND_IN = """\
#!/bin/sh
# A stand-in for Apptainer: it starts what follows the image, on this machine.
echo "$*" >> {log}
while [ "$1" != "{image}" ]; do shift; done
shift
[ "$1" = python3 ] && {{ shift; exec {python} "$@"; }}
exec "$@"
"""


@pytest.fixture
def python(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The interpreter of a real venv whose wandb is metadata alone; tests work beside it."""
    monkeypatch.chdir(tmp_path)
    venv.create(tmp_path / "env", symlinks=True)
    [folder] = (tmp_path / "env/lib").glob("python*/site-packages")
    add(folder, "wandb", "9.9.1")
    return tmp_path / "env/bin/python"


def add(folder: Path, name: str, version: str) -> None:
    info = folder / f"{name}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")


@pytest.fixture
def image(python: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in place of an image, and the stand-in for Apptainer on PATH."""
    path = python.parents[2] / "image.sif"
    path.write_bytes(b"an image")
    program = path.parent / "bin/apptainer"
    program.parent.mkdir()
    text = STAND_IN.format(log=path.parent / "started", image=path, python=python)
    program.write_text(text)
    program.chmod(program.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return path


def test_an_interpreter_says_what_it_has(python: Path) -> None:
    made = examine(EnvironmentSpec("python", "env/bin/python"), None)
    assert (made.interpreter, made.prefix) == (str(python), str(python.parents[1]))
    assert made.python == ".".join(map(str, sys.version_info[:3]))
    assert made.wandb == made.packages["wandb"] == "9.9.1"
    assert "caduceus" not in made.packages


def test_its_digest_is_that_of_its_packages(python: Path) -> None:
    named = EnvironmentSpec("python", "env/bin/python")
    before = examine(named, None)
    assert examine(named, before).sha256 == before.sha256
    add(Path(before.watched), "torch", "1.0")
    assert examine(named, before).sha256 != before.sha256


def test_modules_beside_the_project_arent_asked(python: Path) -> None:
    Path("json.py").write_text("raise SystemExit('not this one')")
    assert examine(EnvironmentSpec("python", str(python)), None).wandb == "9.9.1"


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({"python": "gone/python"}, "gone/python isn't a file; name the interpreter of an"),
        ({"python": "env"}, "env isn't a file; name env/bin/python"),
        ({"python": "plain"}, "plain can't be started: Permission denied; correct the path"),
        ({"python": "fails"}, "fails failed: no such Python; try it by hand"),
        ({"python": "silent"}, "silent failed: exit status 3; try it by hand"),
        ({"uv": "env"}, "env has no pyproject.toml; name the folder of a uv project"),
        ({"uv": "unlocked"}, "unlocked has no uv.lock; make it by `uv lock` there"),
        ({"apptainer": "gone.sif"}, "gone.sif isn't a file; name an image, as `apptainer build`"),
        ({"apptainer": "plain"}, "there is neither apptainer nor singularity on PATH; install"),
    ],
)
def test_what_cant_be_used_is_said_in_a_line(
    python: Path, monkeypatch: pytest.MonkeyPatch, named: dict[str, str], message: str
) -> None:
    Path("plain").write_text("")
    Path("unlocked").mkdir()
    Path("unlocked/pyproject.toml").write_text("")
    for name, text in (("fails", "echo error: no such Python. >&2\nexit 1"), ("silent", "exit 3")):
        Path(name).write_text(f"#!/bin/sh\n{text}\n")
        Path(name).chmod(0o755)
    monkeypatch.setenv("PATH", "/nowhere")
    environment = EnvironmentSpec.from_json(named)
    assert environment
    with pytest.raises(SpecError) as caught:
        make_environments({environment: "experiments/toy.yaml:7"}, Path("results"), print)
    assert str(caught.value).startswith(f"experiments/toy.yaml:7: environment: {message}")
    assert not Path("results").exists()


def test_an_environment_without_wandb_is_refused(python: Path) -> None:
    shutil.rmtree(next((python.parents[1] / "lib").glob("python*/site-packages/wandb-*")))
    mend = "install it there by `env/bin/python -m pip install wandb`"
    with pytest.raises(ResourceError, match=f"^env/bin/python has no wandb; {mend}$"):
        examine(EnvironmentSpec("python", "env/bin/python"), None)


def test_a_job_finds_the_environment_of_its_experiment(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = EnvironmentSpec("python", "env/bin/python")
    monkeypatch.setenv(VARIABLE, environments_variable({"toy": named}))
    assert ready_environment("other", Path("results")) is None
    with pytest.raises(ResourceError, match="wasn't made or checked before this job; start snake"):
        ready_environment("toy", Path("results"))
    make_environments({named: "toy.yaml:1"}, Path("results"), print)
    made = ready_environment("toy", Path("results"))
    assert made == MadeEnvironment.read(record_path(named, Path("results")))
    assert environments_variable({}) == ""


def test_packages_that_were_installed_meanwhile_are_those_of_the_run(
    python: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = EnvironmentSpec("python", "env/bin/python")
    monkeypatch.setenv(VARIABLE, environments_variable({"toy": named}))
    make_environments({named: "toy.yaml:1"}, Path("results"), print)
    before = ready_environment("toy", Path("results"))
    assert before
    add(Path(before.watched), "torch", "1.0")
    os.utime(before.watched, ns=(before.mtime_ns + 1, before.mtime_ns + 1))
    after = ready_environment("toy", Path("results"))
    assert after and after.packages["torch"] == "1.0"
    assert after.recorded.sha256 != before.recorded.sha256


def test_an_environment_is_activated_by_variables(python: Path) -> None:
    made = examine(EnvironmentSpec("python", "env/bin/python"), None)
    assert environment_variables(made, {"PATH": "/bin", "PYTHONHOME": "/x"}) == {
        "PATH": f"{python.parent}{os.pathsep}/bin",
        "VIRTUAL_ENV": str(python.parents[1]),
        "PYTHONHOME": "",
    }
    assert environment_variables(None, {"PATH": "/bin"}) == {}


def test_an_image_is_known_by_its_digest_and_started_by_apptainer(image: Path) -> None:
    named = EnvironmentSpec("apptainer", "image.sif")
    made = examine(named, None)
    assert (made.sha256, made.watched) == (sha256(image), str(image))
    forged = MadeEnvironment.from_json(made.to_json() | {"sha256": "0" * 64})
    assert examine(named, forged).sha256 == "0" * 64  # the same file isn't read again
    os.utime(image, ns=(1, 1))
    assert examine(named, forged).sha256 == sha256(image)
    started = (image.parent / "started").read_text().splitlines()
    assert started[0].startswith(f"exec --pwd {image.parent} --bind {image.parent} {image} python3")


def test_an_image_sees_what_a_program_needs(image: Path, tmp_path: Path) -> None:
    folder = RunFolder(tmp_path / "results/runs/r")
    for needed in (folder.code, tmp_path / "scratch", tmp_path / "elsewhere/data"):
        needed.mkdir(parents=True)
    (tmp_path / "linked").symlink_to(tmp_path / "elsewhere")
    dataset = tmp_path / "dataset.json"
    data = {"name": "data", "path": "elsewhere/data", "sha256": "", "bytes": 1, "files": {}}
    write_json(dataset, data)
    made = examine(EnvironmentSpec("apptainer", "image.sif"), None)
    words = words_inside(made, ["python3", "x"], folder, tmp_path / "scratch", dataset, True)
    assert words[1:5] == ["exec", "--nv", "--pwd", str(folder.code)]
    assert words[-3:] == [str(image), "python3", "x"]
    bound = [value for word, value in itertools.pairwise(words) if word == "--bind"]
    wanted = [folder.code, tmp_path, tmp_path / "results", tmp_path / "scratch", SHIM]
    assert {*map(str, wanted), str(tmp_path / "elsewhere/data")} <= {*bound}
    assert str(tmp_path / "elsewhere") in bound
    assert words_inside(None, ["a"], folder, tmp_path, None, True) == ["a"]


def test_another_image_isnt_used_unseen(image: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    named = EnvironmentSpec("apptainer", "image.sif")
    monkeypatch.setenv(VARIABLE, environments_variable({"toy": named}))
    make_environments({named: "toy.yaml:1"}, Path("results"), print)
    assert ready_environment("toy", Path("results"))
    image.write_bytes(b"another image")
    with pytest.raises(ResourceError, match=r"image\.sif has changed, or is gone, since Snakemake"):
        ready_environment("toy", Path("results"))


@pytest.mark.skipif(UV is None, reason="no uv: pip install uv")
def test_a_uv_project_is_made_as_its_lock_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The wandb of this project is an empty package of that name."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_NO_INDEX", "1")
    monkeypatch.setenv("UV_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("UV_NO_CONFIG", "1")
    monkeypatch.setenv("UV_PYTHON", sys.executable)
    monkeypatch.setenv("UV_PYTHON_DOWNLOADS", "never")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
    wheel(tmp_path, "wandb", "9.9.1")
    project(tmp_path, "[]")
    lock(tmp_path)
    named = EnvironmentSpec("uv", "study")
    with pytest.raises(SpecError, match="study has no wandb; add it there by `uv add wandb`"):
        make_environments({named: "toy.yaml:1"}, Path("results"), print)

    project(tmp_path, '["wandb"]')
    message = r"in study: uv.lock doesn't fit pyproject.toml; run `uv lock` there$"
    with pytest.raises(SpecError, match=message):
        make_environments({named: "toy.yaml:1"}, Path("results"), print)
    lock(tmp_path)
    make_environments({named: "toy.yaml:1"}, Path("results"), print)
    made = MadeEnvironment.read(record_path(named, Path("results")))
    assert (made.wandb, made.sha256) == ("9.9.1", sha256(tmp_path / "study/uv.lock"))
    assert Path(made.interpreter) == tmp_path / "study/.venv/bin/python"
    says = "caduceus: making the environment of study by uv run --locked"
    assert capsys.readouterr().out.splitlines() == [says] * 3

    monkeypatch.setenv(VARIABLE, environments_variable({"toy": named}))
    assert ready_environment("toy", Path("results")) == made
    with (tmp_path / "study/uv.lock").open("a") as stream:
        stream.write("# edited\n")
    with pytest.raises(ResourceError, match=r"uv\.lock has changed, or is gone, since Snakemake"):
        ready_environment("toy", Path("results"))


def project(folder: Path, dependencies: str) -> None:
    """Write a uv project in `study`."""
    (folder / "study").mkdir(exist_ok=True)
    (folder / "study/pyproject.toml").write_text(
        '[project]\nname = "study"\nversion = "0"\nrequires-python = ">=3.9"\n'
        f"dependencies = {dependencies}\n"
    )


def lock(folder: Path) -> None:
    done = processes.capture([str(UV), "lock", "--project", str(folder / "study")])
    assert done and done.exit_code == 0, done


def wheel(folder: Path, name: str, version: str) -> None:
    """Write a package without content."""
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
        lines = [f"{path},," for path in (*files, f"{info}/RECORD")]
        archive.writestr(f"{info}/RECORD", "\n".join(lines) + "\n")
