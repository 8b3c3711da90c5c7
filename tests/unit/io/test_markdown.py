"""Text in Markdown is shown as it is; what is read by a Markdown parser comes out unchanged."""

import html
import re

import pytest
from caduceus.io.markdown import markdown_text
from markdown import markdown
from markdown_it import MarkdownIt

PARSERS = {
    "python-markdown": lambda text: markdown(text, extensions=["tables"]),
    "CommonMark": MarkdownIt("commonmark").enable("table").render,
}

TEXTS = [
    "a | b",
    "two\nlines",
    "<img src=x onerror=alert(1)>",
    "*bold* and **more**",
    "_word_",
    "__init__",
    "val_loss",
    "`code`",
    "a~b",
    "[link](javascript:alert(1))",
    "&lt;b&gt;",
    "a & b",
    r"back\slash \| and \*",
    "layers=[1, 2]",
    "[a][b]",
    "x*y*z",
]


@pytest.mark.parametrize("parser", PARSERS)
@pytest.mark.parametrize("text", TEXTS)
def test_a_cell_shows_its_text(text: str, parser: str) -> None:
    page = PARSERS[parser](f"| a | b |\n|---|---|\n| {markdown_text(text)} | end |")
    cells = re.findall("<td>(.*?)</td>", page)
    shown = html.unescape(cells[0])
    assert cells[1:] == ["end"]
    assert not re.search("<(?!/?td)", cells[0])
    assert shown == " ".join(text.split())


def test_struck_words_of_github_are_escaped() -> None:
    assert markdown_text("~~a~~") == r"\~\~a\~\~"


def test_ordinary_names_stay_as_they_are() -> None:
    for text in ("val_loss", "learning_rate=0.1", "a & b", "layers=[1, 2]", "0.5 – 0.7 (3 runs)"):
        assert markdown_text(text) == text
