"""The command line: every command explains itself, and errors are one line."""

import argparse
import ast
import importlib
import os
import pkgutil
import re
import signal
import subprocess
import sys
import types
from pathlib import Path

import pytest
from caduceus import __main__ as command_line
from caduceus import __version__, commands
from caduceus.commands import FOR_PEOPLE, retry
from projects import REPOSITORY

NAMES = [module.name for module in pkgutil.iter_modules(commands.__path__)]


@pytest.mark.parametrize("name", NAMES)
def test_every_command_and_every_option_has_a_help_text(name: str) -> None:
    module = importlib.import_module(f"caduceus.commands.{name}")
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)

    assert module.__doc__
    for action in parser._actions:
        assert action.help, action.dest


# Packages that take time to import, and which of them a command may import before it runs.
HEAVY = {
    *("asyncio", "bokeh", "jinja2", "jsonschema", "matplotlib", "multiprocessing", "numpy"),
    *("optuna", "pandas", "PIL", "psutil", "pyarrow", "pynvml", "requests", "scipy", "snakemake"),
    *("torch", "urllib3", "wandb", "yaml"),
}
MAY_IMPORT = {
    "": """board build check_logs export export_run init init_run mcp plan report_refuted status
        sum_compute try upload_artifacts why""",
    "psutil": "make_dataset plan_run retry slurm_pilot train unlock",
    "yaml": "schema",
    "psutil yaml": """adopt archive ask_trial check_archive confirm_trial doctor fill_checklist gc
        merge record_provenance report_failures show start_sweep suggest_trial sweep sweep_agent
        validate_spec write_appendix""",
    "psutil requests urllib3 yaml": """check_account evaluate_run export_fetched_run
        export_server_run find_run find_trial refresh sync verify""",
    "jinja2 numpy pyarrow": "export_group export_server_group make_report",
    "numpy scipy yaml": "check_claims make_table",
    "PIL matplotlib numpy yaml": "draw_figure export_sweep measure_figure",
}


@pytest.mark.slow
@pytest.mark.parametrize("packages", MAY_IMPORT)
def test_a_command_imports_only_what_it_uses(packages: str) -> None:
    code = (
        "import importlib, sys\n"
        f"sys.modules.update(dict.fromkeys({sorted(HEAVY - {*packages.split()})}))\n"
        f"for name in {MAY_IMPORT[packages].split()}:\n"
        "    importlib.import_module(f'caduceus.commands.{name}')"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_what_each_command_may_import_is_known() -> None:
    assert sorted(" ".join(MAY_IMPORT.values()).split()) == sorted(NAMES)


def test_the_help_of_a_command_keeps_the_lines_of_its_examples(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["try", "--help"])
    text = capsys.readouterr().out
    assert '\n\n    caduceus try "a wider second layer"\n    caduceus try "warm-up of' in text
    assert "\n\nExit status: 0 kept, 4 discarded" in text


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["trian"], []])
def test_without_a_command_none_is_imported(words: list[str]) -> None:
    """The help, the version and the complaint about a mistyped command come at once."""
    code = (
        "import atexit, sys\n"
        "from caduceus.__main__ import main\n"
        "atexit.register(lambda: print(sorted(m for m in sys.modules if 'caduceus' in m)))\n"
        f"main({words})"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    imported = set(ast.literal_eval(done.stdout.splitlines()[-1]))
    reached = {"", ".__main__", ".commands", ".errors", ".io", ".io.phrases", ".system"}
    reached |= {".system.early_interrupts", ".locks"}  # the latter is the package
    assert {name for name in imported if name.startswith("caduceus")} == {
        f"caduceus{name}" for name in reached
    }


# The rule that starts one of two commands: export_run, or export_fetched_run for remote runs.
def test_every_rule_calls_the_command_of_its_name() -> None:
    rules = {}
    for path in (REPOSITORY / "workflow/rules").glob("*.smk"):
        for part in re.split(r"\n *rule ", path.read_text())[1:]:
            rules[part.partition(":")[0]] = part
    assert {name.replace("-", "_") for name in rules} <= set(NAMES)
    for name, text in rules.items():
        module = importlib.import_module(f"caduceus.commands.{name}")
        assert f'"$CADUCEUS_PYTHON" -m caduceus {name.replace("_", "-")} ' in text
        assert f'"""{module.__doc__.strip()}"""' in text
        assert f'"results/logs/{name}/' in text


def test_what_no_rule_starts_people_type() -> None:
    texts = [path.read_text() for path in (REPOSITORY / "workflow/rules").glob("*.smk")]
    rules = {name for text in texts for name in re.findall(r"^ *rule (\w+):", text, re.MULTILINE)}
    typed = {name.replace("-", "_") for name in FOR_PEOPLE}
    assert set(NAMES) - rules <= typed
    assert typed & rules == {"sync", "verify"}  # targets


def test_help_lists_the_commands_that_people_type(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["--help"])
    printed = capsys.readouterr().out
    assert stopped.value.code == 0
    listed = [line.split()[0] for line in printed.splitlines() if line.startswith("    ")]
    assert [name for name in listed if name.replace("-", "_") in NAMES] == list(FOR_PEOPLE)


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command_line.main(["--version"])
    assert capsys.readouterr().out.strip() == __version__


def test_an_unknown_command_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["trian"])
    assert stopped.value.code == 2
    assert "invalid choice: 'trian'" in capsys.readouterr().err


