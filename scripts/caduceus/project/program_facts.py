"""Arguments, settings and metrics of a program, read from its code: nothing of it is run."""

import ast
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Style = Literal["options", "hydra", "other", "none"]
_LIBRARIES = {"tyro", "typer", "fire", "jsonargparse", "absl", "simple_parsing", "docopt", "cli"}
_FUNCTIONS = {"math", "np", "numpy", "torch", "jnp", "tf", "cmath"}  # whose `log` is a logarithm
_MODULES = {"self", "pl_module", "fabric"}  # whose `log` takes a name and a value, as Lightning's
_LOGS = {"log", "log_metrics", "log_dict"}
_DEPTH, _MOST = 5, 50  # of names that stand for others, and of texts that one expression may be
_STEPS = 20_000  # in dictionaries, as names may stand for each other in many ways


@dataclass(frozen=True)
class ProgramFacts:
    """The facts that a program's code says of itself.

    Attributes:
        style: how it takes arguments: options of argparse or click, as Hydra, by another library
            or `sys.argv`, or not at all.
        options: names of its options without hyphens, with the default if that is a number.
        required: options that must be given.
        settings: names that it reads from `wandb.config`, with the default if that is a number.
        logged: names of metrics in the order of the code, as Caduceus writes them; nested ones are
            joined by dots.
        summarised: those that are only set in the run's summary.
        goals: goals by metric that `define_metric` declares.
        reads_seed: whether it names the variable CADUCEUS_SEED.
    """

    style: Style
    options: Mapping[str, float | None]
    required: Sequence[str]
    settings: Mapping[str, float | None]
    logged: Sequence[str]
    summarised: Sequence[str]
    goals: Mapping[str, Literal["minimize", "maximize"]]
    reads_seed: bool


def facts_of(texts: Sequence[str]) -> ProgramFacts:
    """Return what the code of a program says.

    Args:
        texts: the program, then the local modules that it imports. What isn't Python is left out.
    """
    files = [found for found in map(_File.parsed, texts) if found]
    # An imported module that can be started has options of its own, which the program doesn't take.
    parsers = [*texts[:1], *(text for text in texts[1:] if "__main__" not in text)]
    having = (file.options() for file in map(_File.parsed, parsers) if file)
    options = next(filter(None, map(list, having)), [])
    logged = dict.fromkeys(name for file in files for name in file.logged())
    summarised = dict.fromkeys(name for file in files for name in file.summarised())
    defaults = {name: value for file in files for name, value in file.defaults().items()}
    settings = dict.fromkeys(name for file in files for name in file.settings())
    return ProgramFacts(
        style=_style(files, bool(options)),
        options={name: default for name, default, _ in options},
        required=[name for name, _, is_required in options if is_required],
        settings={name: defaults.get(name) for name in settings},
        logged=[*logged, *(name for name in summarised if name not in logged)],
        summarised=[name for name in summarised if name not in logged],
        goals={name: goal for file in files for name, goal in file.goals()},
        reads_seed=any("CADUCEUS_SEED" in text for text in texts),
    )


def _style(files: Sequence["_File"], has_options: bool) -> Style:
    modules = {name for file in files for name in file.imports()}
    if "hydra" in modules:
        return "hydra"
    if has_options and not any(file.has_commands() for file in files):
        return "options"
    takes = has_options or modules & _LIBRARIES or any(file.reads_argv() for file in files)
    return "other" if takes else "none"


