"""The documentation's site: it builds, is whole, and shows nothing that isn't so."""

import ast
import itertools
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator, Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml
from caduceus.errors import CaduceusError
from caduceus.io.validation import validate
from caduceus.io.yaml_files import Key
from caduceus.project.experiments import load_experiment
from pages import PAGES, blocks, commands, content
from projects import EXPERIMENT, REPOSITORY, Project

sys.path.insert(0, str(REPOSITORY / "docs"))

from messages import GAP, families, find_messages, messages_page  # found above
from reference import command_names, command_parser, schema_page

PACKAGE = REPOSITORY / "scripts/caduceus"
SCHEMAS = ("config", "experiment", "paper", "sweep")
README_PAGES = [
    REPOSITORY / name
    for name in (
        "README.md",
        "CONTRIBUTING.md",
        "experiments/README.md",
        "workflow/ONLINE.md",
        "workflow/SLURM.md",
    )
]
# Programs of others that pages start.
SHELL = """awk cat cd chgrp chmod cp docker echo find git head ls mkdir pip pwd python python3
    rattler-build rm rsync sed squeue ssh tail true . export"""


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The site as `make docs` builds it: a dead link, an anchor that isn't there fail it."""
    folder = tmp_path_factory.mktemp("site")
    words = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", str(folder)]
    done = subprocess.run(
        words,
        cwd=REPOSITORY,
        env=os.environ | {"NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return folder


class Loaded(HTMLParser):
    """What a page loads by itself."""

    def __init__(self) -> None:
        super().__init__()
        self.addresses: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        name = {"script": "src", "img": "src", "link": "href", "iframe": "src"}.get(tag)
        self.addresses += [value for key, value in attrs if key == name and value]


def test_the_site_is_whole_and_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = {path.relative_to(site).as_posix(): path for path in site.rglob("*.html")}
    for name in ("index", "results/index", "workflow/STATISTICS", "messages", "reference/commands"):
        assert f"{name}.html" in pages
    assert not list(site.rglob("*.pyc"))
    for path in pages.values():
        loaded = Loaded()
        loaded.feed(path.read_text())
        assert loaded.addresses
        for address in loaded.addresses:
            assert "://" not in address, (path, address)


def test_a_text_of_the_repository_is_shown_with_links_that_hold_on_the_site(site: Path) -> None:
    overview = (site / "index.html").read_text()
    assert 'href="experiments/index.html#a-sweep"' in overview
    assert 'href="files/config.yaml.html"' in overview


def test_llms_txt_lists_pages_that_are_there(site: Path) -> None:
    text = (site / "llms.txt").read_text()
    listed = re.findall(r"^- \[[^\]]+\]\(([^)]+)\)", text, re.MULTILINE)
    assert {"json.html", "how_to/own_project.html", "analyst.html"} < set(listed)
    assert all((site / page).is_file() for page in listed)
    assert "](how_to/own_program.html): Any program that calls wandb.init() works" in text


def targets_of_make() -> set[str]:
    text = (REPOSITORY / "Makefile").read_text()
    return set(re.findall(r"^([a-z./-]+):", text, re.MULTILINE))


def rules() -> set[str]:
    paths = [REPOSITORY / "Snakefile", *(REPOSITORY / "workflow/rules").glob("*.smk")]
    return {
        name
        for path in paths
        for name in re.findall(r"^rule (\w+):", path.read_text(), re.MULTILINE)
    }


def simple_commands(line: str) -> Iterator[list[str]]:
    """The commands of a line of shell, without variables, redirections and substitutions."""
    line = re.sub(r"\$\(.*\)", "VALUE", re.sub(r"(\d?>>?|<) ?\S+", "", line))
    words: list[str] = []
    for word in [*shlex.split(line, comments=True), "&&"]:
        if word in ("&&", "|", ";", "||"):
            if words:
                yield words
            words = []
        elif words or not re.match(r"\w+=", word):
            words.append(word)


def check_command(words: Sequence[str]) -> None:
    """See that a command exists, and takes these arguments."""
    name, *arguments = words
    if name in ("uv", "uvx"):
        if name == "uvx" or arguments[0] == "run":
            own = {"caduceus", "caduceus-ml"}.intersection
            start = next(at for at, word in enumerate(arguments) if own([word]))
            check_command(["caduceus", *arguments[start + 1 :]])
    elif words[:2] == ["caduceus", "build"]:
        check_command(["snakemake", *arguments[1:]])
    elif name == "caduceus":
        # What follows -- is Snakemake's.
        own = itertools.takewhile(lambda word: word != "--", arguments[1:])
        command_parser(arguments[0]).parse_args([*own])
    elif name == "snakemake":
        from snakemake.cli import get_argument_parser

        parsed = get_argument_parser().parse_args(arguments)
        for target in parsed.targets:
            assert target in rules() or target.startswith("results/"), target
    elif name == "make":
        assert {word for word in arguments if "=" not in word} <= targets_of_make()
    elif name == "wandb":
        from wandb.cli.cli import cli as wandb_cli

        wandb_cli.commands[arguments[0]].make_context(arguments[0], list(arguments[1:]))
    else:
        assert name in SHELL.split(), words


@pytest.mark.parametrize(
    "page", [*PAGES, *README_PAGES], ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
def test_every_command_that_a_page_shows_exists(page: Path) -> None:
    for line in commands(page):
        for words in simple_commands(line):
            check_command(words)


def test_every_command_of_the_recorded_session_exists() -> None:
    text = (REPOSITORY / "docs/assets/session.txt").read_text()
    typed = re.findall(r"^\$ ([^#\n].*)", text, re.MULTILINE)
    assert "caduceus build --cores 2" in typed
    for line in typed:
        for words in simple_commands(line):
            if words != ["caduceus", "--version"]:
                check_command(words)


def nowhere(keys: Sequence[Key]) -> str:
    return str(keys)


@pytest.mark.parametrize(
    "page", [*PAGES, *README_PAGES], ids=lambda path: path.relative_to(REPOSITORY).as_posix()
)
def test_every_setting_that_a_page_shows_is_allowed(page: Path) -> None:
    for block in blocks(page):
        if block.language != "yaml":
            continue
        value = content(block)
        if "jobs" in value:  # of a CI; its commands are commands as any
            for step in value["jobs"]["check"]["steps"]:
                for words in simple_commands(step.get("run", "")):
                    check_command(words)
        elif "method" in value:
            validate(value, "sweep", nowhere)
        elif block.file.endswith(".try.yaml") or "holdout" in value:
            validate({"experiment": "x.yaml"} | value, "tries", nowhere)
        elif block.file.startswith("experiments/") or "id" in value:
            validate({"id": "x", "type": "novel"} | value, "experiment", nowhere)
        elif all(isinstance(claim, dict) and "statement" in claim for claim in value.values()):
            validate({"claims": value}, "paper", nowhere)
        elif not block.file.endswith("profile.yaml"):
            config = validate({"experiments": "x.yaml"} | value, "config", nowhere)
            validate(config["paper"], "paper", nowhere)


@pytest.mark.parametrize("name", SCHEMAS)
def test_every_key_of_a_schema_stands_in_its_reference(name: str) -> None:
    page = schema_page(REPOSITORY, name)
    schema = yaml.safe_load((REPOSITORY / f"workflow/schemas/{name}.schema.yaml").read_text())

    def keys(part: object) -> Iterator[str]:
        if isinstance(part, dict):
            yield from part.get("properties", {})
            for below in part.values():
                yield from keys(below)
        elif isinstance(part, list):
            for below in part:
                yield from keys(below)

    for key in keys(schema):
        assert re.search(rf"\| `(\S+[.])?{key}` \|", page), key


def test_every_command_stands_in_the_reference_once() -> None:
    for_people, for_rules = command_names()
    modules = {path.stem.replace("_", "-") for path in (PACKAGE / "commands").glob("[a-z]*.py")}
    assert sorted([*for_people, *for_rules]) == sorted(modules)
    assert {"init", "sync", "verify", "check-archive", "why"} <= set(for_people)
    assert {"train", "export-run", "suggest-trial", "archive"} <= set(for_rules)


@pytest.fixture(scope="session")
def shown_messages() -> str:
    return messages_page(REPOSITORY)


def test_every_error_in_the_source_stands_on_the_page(shown_messages: str) -> None:
    """Whatever words a message is made with where it is made, they are there."""
    kinds, _ = families(PACKAGE)
    count = 0
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name)):
                continue
            if node.func.id in kinds and node.args:
                for part in literals(node.args[0]):
                    count += 1
                    assert part in shown_messages, (path, node.lineno, part)
    assert count > 200


def literals(message: ast.expr) -> Iterator[str]:
    """The constant parts of a message, with words."""
    if isinstance(message, ast.JoinedStr):
        for value in message.values:
            yield from literals(value)
    elif isinstance(message, ast.Constant) and isinstance(message.value, str):
        text = " ".join(message.value.split())
        if re.search(r"\w{3}", text):
            yield text


def mistakes(folder: Path) -> Iterator[CaduceusError]:
    """Some errors as they are raised."""
    project = Project.create(folder)
    for key, value in (
        ("program", "nothing.py"),
        ("group", "another"),
        ("baseline", {"rate": 3}),
        ("exclude", [{"rate": 9}]),
        ("command", ["${arg}"]),
        ("code", ["nothing/*.py"]),
        ("parameters", {"seed": 1}),
        ("typ", "novel"),
        ("type", "novell"),
        ("seeds", [1, 1]),
        ("resources", {"threads": 0}),
    ):
        project.write_yaml("experiments/toy.yaml", EXPERIMENT | {key: value})
        with pytest.raises(CaduceusError) as raised:
            load_experiment("experiments/toy.yaml", {"seed": 0}, {"baseline": ""}, folder)
        yield raised.value


def test_an_error_that_is_raised_is_one_of_those_on_the_page(tmp_path: Path) -> None:
    patterns = [
        re.compile(".*" + ".*".join(map(re.escape, message.text.split(GAP))))
        for message in find_messages(PACKAGE)
        if len(message.text) > 20
    ]
    raised = list(mistakes(tmp_path))
    assert len(raised) == 11
    for error in raised:
        assert any(pattern.fullmatch(str(error)) for pattern in patterns), error


def test_a_message_is_followed_to_where_its_words_are(tmp_path: Path) -> None:
    (tmp_path / "source.py").write_text('''
class CaduceusError(Exception):
    """An error."""

class SpecError(CaduceusError):
    """A file is wrong."""

MEND = "write it anew"
TABLE = {1: "one", 2: "two"}

def refuse(message: str) -> SpecError:
    return SpecError(f"paper: {message}", where([]))

def check(value, number):
    hint = TABLE.get(number)
    said = f"found {value}"
    if number:
        said += ", too"
    said += f"; {MEND}"
    raise SpecError(said if value else "nothing", "file.yaml")
    raise refuse(f"no {hint}")
    raise CaduceusError(str(value))
''')
    assert [message.shown for message in find_messages(tmp_path)] == [
        f"file.yaml: found {GAP}; write it anew",
        "file.yaml: nothing",
        "FILE:LINE: paper: no one",
        "FILE:LINE: paper: no two",
    ]


def test_all_further_help_belongs_to_a_message(shown_messages: str) -> None:
    further = yaml.safe_load((REPOSITORY / "docs/help.yaml").read_text())
    for part, more in further.items():
        assert f"    <br>{more.strip()}" in shown_messages, part


def test_every_point_of_verify_stands_in_troubleshooting() -> None:
    page = (REPOSITORY / "docs/troubleshooting.md").read_text()
    points = {
        node.args[0].value
        for path in (PACKAGE / "overview/verification").glob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id == "Check"
        and isinstance(node.args[0], ast.Constant)
    }
    assert len(points) == 10
    for point in points:
        assert f"| {point} |" in page
