"""Write the topics of Python's own `help()` as one text: `python make_text.py FOLDER`.

The module pydoc_data.topics comes with every Python, under the licence of the PSF. It holds
chapters of the language reference, half a million characters. Another version of Python has
another wording.
"""

import sys
from pathlib import Path
from pydoc_data.topics import topics


def main(folder: Path) -> None:
    text = "\n\n".join(topics[name] for name in sorted(topics))
    (folder / "text.txt").write_text("".join(c for c in text if c.isascii()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
