"""Text as LaTeX prints it."""

_CHARACTERS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    **{character: f"${character}$" for character in "<>|"},
}


def latex_text(text: str) -> str:
    """`text` with what LaTeX would take for its own written out."""
    return "".join(_CHARACTERS.get(character, character) for character in text)
