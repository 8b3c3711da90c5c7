"""Escape text for Markdown."""

import re

# These end a cell, or start code, emphasis, a struck word or a link. An underscore inside a word,
# as in most names, isn't emphasis.
_SPECIAL = re.compile(r"[\\|*`]|~~|(?<![^\W_])_|_(?![^\W_])|(?<=\])[(\[]")
_ENTITY = re.compile(r"&(?=#?\w+;)")


def markdown_text(text: str) -> str:
    """Return `text` on one line, with the characters escaped that Markdown would read as markup."""
    escaped = _SPECIAL.sub(
        lambda found: "".join(f"\\{c}" for c in found[0]), " ".join(text.split())
    )
    return _ENTITY.sub("&amp;", escaped).replace("<", "&lt;")
