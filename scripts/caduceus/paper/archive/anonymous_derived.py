"""The derived files of an anonymous archive: made again, from runs with pseudonyms."""

from collections.abc import Sequence
from pathlib import Path

from caduceus.errors import ResultError
from caduceus.paper.archive.anonymous import Anonymity
from caduceus.paper.archive.check import make_derived
from caduceus.paper.archive.contents import Contents

# What a paper shows: pseudonyms must not change a byte of it.
_SHOWN = ("paper/tables/", "paper/figures/")


def add_derived_again(
    contents: Contents,
    anonymity: Anonymity,
    derived: Sequence[Path],
    results: Path,
    folder: Path,
    cores: int,
) -> None:
    """Make the derived files from the other files of an archive, and add them.

    Args:
        contents: the other files, with pseudonyms.
        anonymity: the pseudonyms.
        derived: the derived files, by their paths in results/.
        results: the folder results/ of the project.
        folder: an empty folder, which must stay until the archive is written.
        cores: the number of parallel jobs.

    Raises:
        ResultError: they can't be made, or a table or figure isn't the same.
    """
    for name, entry in contents.entries.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(entry.read())
    made = make_derived(folder, cores)
    for path in derived:
        name = anonymity.pseudonyms.in_text(path.as_posix())
        again = made / name
        if not again.is_file():
            raise ResultError(
                "isn't made from an anonymous archive; report it with the project's config.yaml",
                str(results / path),
            )
        is_shown = path.as_posix().startswith(_SHOWN)
        if is_shown and again.read_bytes() != (results / path).read_bytes():
            raise ResultError(
                "is another one with pseudonyms: it shows a name, or packages have changed since "
                "it was made; take the name out, or make it again",
                str(results / path),
            )
        contents.add(f"derived/{name}", again)
