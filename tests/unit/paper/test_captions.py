"""The caption of a figure as files."""

from pathlib import Path

from caduceus.paper.figures.captions import write_caption
from caduceus.paper.figures.failed import figure_files


def test_a_caption_has_the_title_and_what_the_numbers_say(tmp_path: Path) -> None:
    write_caption(tmp_path / "f.json", "Accuracy, 50 % of all", "Over 3 runs:\n95 % interval.")

    assert (tmp_path / "f.tex").read_text().splitlines() == [
        r"% \begin{figure}",
        r"%   \centering",
        r"%   \includegraphics{results/paper/figures/f}",
        r"%   \input{results/paper/figures/f}",
        r"% \end{figure}",
        r"\caption{Accuracy, 50 \% of all. Over 3 runs: 95 \% interval.}",
        r"\label{fig:f}",
    ]
    assert (tmp_path / "f.md").read_text() == "Accuracy, 50 % of all. Over 3 runs: 95 % interval.\n"
    assert {"f.tex", "f.md"} <= {path.name for path in figure_files(tmp_path / "f.json")}


def test_a_caption_without_a_title_begins_with_its_sentences(tmp_path: Path) -> None:
    write_caption(tmp_path / "f.json", "", "Over 3 runs.")
    assert r"\caption{Over 3 runs.}" in (tmp_path / "f.tex").read_text()