class _File:
    """A file's syntax tree, with the texts and dictionaries that its names stand for."""

    def __init__(self, tree: ast.Module) -> None:
        self.nodes = list(ast.walk(tree))
        self.words: dict[str, list[str]] = {}
        self.dicts: dict[str, list[ast.expr]] = {}
        self.runs = {"wandb"}  # names that a run has
        self.configs: set[str] = set()  # names that its configuration has
        self.steps = itertools.count()
        self.called = {_last_name(call.func) for call in self._calls()}
        for node in self.nodes:
            self._note(node)

    @classmethod
    def parsed(cls, text: str) -> "_File | None":
        try:
            return cls(ast.parse(text))
        except (SyntaxError, ValueError, RecursionError):
            return None

    def _note(self, node: ast.AST) -> None:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                self._note_value(name, value)
            case ast.withitem(context_expr=value, optional_vars=ast.Name(id=name)):
                self._note_value(name, value)
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id=name)) as target]):
                entry = ast.Dict(keys=[target.slice], values=[ast.Constant(None)])
                self.dicts.setdefault(name, []).append(entry)
            case ast.Call(func=ast.Attribute(ast.Name(id=name), "update"), args=[value]):
                self.dicts.setdefault(name, []).append(value)
            case ast.For(target=ast.Name(id=name), iter=ast.List() | ast.Tuple() as values):
                self.words.setdefault(name, []).extend(
                    each.value
                    for each in values.elts
                    if isinstance(each, ast.Constant) and isinstance(each.value, str)
                )
            case ast.FunctionDef(name=name):
                returned = [each.value for each in ast.walk(node) if isinstance(each, ast.Return)]
                self.dicts.setdefault(name, []).extend(each for each in returned if each)

    def _note_value(self, name: str, value: ast.expr) -> None:
        if isinstance(value, ast.Constant) and isinstance(value.value, str):
            self.words.setdefault(name, []).append(value.value)
        elif isinstance(value, ast.Call) and _starts_run(value):
            self.runs.add(name)
        elif self._is_config(value):
            self.configs.add(name)
        else:
            self.dicts.setdefault(name, []).append(value)

    def _is_config(self, node: ast.expr) -> bool:
        match node:
            case ast.Name(id=name):
                return name in self.configs
            case ast.Attribute(ast.Name(id=name), "config"):
                return name in self.runs
        return False

    def _calls(self) -> Iterator[ast.Call]:
        return (node for node in self.nodes if isinstance(node, ast.Call))

    def imports(self) -> Iterator[str]:
        """Yield the first names of the modules that are imported, and `cli` of a package's."""
        for node in self.nodes:
            if isinstance(node, ast.Import):
                yield from (each.name.partition(".")[0] for each in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield node.module.partition(".")[0]
                if node.module.endswith(".cli"):
                    yield "cli"

    def reads_argv(self) -> bool:
        return any(isinstance(node, ast.Attribute) and node.attr == "argv" for node in self.nodes)

    def has_commands(self) -> bool:
        """Whether the program has subcommands, so that an option needs one before it."""
        return bool(self.called & {"add_subparsers", "add_parser", "group"})

    def options(self) -> Iterator[tuple[str, float | None, bool]]:
        """Yield the name of each option, its default if that is a number, and if it is required."""
        for call in self._calls():
            function = _last_name(call.func)
            given = {each.arg: each.value for each in call.keywords}
            is_flag = "is_flag" in given or (
                isinstance(given.get("action"), ast.Constant) and "type" not in given
            )
            if function not in ("add_argument", "option") or is_flag:
                continue
            names = [text for each in call.args for text in self._texts(each)]
            long = [name for name in names if name.startswith("--") and "/" not in name]
            if long:
                required = given.get("required")
                is_required = isinstance(required, ast.Constant) and required.value is True
                yield long[0].removeprefix("--"), _number(given.get("default")), is_required

        if "HfArgumentParser" in self.called:
            yield from self._fields()

    def _fields(self) -> Iterator[tuple[str, float | None, bool]]:
        """Yield the fields of dataclasses, which transformers makes options of."""
        for node in self.nodes:
            match node:
                case ast.AnnAssign(target=ast.Name(id=name), value=ast.Call(keywords=given)):
                    defaults = [each.value for each in given if each.arg == "default"]
                    yield name, _number(defaults[0] if defaults else None), False
                case ast.AnnAssign(target=ast.Name(id=name), value=value):
                    yield name, _number(value), value is None

    def settings(self) -> Iterator[str]:
        """Yield the names that are read from `wandb.config`."""
        for node in self.nodes:
            match node:
                case ast.Attribute(value, name) if self._is_config(value):
                    if name not in ("update", "get", "items", "keys", "values", "as_dict"):
                        yield name
                case ast.Subscript(value, ast.Constant(str(name))) if self._is_config(value):
                    yield name
                case ast.Call(ast.Attribute(value, "get"), [ast.Constant(str(name)), *_]):
                    if self._is_config(value):
                        yield name

    def defaults(self) -> dict[str, float]:
        """Return the numbers in the configuration that the program itself gives to its run."""
        found = {}
        for call in self._calls():
            given = [each.value for each in call.keywords if each.arg == "config"]
            if _starts_run(call):
                for node in itertools.chain.from_iterable(map(self._dicts, given)):
                    for key, value in zip(node.keys, node.values, strict=True):
                        number = _number(value)
                        if isinstance(key, ast.Constant) and number is not None:
                            found[str(key.value)] = number
        return found

    def logged(self) -> Iterator[str]:
        """Yield the names of metrics that are logged, row by row."""
        if "transformers" in self.imports() and "Trainer" in self.called:
            yield from ("eval/loss", "train/loss")  # as its callback for W&B writes them
        for call in self._calls():
            match call.func:
                case ast.Name(id="log"):
                    base = ""
                case ast.Attribute(value, name) if name in _LOGS:
                    base = _first_name(value)
                case _:
                    continue
            if base in _FUNCTIONS:
                continue
            given = [*call.args, *(each.value for each in call.keywords if each.arg != "step")]
            if given and base in _MODULES and len(given) > 1:
                yield from map(_escaped, self._texts(given[0]))
            if given:
                yield from self._names(given[0])

    def summarised(self) -> Iterator[str]:
        """Yield the names that are set in the summary of a run."""
        for node in self.nodes:
            match node:
                case ast.Assign(targets=[ast.Subscript(ast.Attribute(attr="summary"), key)]):
                    yield from map(_escaped, self._texts(key))
                case ast.Call(ast.Attribute(ast.Attribute(attr="summary"), "update"), [value]):
                    yield from self._names(value)

    def goals(self) -> Iterator[tuple[str, Literal["minimize", "maximize"]]]:
        """Yield the metrics that are defined with their least or largest value as summary."""
        for call in self._calls():
            if _last_name(call.func) == "define_metric" and call.args:
                for each in call.keywords:
                    if each.arg == "summary" and isinstance(each.value, ast.Constant):
                        for name in map(_escaped, self._texts(call.args[0])):
                            if each.value.value == "min":
                                yield name, "minimize"
                            elif each.value.value == "max":
                                yield name, "maximize"

    def _dicts(self, node: ast.expr, depth: int = 0) -> Iterator[ast.Dict]:
        """Yield the dictionaries that an expression may be made of."""
        if depth > _DEPTH or next(self.steps) > _STEPS:
            return
        match node:
            case ast.Dict():
                yield node
                for key, value in zip(node.keys, node.values, strict=True):
                    if key is None:  # {**other}
                        yield from self._dicts(value, depth + 1)
            case ast.Call(ast.Name(id="dict")):
                named = [each for each in node.keywords if each.arg]
                keys: list[ast.expr | None] = [ast.Constant(each.arg) for each in named]
                yield ast.Dict(keys=keys, values=[each.value for each in named])
            case ast.Name(id=name) | ast.Call(ast.Name(id=name)):
                for value in self.dicts.get(name, ()):
                    yield from self._dicts(value, depth + 1)
            case ast.BinOp(left, ast.BitOr(), right):
                yield from self._dicts(left, depth + 1)
                yield from self._dicts(right, depth + 1)

    def _names(self, node: ast.expr, depth: int = 0) -> Iterator[str]:
        """Yield the names of the metrics in a dictionary, nested ones joined by dots."""
        if depth > _DEPTH or next(self.steps) > _STEPS:
            return
        match node:
            case ast.DictComp(
                label, _, [ast.comprehension(ast.Tuple([ast.Name(id=name), _]), values)]
            ):
                match values:  # as in {f"val/{name}": value for name, value in metrics.items()}
                    case ast.Call(ast.Attribute(items, "items")):
                        self.words[name] = list(self._names(items, depth + 1))
                        yield from self._texts(label)
                return
            case ast.Name(id=name):
                for other in self.dicts.get(name, ()):
                    if isinstance(other, ast.DictComp):
                        yield from self._names(other, depth + 1)
        for found in self._dicts(node):
            for key, entry in zip(found.keys, found.values, strict=True):
                for name in map(_escaped, self._texts(key)):
                    nested = list(self._names(entry, depth + 1))
                    yield from (f"{name}.{each}" for each in nested) if nested else [name]

    def _texts(self, node: ast.expr | None) -> Iterable[str]:
        """Return the texts that an expression may be; none if they can't be read."""
        match node:
            case ast.Constant(str(text)):
                return [text]
            case ast.Name(id=name):
                return self.words.get(name, [])
            case ast.FormattedValue(value, -1, None):
                return self._texts(value)
            case ast.JoinedStr(parts):
                return self._joined(parts)
            case ast.BinOp(left, ast.Add(), right):
                return self._joined([left, right])
        return []

    def _joined(self, parts: Sequence[ast.expr]) -> Iterable[str]:
        combined = itertools.product(*map(self._texts, parts))
        return map("".join, itertools.islice(combined, _MOST))


def _last_name(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
    return ""


def _first_name(node: ast.expr) -> str:
    while isinstance(node, ast.Attribute):
        node = node.value
    return _last_name(node)


def _starts_run(call: ast.Call) -> bool:
    return _last_name(call.func) == "init" and _first_name(call.func) == "wandb"


def _escaped(name: str) -> str:
    """Return a name in which a dot is no level."""
    return name.replace(".", "\\.")


def _number(node: ast.expr | None) -> float | None:
    match node:
        case ast.Constant(float() | int() as number) if not isinstance(number, bool):
            return number
    return None
