"""Write a figure's caption for a paper, made from what its numbers say."""

from pathlib import Path

from caduceus.io.files import write_whole
from caduceus.io.markdown import markdown_text
from caduceus.paper.latex import latex_text


def caption_files(out: Path) -> list[Path]:
    """Return the files of a figure's caption; `out` is a file of the figure."""
    return [out.with_name(f"{out.stem}.{kind}") for kind in ("tex", "md")]


def write_caption(out: Path, title: str, caption: str) -> None:
    r"""Write NAME.tex, with \caption and \label, and NAME.md.

    Args:
        out: NAME.json.
        title: of the figure.
        caption: the sentences on its marks, n, intervals and tests.
    """
    name = out.stem
    first = " ".join(title.split())
    if first and not first.endswith((".", "!", "?")):
        first += "."
    text = f"{first} {' '.join(caption.split())}".strip()
    latex, markdown = caption_files(out)
    lines = [
        r"% \begin{figure}",
        r"%   \centering",
        rf"%   \includegraphics{{results/paper/figures/{name}}}",
        rf"%   \input{{results/paper/figures/{name}}}",
        r"% \end{figure}",
        rf"\caption{{{latex_text(text)}}}",
        rf"\label{{fig:{name}}}",
    ]
    write_whole(latex, "\n".join(lines) + "\n")
    write_whole(markdown, f"{markdown_text(text)}\n")
