"""The parts of the appendix, and how Markdown and LaTeX show them."""

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass

from caduceus.io.markdown import markdown_text
from caduceus.paper.latex import latex_text

_CODE_WIDTH = 58  # letters in a line of code, which fit into one of two columns


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list of facts, each with its name."""

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Code:
    """Commands, a line each; a long one is broken at spaces."""

    lines: Sequence[str]

    @property
    def broken(self) -> list[str]:
        """The lines that fit into a column."""
        return [
            " \\\n".join(
                textwrap.wrap(
                    line,
                    _CODE_WIDTH,
                    subsequent_indent="  ",
                    break_long_words=False,
                    break_on_hyphens=False,
                )
            )
            for line in self.lines
        ]


Block = Text | Items | Code


@dataclass(frozen=True)
class Section:
    """A part with a title."""

    title: str
    blocks: Sequence[Block]


def to_markdown(title: str, sections: Sequence[Section]) -> str:
    """Return the appendix as Markdown."""
    parts = [f"# {title}"]
    for section in sections:
        parts += [f"## {section.title}", *map(_markdown, section.blocks)]
    return "\n\n".join(parts) + "\n"


def to_latex(title: str, sections: Sequence[Section]) -> str:
    """Return the appendix as LaTeX for a paper, without packages beyond LaTeX's own."""
    parts = [f"% \\appendix before it, if the paper has none.\n\\section{{{latex_text(title)}}}"]
    for section in sections:
        parts += [f"\\subsection{{{latex_text(section.title)}}}", *map(_latex, section.blocks)]
    return "\n\n".join(parts) + "\n"


def _markdown(block: Block) -> str:
    if isinstance(block, Text):
        return markdown_text(block.text)
    if isinstance(block, Items):
        return "\n".join(f"- **{name}:** {markdown_text(text)}" for name, text in block.rows)
    return "\n".join(["```sh", *block.broken, "```"])


def _latex(block: Block) -> str:
    if isinstance(block, Text):
        return _breakable(block.text)
    if isinstance(block, Items):
        rows = [
            f"\\item \\textbf{{{latex_text(name)}:}} {_breakable(text)}"
            for name, text in block.rows
        ]
        return "\n".join(["\\begin{itemize}\\raggedright", *rows, "\\end{itemize}"])
    lines = [
        "\\begin{scriptsize}\\begin{verbatim}",
        *block.broken,
        "\\end{verbatim}\\end{scriptsize}",
    ]
    return "\n".join(lines)


def _breakable(text: str) -> str:
    """Return a text whose paths may be broken after a slash or an underscore."""
    return latex_text(text).replace("/", "/\\allowbreak{}").replace("\\_", "\\_\\allowbreak{}")