def test_an_error_is_one_line_on_the_terminal_and_in_the_log(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    log = tmp_path / "logs/x.log"
    words = ["retry", "--results", str(tmp_path / "nowhere"), "--log", str(log)]

    assert command_line.main(words) == 1
    message = capsys.readouterr().err
    assert message == (
        f"caduceus retry: {tmp_path}/nowhere/runs: no such folder; work in the project's folder or "
        "give --results\n"
    )
    assert log.read_text() == message


def test_a_bug_shows_its_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(retry, "run", lambda arguments: arguments.nothing)
    assert command_line.main(["retry"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_a_folder_in_a_files_place_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line.main(["report-failures", str(tmp_path), "--out", "x"]) == 1
    assert capsys.readouterr().err == (
        f"caduceus report-failures: {tmp_path}: Is a directory: move the folder away, as a file is "
        "needed there\n"
    )


def test_a_reader_that_has_enough_is_no_error(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir()
    (tmp_path / "results/made.csv").write_text("a\n")
    reading, writing = os.pipe()
    os.close(reading)
    words = [sys.executable, "-m", "caduceus", "why", "results/made.csv"]
    done = subprocess.run(words, cwd=tmp_path, stdout=writing, stderr=subprocess.PIPE, text=True)
    os.close(writing)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_the_installed_command_starts_without_anything_heavy() -> None:
    code = (
        "import sys; from caduceus.__main__ import main\n"
        "try: main(['init-run', '--help'])\n"
        "except SystemExit: pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout
    assert not {"jsonschema", "numpy", "torch", "wandb", "yaml"} & set(
        printed.splitlines()[-1].split()
    )


def test_what_follows_two_dashes_is_snakemakes_alone(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        command_line.main(["status", "--", "--cores", "2"])
    assert stopped.value.code == 2
    assert "status takes nothing after --" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("end", "status", "said"),
    [(0, 0, ""), (1, 1, ""), (None, 0, ""), ("wrong key", 1, "wrong key\n")],
)
def test_build_gives_all_arguments_to_snakemake_and_returns_its_status(
    end: int | str | None,
    status: int,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    given = []

    def main(words: list[str]) -> None:
        given.append(words)
        sys.exit(end)

    cli = types.SimpleNamespace(main=main)
    monkeypatch.setitem(sys.modules, "snakemake", types.SimpleNamespace(cli=cli))
    monkeypatch.setitem(sys.modules, "snakemake.cli", cli)
    words = ["paper", "--cores", "2", "--quiet", "all", "--config", "a=-- b", "--logger", "x", "--"]
    monkeypatch.setattr(sys, "argv", ["caduceus"])

    monkeypatch.delenv("CADUCEUS_PLAIN", raising=False)
    assert command_line.main(["build", *words]) == status
    assert capsys.readouterr().err == said
    assert given == [["--scheduler", "greedy", *words]]
    assert "CADUCEUS_PLAIN" not in os.environ
    monkeypatch.setenv("CADUCEUS_PLAIN", "")  # so that it is removed again
    command_line.main(["build", "--plain", *words])
    assert given == 2 * [["--scheduler", "greedy", *words]]
    assert os.environ["CADUCEUS_PLAIN"] == "1"
