"""Make the page of error messages from the source: every place that makes one of our errors.

A message is a pattern, in which `…` stands for values that are known only at run time. Names are
replaced by what was assigned to them, and helpers by what they return, if that is text in the same
module.
"""

import ast
import itertools
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import yaml

BASE = "CaduceusError"
GAP = "…"
_GIVEN = "\0"  # stands for the message that a helper is given
_MOST = 6  # patterns of one expression; of more, what varies is a gap
_OF_NO_KIND = "When a command ends"
_GAPS = re.compile(rf"{GAP}(\s*({GAP}|\.\.\.))+")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True)
class Message:
    """A message that Caduceus can end with."""

    kind: str  # the error's class
    where: str  # the place before it, or empty
    text: str
    source: str  # FILE:LINE below scripts/caduceus

    @property
    def shown(self) -> str:
        """The message with its place."""
        return f"{self.where}: {self.text}" if self.where else self.text


@dataclass(frozen=True)
class Maker:
    """A class of errors, or a function that makes one from a message."""

    kind: str
    index: int  # position of the message among its arguments
    inner: Message | None = None  # the message that a function makes from it


@dataclass(frozen=True)
class Place:
    """The place of an expression in a module."""

    module: ast.Module
    functions: tuple[ast.AST, ...] = ()  # around it, the innermost last
    followed: frozenset[str] = frozenset()  # names and helpers on the way here

    def beyond(self, name: str) -> "Place":
        """Return this place after a name was followed."""
        return replace(self, followed=self.followed | {name})


def messages_page(root: Path) -> str:
    """Return the page: all messages by kind, with the help from docs/help.yaml."""
    further: dict[str, str] = yaml.safe_load((root / "docs/help.yaml").read_text())
    found = find_messages(root / "scripts/caduceus")
    lines = [
        "# Error messages",
        "",
        "Every message that Caduceus ends with, by kind; search for a few words of yours.",
        f"`{GAP}` stands for your names, numbers and places. A message starts with the command,",
        "then the file and line, or the thing that it is about.",
        "Anything longer, with a traceback, is a bug in Caduceus.",
    ]
    for kind, about in families(root / "scripts/caduceus")[1].items():
        texts = {message.shown for message in found if message.kind == kind}
        lines += ["", f"## {about.replace('the user', 'you')}", ""]
        for text in sorted(texts, key=_sorted_by):
            lines.append(f"- {_code(text)}")
            lines += [f"    <br>{more.strip()}" for part, more in further.items() if part in text]
    return "\n".join([*lines, ""])


def _sorted_by(text: str) -> str:
    return text.removeprefix("FILE:LINE").strip(f"{GAP}:. ").lower()


def _code(text: str) -> str:
    fence = "``" if "`" in text else "`"
    space = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{space}{text}{space}{fence}"


