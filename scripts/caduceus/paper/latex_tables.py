r"""Write a table in LaTeX, so that it fits the column of a page.

How wide a column is and what fonts it has, only LaTeX knows. So a file holds the table twice: with
intervals beside the values, and narrower, with intervals below them and names broken. A macro sets
the first in the largest type in which it fits, or else the second, which is scaled where even
\scriptsize is too wide.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from itertools import zip_longest

from caduceus.paper.latex import latex_number, latex_text
from caduceus.paper.marks import Mark
from caduceus.paper.table_content import Table
from caduceus.paper.table_texts import Format, texts, titled

_MACROS = r"""
% Needs \usepackage{booktabs}; \newcommand{\caduceusnotes}[1]{} leaves the notes out.
\providecommand{\caduceusnotes}[1]{%
  \par\smallskip\begin{minipage}{\linewidth}\footnotesize\sloppy #1\end{minipage}}
% Sets the wide table in the largest type in which it fits, or else the narrow one.
\providecommand{\caduceustable}[2]{\begingroup
  \sbox0{#1}%
  \ifdim\wd0>\linewidth\tabcolsep=4pt \sbox0{\small #1}\fi
  \ifdim\wd0>\linewidth\sbox0{\footnotesize #1}\fi
  \ifdim\wd0>\linewidth\sbox0{\small #2}\fi
  \ifdim\wd0>\linewidth\tabcolsep=3pt \sbox0{\footnotesize #2}\fi
  \ifdim\wd0>\linewidth\sbox0{\scriptsize #2}\fi
  \ifdim\wd0>\linewidth
    \ifdefined\resizebox\sbox2{\resizebox{\linewidth}{!}{\usebox0}}\else\sbox2{\tiny #2}\fi
    \sbox0{\usebox2}\fi
  \usebox0\endgroup}
""".strip().splitlines()
# Where a name may be broken beside its spaces: nearest_|neighbour, Italy|Power|Demand.
_INSIDE = re.compile(r"(?<=[_/:.-])(?=[^\W\d_])|(?<=[a-z])(?=[A-Z])")
_IN_ONE_LINE = 14  # characters of a head such as "accuracy (%)", which stays so if there is room
_INTERVAL_SIZE = 0.75  # of \scriptstyle against the type around it
Lines = list[str]  # of a cell


def as_latex(table: Table) -> str:
    """Return a tabular and its notes, to be used inside a table environment.

    Comments at its head show how to write that environment. The notes are the argument of a macro,
    so that a paper can redefine how they are shown, or leave them out.
    """
    lines = [
        *_MACROS,
        r"\caduceustable{%",
        *_wide(table),
        "}{%",
        *_narrow(table),
        "}",
        r"\caduceusnotes{%",
        *[f"  {latex_text(' '.join(note.split()))}" for note in table.notes],
        "}",
    ]
    return latex_head(table.name, table.title) + "\n".join(lines) + "\n"


def latex_head(name: str, title: str) -> str:
    """Return the comments that show how a paper includes a table."""
    lines = [
        r"% \begin{table}",
        rf"%   \caption{{{latex_text(' '.join(title.split()))}}}",
        rf"%   \label{{tab:{name}}}",
        r"%   \centering",
        rf"%   \input{{results/paper/tables/{name}}}",
        r"% \end{table}",
    ]
    return "\n".join(lines) + "\n"


def _wide(table: Table) -> Lines:
    """Return the tabular with intervals beside values; only heads are broken, at their spaces."""
    _, plain = texts(table, _PLAIN)
    widths = [max(map(len, column), default=1) for column in zip(*plain, strict=True)]
    _, body = texts(table, _LATEX)
    header = [
        _wrapped(title, max(width, _IN_ONE_LINE))
        for title, width in zip(_titles(table), widths, strict=True)
    ]
    return _tabular(table, header, widths, [[[cell] for cell in cells] for cells in body])


def _narrow(table: Table) -> Lines:
    """Return the tabular with intervals below values; heads and labels are broken."""
    _, plain = texts(table, _PLAIN_BELOW)
    _, body = texts(table, _LATEX_BELOW)
    labels = len(table.label_names)
    columns = list(zip(*plain, strict=True))
    widths = [
        _in_two_lines(column) if place < labels else _number_width(column)
        for place, column in enumerate(columns)
    ]
    header = [
        _wrapped(title, width, inside=True)
        for title, width in zip(_titles(table), widths, strict=True)
    ]
    rows = [
        [
            [*map(latex_text, _wrapped(label, width))]
            for label, width in zip(shown[:labels], widths, strict=False)
        ]
        + [cell.splitlines() for cell in cells[labels:]]
        for shown, cells in zip(plain, body, strict=True)
    ]
    return _tabular(table, header, widths, rows)


def _in_two_lines(labels: Sequence[str]) -> int:
    """Return the least number of characters in which each label takes at most two lines."""
    longest = max(map(len, labels), default=1)
    return next(
        (
            width
            for width in range(1, longest)
            if all(
                len(wrapped := _wrapped(label, width)) <= 2
                and max(map(len, wrapped), default=0) <= width
                for label in labels
            )
        ),
        longest,
    )


def _number_width(cells: Sequence[str]) -> int:
    """Return how many characters wide a column of values above their intervals is."""
    widths = [1]
    for cell in cells:
        value, *interval = cell.splitlines()
        widths += [len(value), *(int(_INTERVAL_SIZE * len(text)) for text in interval)]
    return max(widths)


def _wrapped(text: str, width: int, inside: bool = False) -> Lines:
    """Break a text into lines of at most `width` characters, as far as it has places for that.

    Args:
        text: the text.
        width: the number of characters; a longer part without such a place widens all lines.
        inside: whether a name may be broken between its parts, too.
    """
    marked = _INSIDE.sub("\n", " ".join(text.split())) if inside else " ".join(text.split())
    first, *rest = re.split("([ \n])", marked)
    longest = max(map(len, [first, *rest]))
    lines = [first]
    for gap, part in zip(rest[::2], rest[1::2], strict=True):
        longer = lines[-1] + gap.strip("\n") + part
        if len(longer) <= max(width, longest):
            lines[-1] = longer
        else:
            lines.append(part)
    return lines


def _tabular(
    table: Table, header: Sequence[Lines], widths: Sequence[int], rows: Sequence[Sequence[Lines]]
) -> Lines:
    """Return the lines of a tabular.

    Args:
        table: the table.
        header: the lines of each column's title.
        widths: about how many characters wide each column is.
        rows: by row, the lines of each cell.
    """
    labels = len(table.label_names)
    columns = "l" * labels + "r" * (len(header) - labels)
    titles = [[*map(latex_text, lines)] for lines in header]
    is_high = any(len(lines) > 1 for cells in rows for lines in cells)
    body: Lines = []
    for cells in rows:
        if body and is_high:
            body.append(r"\addlinespace")
        body += [_row(line) for line in zip_longest(*cells, fillvalue="")]
    return [
        rf"\begin{{tabular}}{{{columns}}}",
        r"\toprule",
        *_heads(table, widths),
        *map(_row, zip(*_at_the_bottom(titles), strict=True)),
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
    ]


def _row(cells: Sequence[str]) -> str:
    return " & ".join(cells) + r" \\"


def _at_the_bottom(cells: Sequence[Lines]) -> list[Lines]:
    """Fill cells up from above, so that all have as many lines."""
    height = max(map(len, cells))
    return [[""] * (height - len(lines)) + lines for lines in cells]


def _heads(table: Table, widths: Sequence[int]) -> Lines:
    """Return the rows of titles above several columns, with a rule below each."""
    if not table.heads:
        return []
    start = len(table.label_names)
    rules, titles, place = [], [], start
    for head in table.heads:
        count = len(head.columns)
        between = 3 * (count - 1)
        titles.append(_wrapped(head.title, sum(widths[place : place + count]) + between))
        if head.title:
            rules.append(rf"\cmidrule(lr){{{place + 1}-{place + count}}}")
        place += count
    lines = []
    for line in zip(*_at_the_bottom(titles), strict=True):
        spans = [
            rf"\multicolumn{{{len(head.columns)}}}{{c}}{{{latex_text(title)}}}"
            for head, title in zip(table.heads, line, strict=True)
        ]
        lines.append(_row([""] * start + spans + [""] * (len(widths) - place)))
    return [*lines, " ".join(rules)]


def _titles(table: Table) -> Lines:
    """Return the titles of all columns, those below the title of several in short."""
    header, _ = texts(table, _PLAIN)
    short = {heading: title for head in table.heads for heading, title in head.columns.items()}
    for place, heading in enumerate(table.headings, start=len(table.label_names)):
        header[place] = titled(short.get(heading, heading), table.unit(heading), _PLAIN)
    return header


def _latex_number(
    value: str, interval: Sequence[str], mark: Mark | None, is_second: bool, is_below: bool = False
) -> str:
    value, *ends = map(latex_number, (value, *interval))
    shown = rf"\mathbf{{{value}}}" if mark == "best" else value
    shown = rf"\underline{{{value}}}" if is_second else shown
    # \rlap gives the dagger no width, so that the digits of a column stay aligned.
    dagger = r"\rlap{$^{\dagger}$}" if mark == "tied" else ""
    if not ends:
        return f"${shown}${dagger}"
    spread = rf"\pm {ends[0]}" if len(ends) == 1 else f"[{', '.join(ends)}]"
    if is_below:
        return f"${shown}${dagger}\n" rf"$\scriptstyle {spread}$"
    gap = " " if len(ends) == 1 else r"\ "
    return f"${shown}{gap}{spread}${dagger}"


def _plain_number(value: str, interval: Sequence[str], *_: object, between: str = " ") -> str:
    spread = f"± {interval[0]}" if len(interval) == 1 else f"[{', '.join(interval)}]"
    return f"{value}{between}{spread}" if interval else value


_LATEX = Format(escape=latex_text, number=_latex_number, to="--", absent="--")
_LATEX_BELOW = replace(_LATEX, number=partial(_latex_number, is_below=True))
# The same texts without LaTeX's commands: their numbers of characters estimate the widths.
_PLAIN = Format(escape=str, number=_plain_number, to="–", absent="–")
_PLAIN_BELOW = replace(_PLAIN, number=partial(_plain_number, between="\n"))
