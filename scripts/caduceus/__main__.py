"""The command line: `caduceus COMMAND`, or `python -m caduceus COMMAND`.

Each command is a module of `caduceus.commands` with a docstring, `add_arguments(parser)` and
`run(arguments)`. Only the chosen one is imported, since some need heavy libraries; without one, as
by --help, none is. The help lists the commands that people type.
"""

from caduceus.system import early_interrupts

# isort: split
import argparse
import ast
import contextlib
import importlib
import os
import pkgutil
import signal
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import caduceus
from caduceus import commands
from caduceus.errors import CaduceusError, from_os_error
from caduceus.io.phrases import printable


def main(words: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status: 0, 1 for an error, 2 for wrong arguments.

    With --json, an error is also a JSON object on standard output.
    """
    _check_files()
    _open_streams()
    words = sys.argv[1:] if words is None else list(words)
    names = [module.name.replace("_", "-") for module in pkgutil.iter_modules(commands.__path__)]
    about = (caduceus.__doc__ or "").splitlines()[0]
    parser = _Parser(prog="caduceus", description=about)
    parser.add_argument("--version", action="version", version=caduceus.__version__)
    choices = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    takes_all = False
    if words and words[0] in names:
        from caduceus.io.help_format import Help

        module = _module(words[0])
        command = choices.add_parser(
            words[0], description=(module.__doc__ or "").strip(), formatter_class=Help
        )
        command.add_argument(
            "--log", type=Path, help="file to which messages and errors are written too"
        )
        module.add_arguments(command)
        takes_all = getattr(module, "TAKES_ALL", False) and not {"-h", "--help"} & set(words)
    else:  # the help, the version or an error
        for name in commands.FOR_PEOPLE:
            choices.add_parser(name, help=_summary(name))
    # Arguments after -- are Snakemake's; argparse would take the options among them.
    end = words.index("--") if "--" in words else len(words)
    _Parser.json_help = ""
    if "--json" in words[:end] and not takes_all:
        _Parser.json_help = (
            f"caduceus {words[0]} --help" if words[0] in names else "caduceus --help"
        )
    arguments = parser.parse_args(words[: 1 if takes_all else end])
    if takes_all:
        arguments.snakemake = words[1:]
    elif words[end:]:
        if not hasattr(arguments, "snakemake"):
            parser.error(f"{arguments.command} takes nothing after --")
        arguments.snakemake = words[end + 1 :]
    _share()
    try:
        early_interrupts.end()
        status = _module(arguments.command).run(arguments) or 0
        sys.stdout.flush()
        return status
    except CaduceusError as error:
        return _fail(arguments, error)
    except BrokenPipeError:  # the reader, such as head, has stopped
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 128 + signal.SIGPIPE
    except OSError as error:
        return _fail(arguments, from_os_error(error) or error)
    except KeyboardInterrupt as stop:
        return _stop(arguments, stop)
    except Exception as error:
        return _fail(arguments, error)


class _Parser(argparse.ArgumentParser):
    """Prints wrong arguments as JSON too, if --json is among them.

    Attributes:
        json_help: the command that prints the help, if it is.
    """

    json_help = ""

    def error(self, message: str) -> NoReturn:
        if self.json_help:
            from caduceus.io.answers import error_text

            print(error_text(message, "command line", f"see `{self.json_help}`"), flush=True)
        super().error(message)


def _check_files() -> None:
    """End with one line if the package's files are no longer all its own.

    PyPI's `caduceus`, by others, is imported by the same name: installed later, it overwrites this
    package's `__init__.py`; uninstalled, it removes that.
    """
    if not hasattr(caduceus, "DISTRIBUTION"):
        raise SystemExit(
            f"caduceus: {Path(__file__).parent}: another package named caduceus has replaced files "
            "here; pip uninstall caduceus, then pip install --force-reinstall --no-deps caduceus-ml"
        )


def _open_streams() -> None:
    """Open /dev/null in place of each closed standard stream, so that no file gets its number.

    What this process starts inherits them.
    """
    while (number := os.open(os.devnull, os.O_RDWR)) <= 2:
        os.set_inheritable(number, True)
    os.close(number)
    sys.stdout = sys.stdout or os.fdopen(1, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(2, "w", closefd=False)


def _module(name: str) -> "commands.Command":
    return importlib.import_module(f"caduceus.commands.{name.replace('-', '_')}")


def _share() -> None:
    """Let the group write the files that the command makes, if the folder is shared by a group."""
    from caduceus.system.shared_folders import project_place, share_with_group

    share_with_group(project_place(Path("results")))


def _summary(name: str) -> str:
    """Return the first line of a command's docstring, read from its file without importing it."""
    path = Path(commands.__path__[0], f"{name.replace('-', '_')}.py")
    return (ast.get_docstring(ast.parse(path.read_bytes())) or "").partition("\n")[0]


def _stop(arguments: argparse.Namespace, stop: KeyboardInterrupt) -> int:
    from caduceus.system.clean_exit import Stopped

    stopped = Stopped.of(stop, "start the same command again")
    _fail(arguments, CaduceusError(str(stopped)))
    return 128 + stopped.number


def _fail(arguments: argparse.Namespace, error: BaseException) -> int:
    if isinstance(error, CaduceusError):
        text = f"caduceus {arguments.command}: {printable(str(error))}\n"
    else:
        text = "".join(traceback.format_exception(error))
    with contextlib.suppress(OSError):  # such as a full disk; the error comes first then
        if getattr(arguments, "json", False):
            print(_error_answer(error))
        sys.stdout.flush()
    sys.stderr.write(text)
    if arguments.log:
        try:
            arguments.log.parent.mkdir(parents=True, exist_ok=True)
            with arguments.log.open("a") as stream:
                stream.write(text)
        except OSError:
            pass  # a full or read-only disk is often the error itself
    return 1


def _error_answer(error: BaseException) -> str:
    from caduceus.io.answers import error_text, text_of_error

    if isinstance(error, CaduceusError):
        return text_of_error(error)
    frame = traceback.extract_tb(error.__traceback__)[-1]
    what = f"{type(error).__name__}: {error}"
    return error_text(what, f"{frame.filename}:{frame.lineno}", "report it with the traceback")


if __name__ == "__main__":
    sys.exit(main())
