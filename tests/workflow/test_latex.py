"""Debian's LaTeX sets what Caduceus writes for a paper."""

import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import appendices
import pytest
from caduceus.paper.appendix.blocks import to_latex
from caduceus.paper.appendix.content import TITLE, appendix
from caduceus.paper.numbers import numbers_latex
from debian_packages import UnavailableError, install
from ledgers import Results, add_everything
from paper_tables import SPEC, Made, make, three_kinds
from projects import Project
from shipped_tables import SHIPPED, make_shipped

ARTICLE = r"\documentclass{article}"
# Each sets the width of text that a venue's template has, and loads its packages for graphics.
DOCUMENTS = {
    "article": ARTICLE,
    "neurips": ARTICLE + r"\usepackage[textwidth=5.5in]{geometry}",
    "icml": r"\documentclass[twocolumn]{article}\usepackage{graphicx}"
    r"\usepackage[textwidth=6.75in,columnsep=0.25in]{geometry}",
}
Compile = Callable[..., tuple[str, str]]
LATEX = ("texlive-latex-recommended", "poppler-utils")


@pytest.fixture(scope="session")
def compiled(tmp_path_factory: pytest.TempPathFactory) -> Compile:
    """Compiles a table as a paper of a class has it: the text of its page and LaTeX's log."""
    try:
        install(("pdflatex", "pdftotext"), LATEX)
    except UnavailableError as error:
        pytest.skip(f"no LaTeX: {error}")

    def compile_table(made: Made, document: str = ARTICLE) -> tuple[str, str]:
        folder = tmp_path_factory.mktemp("latex")
        # The lines that the file itself says to write.
        said = [line[2:] for line in made.text("tex").splitlines() if line.startswith("% ")]
        table = "\n".join(said[: said.index(r"\end{table}") + 1])
        (folder / "results/paper").mkdir(parents=True)
        shutil.copytree(made.folder, folder / "results/paper/tables")
        (folder / "paper.tex").write_text(
            f"{document}\n\\usepackage{{booktabs}}\n\\begin{{document}}\n"
            f"{table}\n\\end{{document}}\n"
        )
        words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
        finished = subprocess.run(words, cwd=folder, capture_output=True, text=True)
        assert finished.returncode == 0, finished.stdout[-2000:]
        text = subprocess.run(
            ["pdftotext", "-layout", "paper.pdf", "-"], cwd=folder, capture_output=True, text=True
        )
        return text.stdout, finished.stdout

    return compile_table


def test_a_real_latex_sets_what_the_file_holds(project: Project, compiled: Compile) -> None:
    made = make(
        project,
        three_kinds(10),
        SPEC
        | {
            "title": "Accuracy, 50 % of {all} & more_of #1",
            "published": [
                {"parameters": {"rate": 0.1}, "value": 0.79, "interval": 0.02},
                {"label": "[a] ~ 5% of $x_1$ <|> ^\\", "value": 1},
                {"label": "* b", "value": 2},
            ],
        },
    )
    text, log = compiled(made)

    assert "Overfull" not in log
    # What LaTeX's default font draws as rules and accents.
    for drawn, meant in (("˜", "~"), ("ˆ", "^"), ("∗", "*")):
        text = text.replace(drawn, meant)
    words = " ".join(text.split())
    assert "Table 1: Accuracy, 50 % of {all} & more of #1" in words
    for cell in made.cells().values():
        half = (cell["high"] - cell["low"]) / 2
        dagger = "†" if cell["mark"] == "tied" else ""
        assert f"{cell['value']:.3f} ± {half:.3f}{dagger} 10" in words
    assert "0.790 ± 0.020" in words
    assert "[a] ~ 5% of $x 1$ <|> ^\\" in words
    assert re.search(r"\* ?b – – 2", words)
    assert "Mean ± half the 95 % interval over n seeds (Student’s t)." in words


@pytest.mark.parametrize("name", SHIPPED)
def test_a_table_that_ships_fits_the_text_of_each_venue(
    tmp_path: Path, compiled: Compile, name: str
) -> None:
    made = make_shipped(tmp_path / name, name)
    cells = [cell for row in made.value["rows"] for cell in row["cells"].values()]
    for document in DOCUMENTS.values():
        text, log = compiled(made, document)
        assert "Overfull" not in log
        for cell in cells:
            assert f"{cell['value']:.{cell['decimals']}f}" in text


def test_a_table_of_six_metrics_fits_and_keeps_its_intervals(
    project: Project, compiled: Compile
) -> None:
    headings = [f"accuracy of the held-out part number {place}" for place in range(6)]
    made = make(
        project, three_kinds(10), SPEC | {"metrics": dict.fromkeys(headings, "val/accuracy")}
    )
    for document in DOCUMENTS.values():
        text, log = compiled(made, document)
        assert "Overfull" not in log
        lines = text.splitlines()
        for cell in made.cells(headings[0]).values():
            half = f"±{(cell['high'] - cell['low']) / 2:.3f}"
            value = f"{cell['value']:.3f}"
            [place] = [at for at, line in enumerate(lines) if line.count(value) == 6]
            assert "".join(lines[place : place + 2]).replace(" ", "").count(half) == 6