def families(package: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return the kind of each class of errors, and the docstring of each kind."""
    classes = [
        node
        for tree in _trees(package).values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    ]
    kinds, about = {BASE: BASE}, {BASE: _OF_NO_KIND}
    for _ in classes:  # a class may stand before the one it derives from
        for node in classes:
            for base in node.bases:
                if isinstance(base, ast.Name) and base.id in kinds and node.name not in kinds:
                    kinds[node.name] = node.name if base.id == BASE else kinds[base.id]
                    if base.id == BASE:
                        about[node.name] = (ast.get_docstring(node) or node.name).rstrip(".")
    return kinds, about


def find_messages(package: Path) -> list[Message]:
    """Return every message with which the package makes an error, in the order of its files."""
    kinds, _ = families(package)
    makers = {name: Maker(kind, 0) for name, kind in kinds.items()}
    sources = {path.relative_to(package).as_posix(): tree for path, tree in _trees(package).items()}
    for tree in sources.values():
        for node in ast.walk(tree):
            if isinstance(node, _FUNCTIONS) and _returned(node) in kinds:
                names = _arguments(node)
                if "message" in names:
                    (inner,) = _messages_in("", node, Place(tree, (node,)), makers)
                    makers[node.name] = Maker(inner.kind, names.index("message"), inner)
    return [
        message
        for name, tree in sources.items()
        for message in _messages_in(name, tree, Place(tree), makers)
        if _GIVEN not in message.text
    ]


@cache
def _trees(package: Path) -> dict[Path, ast.Module]:
    return {path: ast.parse(path.read_text()) for path in sorted(package.rglob("*.py"))}


def _arguments(function: ast.AST) -> list[str]:
    return [argument.arg for argument in function.args.args]


def _returned(function: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """The class that a function returns by its annotation, `| None` left out."""
    returns = function.returns
    if isinstance(returns, ast.BinOp):
        returns = returns.left
    return returns.id if isinstance(returns, ast.Name) else ""


def _messages_in(
    name: str, tree: ast.AST, place: Place, makers: Mapping[str, Maker]
) -> Iterator[Message]:
    for inside, call in _calls(tree, place):
        maker = makers.get(call.func.id) if isinstance(call.func, ast.Name) else None
        if maker is None or len(call.args) <= maker.index:
            continue
        inner = maker.inner or Message(maker.kind, _where(call, inside), _GIVEN, "")
        for text in _patterns(call.args[maker.index], inside):
            words = _GAPS.sub(GAP, " ".join(inner.text.replace(_GIVEN, text).split()))
            if re.search(rf"\w|{_GIVEN}", words) and not words.endswith(":"):
                yield Message(inner.kind, inner.where, words, f"{name}:{call.lineno}")


def _calls(node: ast.AST, place: Place) -> Iterator[tuple[Place, ast.Call]]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Call):
            yield place, child
        is_function = isinstance(child, _FUNCTIONS)
        inner = replace(place, functions=(*place.functions, child)) if is_function else place
        yield from _calls(child, inner)


def _where(call: ast.Call, place: Place) -> str:
    """Return the place before a message."""
    given = [key.value for key in call.keywords if key.arg == "where"] or call.args[1:2]
    if not given:
        return ""
    if isinstance(given[0], ast.Call):
        function = given[0].func
        name = function.attr if isinstance(function, ast.Attribute) else ast.unparse(function)
        return "FILE:LINE" if name == "where" else GAP
    texts = _patterns(given[0], place)
    return texts[0] if len(texts) == 1 else GAP


def _patterns(node: ast.expr, place: Place) -> list[str]:
    """Return the texts that an expression can have."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return [node.value]
    if isinstance(node, ast.JoinedStr):
        return _joined([_patterns(part, place) for part in node.values])
    if isinstance(node, ast.FormattedValue) and node.format_spec is None:
        return _patterns(node.value, place)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return _joined([_patterns(side, place) for side in (node.left, node.right)])
    if isinstance(node, ast.IfExp):
        return _unique([*_patterns(node.body, place), *_patterns(node.orelse, place)])
    if isinstance(node, ast.BoolOp):
        return _unique([text for part in node.values for text in _patterns(part, place) if text])
    if isinstance(node, ast.Name) and node.id not in place.followed:
        return _assigned(node.id, place)
    if isinstance(node, ast.Call):
        return _called(node.func, place)
    return [GAP]


def _joined(parts: Sequence[Sequence[str]]) -> list[str]:
    if math.prod(map(len, parts)) > _MOST:
        parts = [part if len(part) == 1 else [GAP] for part in parts]
    return _unique(["".join(chosen) for chosen in itertools.product(*parts)])


def _unique(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _assigned(name: str, place: Place) -> list[str]:
    """Return the texts of a name, from the assignments of its function or else of the module."""
    for scope in reversed((place.module, *place.functions)):
        found = []
        for block in _blocks(scope):
            for index, statement in enumerate(block):
                if isinstance(statement, ast.Assign) and _is_name(statement.targets[0], name):
                    parts = [statement.value] + [
                        later.value
                        for later in block[index + 1 :]
                        if isinstance(later, ast.AugAssign) and _is_name(later.target, name)
                    ]
                    found += _joined([_patterns(part, place.beyond(name)) for part in parts])
                    found[-1] = found[-1] or GAP  # filled by a loop
        if found:
            return _unique(found)
    is_given = name == "message" and place.functions and name in _arguments(place.functions[-1])
    return [_GIVEN if is_given else GAP]


def _is_name(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Name) and node.id == name


def _blocks(scope: ast.AST) -> Iterator[list[ast.stmt]]:
    """Yield the lists of statements in a function or module, without functions inside it."""
    for field in ("body", "orelse", "finalbody"):
        block = getattr(scope, field, None)
        if isinstance(block, list):
            yield block
            for statement in block:
                if not isinstance(statement, (*_FUNCTIONS, ast.ClassDef)):
                    yield from _blocks(statement)
    for handler in getattr(scope, "handlers", []):
        yield from _blocks(handler)


def _called(function: ast.expr, place: Place) -> list[str]:
    """Return the texts that a helper of the module, or a look-up in one of its tables, returns."""
    if isinstance(function, ast.Name) and function.id not in place.followed:
        for node in place.module.body:
            if isinstance(node, ast.FunctionDef) and node.name == function.id:
                inside = Place(place.module, (node,), place.followed | {node.name})
                return _unique(
                    [
                        text
                        for block in _blocks(node)
                        for statement in block
                        if isinstance(statement, ast.Return) and statement.value
                        for text in _patterns(statement.value, inside)
                    ]
                )
    if isinstance(function, ast.Attribute) and function.attr == "get":
        for table in place.module.body:
            is_it = isinstance(table, ast.Assign) and ast.dump(table.targets[0]).replace(
                "Store", "Load"
            ) == ast.dump(function.value)
            if is_it and isinstance(table.value, ast.Dict):
                return [text for value in table.value.values for text in _patterns(value, place)]
    return [GAP]
