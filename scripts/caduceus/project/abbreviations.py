"""Arguments that argparse would take for another option of the program, as an abbreviation."""

import ast
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from caduceus.io.yaml_files import Key
from caduceus.project.conventions import KeyWarning
from caduceus.runs.files.plan import Spec

_MACROS = {f"${{{name}}}" for name in ("args", "args_no_equals", "args_no_boolean_flags")}


def abbreviation_warnings(spec: Spec, files: Sequence[Path]) -> Iterator[KeyWarning]:
    """Yield a warning for each argument of an experiment that argparse takes for another option.

    A program with `--seed_model` and without `--seed` takes `--seed=0` for `--seed_model=0`, and
    says nothing.

    Args:
        spec: the experiment.
        files: the code of its program.
    """
    if not _MACROS & set(map(str, spec.command)):
        return
    options = argparse_options(files)
    for keys, name in _arguments(spec):
        longer = [option for option in options if option.startswith(f"--{name}")]
        if len(longer) == 1 and longer[0] != f"--{name}":  # argparse refuses what has several
            mend = (
                "name the argument by `seed_argument`"
                if keys[0] in ("seeds", "seed_argument")
                else "name the parameter as the program does"
            )
            yield (
                keys,
                f"{spec.program} has no --{name}, and argparse takes it for {longer[0]}, as an "
                f"abbreviation; {mend}, or create the parser with allow_abbrev=False",
            )


def argparse_options(files: Iterable[Path]) -> set[str]:
    """Return the options with two hyphens that some programs add to their parsers of argparse.

    None if not all are known, as where names are computed, or where nothing may be abbreviated.
    """
    options: set[str] = set()
    for path in files:
        if path.suffix != ".py" or "argparse" not in (text := path.read_text(errors="replace")):
            continue
        try:
            tree = ast.parse(text)
        except (SyntaxError, ValueError, RecursionError):
            return set()
        for node in ast.walk(tree):
            if isinstance(node, ast.keyword) and node.arg == "allow_abbrev":
                return set()
            if isinstance(node, ast.Call) and _name(node.func) == "add_argument":
                names = [each.value for each in node.args if isinstance(each, ast.Constant)]
                if len(names) < len(node.args) or not names:
                    return set()
                options |= {name for name in map(str, names) if name.startswith("--")}
    return options


def _name(function: ast.expr) -> str | None:
    return function.attr if isinstance(function, ast.Attribute) else None


def _arguments(spec: Spec) -> Iterator[tuple[list[Key], str]]:
    """Yield the names of arguments that the program gets, each once, with a key of the file."""
    if spec.lists_seeds and spec.seed_argument is not None:
        yield ["seed_argument" if spec.seed_argument != "seed" else "seeds"], spec.seed_argument
    known: set[str] = set()
    for keys, names in _mappings(spec):
        for name in names:
            if name not in known:
                known.add(name)
                yield [*keys, name], name


def _mappings(spec: Spec) -> Iterator[tuple[list[Key], Iterable[str]]]:
    yield ["parameters"], spec.parameters
    yield ["matrix"], spec.matrix
    for name, values in spec.methods.items():
        yield ["methods", name], values
    for name, values in spec.variants.items():
        yield ["variants", name], values
    for lists in spec.zip:
        yield ["zip"], lists
    for index, values in enumerate(spec.include):
        yield ["include", index], values
