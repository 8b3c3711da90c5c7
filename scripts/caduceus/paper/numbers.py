r"""Numbers of the paper's tables for its running text: \caduceus{TABLE.ROW.COLUMN} in LaTeX."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from caduceus.io.files import read_json
from caduceus.paper.labels import parameter_text
from caduceus.paper.latex import latex_number
from caduceus.paper.rounding import Digits, round_p

_HEAD = r"""% Numbers of the paper's tables for running text. In the preamble:
%   \input{results/paper/numbers}
% Then \caduceus{TABLE.ROW.COLUMN}, or \caduceus{ROW.COLUMN} where only one table has such a cell,
% is a value as the table shows it. With .spread after it, it is the value with what stands beside
% it; with .n, its number of runs; with .p, the p of its comparison with the best.
\makeatletter
\providecommand{\caduceus}[1]{%
  \@ifundefined{caduceus@#1}%
    {\PackageError{caduceus}{No table has the number '#1'}{See results/paper/numbers.tex.}}%
    {\@nameuse{caduceus@#1}}}
"""
_UNSAFE = re.compile(r"[\\{}%#~^$&\s]+")  # characters that LaTeX doesn't read as part of a name


def numbers_latex(tables: Sequence[Path]) -> str:
    r"""Return the definitions of \caduceus and of each number of the tables, its runs in a comment.

    An unknown key is an error of LaTeX that names it. Where two cells of a table have the same key,
    neither has one; so it is if one's suffix, as .n, makes it that of the other. A short key that
    may mean another number is left out.

    Args:
        tables: NAME.json of the paper's tables.
    """
    cells = [(key, cell) for path in tables for key, cell in _cells(read_json(path))]
    texts = [dict(_texts(cell)) for _, cell in cells]
    whole, short = (
        Counter(
            of(key) + suffix for (key, _), own in zip(cells, texts, strict=True) for suffix in own
        )
        for of in (".".join, _short)
    )
    lines = []
    for (key, cell), own in zip(cells, texts, strict=True):
        names = {of(key): [of(key) + suffix for suffix in own] for of in (".".join, _short)}
        if any(whole[name] > 1 for name in names[".".join(key)]):
            continue
        is_clear = all(short[name] == 1 and not whole[name] for name in names[_short(key)])
        keys = [".".join(key), _short(key)] if is_clear else [".".join(key)]
        lines.append(f"% {keys[0]}: runs {', '.join(cell['runs'])}\n")
        for name in keys:
            lines += [
                rf"\@namedef{{caduceus@{name}{suffix}}}{{{text}}}" + "\n"
                for suffix, text in own.items()
            ]
    return _HEAD + "".join(lines) + "\\makeatother\n"


def _cells(table: Mapping[str, Any]) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    """Yield the cells of a table, each with its key: the table, the row and the column."""
    for row in table["rows"]:
        label = ",".join(filter(None, map(parameter_text, row["labels"])))
        for heading, cell in row["cells"].items():
            yield (_safe(table["name"]), _safe(label), _safe(heading)), cell


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name)


def _short(key: tuple[str, str, str]) -> str:
    return f"{key[1]}.{key[2]}"


def _texts(cell: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield what each suffix of a key stands for."""
    digits = Digits(cell["decimals"], cell.get("exponent", 0))
    value, *ends = digits.texts(cell["value"], cell["spread"])
    power = rf" \times 10^{{{digits.exponent}}}" if digits.exponent else ""
    value, *ends = map(latex_number, (value, *ends))
    yield "", rf"\ensuremath{{{value}{power}}}"
    spread = rf" \pm {ends[0]}" if len(ends) == 1 else rf"\ [{', '.join(ends)}]" if ends else ""
    both = rf"({value}{spread}){power}" if power and spread else f"{value}{spread}{power}"
    yield ".spread", rf"\ensuremath{{{both}}}"
    yield ".n", str(cell["n"])
    if cell["p"] is not None:
        p = latex_number(round_p(cell["p"]))
        yield ".p", rf"\ensuremath{{{p}}}"
