"""Where a program's code changes its environment, which modules may read when they are imported.

In a fork they were imported before that, and keep the values that they read then.
"""

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

_READS = {"copy", "get", "items", "keys", "values"}
_CHANGES = {"environb", "load_dotenv", "putenv", "unsetenv"}
_WORDS = (b"environ", *(name.encode() for name in _CHANGES))


def environment_change(root: Path) -> str | None:
    """Return the file and line of the first code below a folder that changes `os.environ`.

    Whatever isn't seen to read it only, such as `os.environ` given to a function, counts as a
    change. Links to folders aren't followed; a file that isn't Python has none.

    Args:
        root: the folder from which a program is started, with its code.
    """
    for path in sorted(root.rglob("*.py")):
        try:
            code = path.read_bytes()
            tree = ast.parse(code) if any(word in code for word in _WORDS) else None
        except (OSError, SyntaxError, ValueError):  # Python says so when it imports the file
            continue
        if tree is not None and (lines := sorted(_changes(tree))):
            return f"{path.relative_to(root)}:{lines[0]}"
    return None


def _changes(tree: ast.AST) -> Iterator[int]:
    """Yield the lines that may change the environment."""
    read = {id(value) for node in ast.walk(tree) for value in _only_read(node)}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            renamed = {alias.name for alias in node.names if alias.asname not in (None, alias.name)}
            imported = {alias.name for alias in node.names}
            if imported & _CHANGES or "environ" in renamed:
                yield node.lineno
        elif isinstance(node, ast.Name | ast.Attribute):
            name = node.id if isinstance(node, ast.Name) else node.attr
            if name in _CHANGES or (name == "environ" and id(node) not in read):
                yield node.lineno


def _only_read(node: ast.AST) -> Iterable[ast.AST | None]:
    """Return those parts of a node that it reads, if they are mappings, and doesn't change."""
    match node:
        case ast.Subscript(value=value, ctx=ast.Load()):
            return (value,)
        case ast.Attribute(value=value, attr=attr) if attr in _READS:
            return (value,)
        case ast.Compare(left=left, comparators=others):
            return (left, *others)
        case ast.Call(func=ast.Name(id="dict"), args=given):
            return given
        case ast.Dict(keys=keys, values=values):
            return [value for key, value in zip(keys, values, strict=True) if key is None]
        case ast.For(iter=value) | ast.comprehension(iter=value):
            return (value,)
        case ast.BinOp(left=left, right=right):
            return (left, right)
    return ()
