"""The names of the folders of W&B groups."""

import re

from caduceus.io.files import digest_text

_UNGROUPED = "ungrouped"  # the folder of runs without a group


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
    is_own = name == group and group.strip(".") and group != _UNGROUPED
    return name if is_own else f"{name}-{digest_text(group)[:6]}"
