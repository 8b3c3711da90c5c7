"""Text as LaTeX prints it."""

_CHARACTERS = {
    "\\": r"\textbackslash{}",
    "~": r"\textasciitilde{}",
    "^": r"\textasciicircum{}",
    **{character: "\\" + character for character in "&%$#_{}"},
    **{character: f"${character}$" for character in "<>|"},
    # In a table either would be an option of the \\ that ends the line before.
    **{character: f"{{{character}}}" for character in "[*"},
    "±": r"$\pm$",
    "×": r"$\times$",
    "–": "--",
    "†": r"$^{\dagger}$",
}


def latex_text(text: str) -> str:
    """`text` with what LaTeX would take for its own written out."""
    return "".join(_CHARACTERS.get(character, character) for character in text)
