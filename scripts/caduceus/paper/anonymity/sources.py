"""Where packages come from: hosts in files that list packages, one of which may be a group's."""

import re

from caduceus.paper.anonymity.search import Place

_LISTS = re.compile(
    r"(?:.*/)?(?:uv\.lock|poetry\.lock|pyproject\.toml|requirements[^/]*\.txt"
    r"|environment\.(?:txt|ya?ml)|environments\.json)"
)
_HOST = re.compile(rb"https?://(?:[^/@\s\"']+@)?([\w.-]+)")
_PUBLIC = frozenset(
    (
        *("pypi.org", "files.pythonhosted.org", "test.pypi.org", "download.pytorch.org"),
        *("download-r2.pytorch.org", "pypi.nvidia.com", "conda.anaconda.org"),
    )
)


def hosts_in(name: str, data: bytes) -> list[Place]:
    """Return the hosts in a file that lists packages, less those of public indexes.

    Args:
        name: of the file; in another than a list of packages no hosts are looked for.
        data: its content.
    """
    if not _LISTS.fullmatch(name):
        return []
    lines: dict[str, int] = {}
    for number, line in enumerate(data.splitlines(), 1):
        for found in _HOST.finditer(line):
            lines.setdefault(found[1].decode(errors="replace").lower(), number)
    return [
        Place(f"line {number}", f"the host {host}")
        for host, number in lines.items()
        if host not in _PUBLIC
    ]
