"""Write text and numbers for LaTeX."""

import re

_CHARACTERS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    **{character: f"${character}$" for character in "<>|"},
    # At the start of a table row, LaTeX reads either as an option of the \\ before it.
    **{character: f"{{{character}}}" for character in "[*"},
    "±": r"$\pm$",
    "×": r"$\times$",
    "–": "--",
    "†": r"$^{\dagger}$",
}
_RAISED = re.compile("[⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+")
_LOWERED = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def latex_text(text: str) -> str:
    """Return `text` with LaTeX's special characters escaped."""
    escaped = "".join(_CHARACTERS.get(character, character) for character in text)
    return _RAISED.sub(lambda found: f"$^{{{found[0].translate(_LOWERED)}}}$", escaped)


def failed_latex(what: str, error: str) -> str:
    """Return a box that says in a paper that something couldn't be made, and why."""
    text = latex_text(" ".join(error.split()))
    return (
        r"\fbox{\parbox{0.9\linewidth}{\raggedright\textbf{"
        rf"{latex_text(what)} failed:}} {text}}}}}"
        "\n"
    )


def latex_number(number: str) -> str:
    """Return a number such as 4.2e-08 as LaTeX writes it."""
    digits, _, power = number.partition("e")
    return rf"{digits} \times 10^{{{int(power)}}}" if power else number
