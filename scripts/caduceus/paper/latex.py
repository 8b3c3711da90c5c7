"""Escape text for LaTeX."""

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


def latex_text(text: str) -> str:
    """Return `text` with LaTeX's special characters escaped."""
    return "".join(_CHARACTERS.get(character, character) for character in text)
