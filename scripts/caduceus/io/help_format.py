"""The help of a command as text."""

import argparse


class Help(argparse.HelpFormatter):
    """Wraps the paragraphs of a docstring, and keeps the lines of its indented examples."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        filled = super()._fill_text
        parts = text.split("\n\n")
        return "\n\n".join(
            part if part.startswith("    ") else filled(part, width, indent) for part in parts
        )
