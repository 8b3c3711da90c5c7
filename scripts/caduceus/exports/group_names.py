"""The names of the folders of W&B groups."""

import re

from caduceus.io.files import digest_text
from caduceus.io.names import is_safe_name

_UNGROUPED = "ungrouped"  # the folder of runs without a group
_LONGEST = 200  # characters of a name, to which files inside and the digest may add


def group_folder(group: str, owner: str = "") -> str:
    """Return the name of the folder of a W&B group, whose own name may have any characters.

    Args:
        group: the group's name; empty for runs without a group.
        owner: the entity and project, if several have a group of this name.
    """
    if owner:
        return group_folder(f"{owner}/{group or _UNGROUPED}")
    if not group:
        return _UNGROUPED
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", group)
    # The digest tells it from a group whose own name is the cleaned one.
    is_own = name == group and is_safe_name(group) and group.strip(".") and group != _UNGROUPED
    if is_own and len(name) <= _LONGEST:
        return name
    made = f"{name[:_LONGEST]}-{digest_text(group)[:6]}"
    return made if is_safe_name(made) else f"_{made}"  # that of a device, such as `con.x`