def test_a_table_with_room_keeps_the_size_of_the_text_and_its_intervals_beside(
    project: Project, compiled: Compile
) -> None:
    made = make(project, three_kinds(10))
    path = made.folder / "t.tex"
    text = path.read_text()
    sized = text.replace(r"\usebox0\endgroup", r"\typeout{<\the\wd0>}\usebox0\endgroup")
    plain = r"\newcommand{\caduceustable}[2]{\sbox0{#1}\typeout{<\the\wd0>}\usebox0}"
    widths = []
    for changed in (sized, f"{plain}\n{text}"):
        path.write_text(changed)
        _, log = compiled(made)
        widths += re.findall(r"<([\d.]+)pt>", log)

    assert len(widths) == 2 and widths[0] == widths[1]


def test_a_paper_may_leave_the_notes_out(project: Project, compiled: Compile) -> None:
    made = make(project, three_kinds(10), statistic="iqm", interval="bca", resamples=200)
    path = made.folder / "t.tex"
    silent = re.search(r"\\newcommand\{\\caduceusnotes\}\[1\]\{\}", path.read_text())
    assert silent
    shown, _ = compiled(made)
    path.write_text(
        path.read_text().replace(r"\providecommand", silent[0] + "\n\\providecommand", 1)
    )
    left_out, _ = compiled(made)

    assert "BCa bootstrap" in shown and "BCa bootstrap" not in left_out
    cell = made.cells()["rate=0.1"]
    assert f"[{cell['low']:.3f}, {cell['high']:.3f}]" in left_out


def test_running_text_takes_numbers_of_tables_and_an_unknown_key_is_named(
    project: Project, compiled: Compile
) -> None:
    made = make(project, three_kinds(10))
    table = made.folder / "t.tex"
    macros = numbers_latex([made.folder / "t.json"])
    sentence = r"The best has \caduceus{0.1.accuracy.spread} in \caduceus{t.0.1.accuracy.n} runs."
    table.write_text(f"{table.read_text()}{macros}{sentence}\n")
    text, _ = compiled(made)

    cell = made.cells()["rate=0.1"]
    half = (cell["high"] - cell["low"]) / 2
    assert f"The best has {cell['value']:.3f} ± {half:.3f} in 10 runs." in " ".join(text.split())
    table.write_text(table.read_text().replace(r"\caduceus{t.0.1", r"\caduceus{t.0.9"))
    with pytest.raises(AssertionError, match=r"No table has the number 't\.0\.9\.accuracy\.n'"):
        compiled(made)


def test_a_real_latex_sets_it_within_the_columns_of_neurips(tmp_path: Path) -> None:
    results = Results(tmp_path / "results")
    add_everything(results)
    results.sum()
    try:
        install(("pdflatex",), ("texlive-latex-recommended",))
    except UnavailableError as error:
        pytest.skip(f"no LaTeX: {error}")
    (tmp_path / "paper.tex").write_text(
        "\\documentclass{article}\n\\usepackage{booktabs}\n"
        "\\usepackage[textwidth=5.5in]{geometry}\n\\begin{document}\n"
        "\\input{results/paper/compute}\n\\end{document}\n"
    )
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    finished = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout[-2000:]
    assert "Overfull" not in finished.stdout


@pytest.mark.parametrize("document", ["article", "article}[twocolumn"])
def test_a_real_latex_sets_the_appendix_on_the_artifact(tmp_path: Path, document: str) -> None:
    try:
        install(("pdflatex", "pdftotext"), LATEX)
    except UnavailableError as error:
        pytest.skip(f"no LaTeX: {error}")
    name, _, option = document.partition("}[")
    text = to_latex(TITLE, appendix(appendices.data()))
    (tmp_path / "appendix.tex").write_text(text)
    (tmp_path / "paper.tex").write_text(
        f"\\documentclass[{option}]{{{name}}}\n\\begin{{document}}\n\\appendix\n"
        "\\input{appendix}\n\\end{document}\n"
    )
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"]
    finished = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout[-2000:]
    assert "Overfull" not in finished.stdout
    shown = subprocess.run(
        ["pdftotext", "paper.pdf", "-"], cwd=tmp_path, capture_output=True, text=True
    )
    words_shown = " ".join(shown.stdout.split())
    assert "Artifact appendix" in words_shown
    assert "Training 4 runs again decides better, bound." in words_shown
    assert "5 % & more of #1" in words_shown
