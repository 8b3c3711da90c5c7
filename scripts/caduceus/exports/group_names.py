"""The names of the folders of W&B groups."""

import re

from caduceus.io.files import digest_text

_UNGROUPED = "ungrouped"  # the folder of runs without a group


def group_folder(group: str, owner: str = "") -> str:
    """The name of the folder of a W&B group, which may be called anything.

    Args:
        group: its name; empty for the runs of none.
        owner: who it belongs to, where there are groups of several.
    """
    if owner:
        return group_folder(f"{owner}/{group or _UNGROUPED}")
    if not group:
        return _UNGROUPED
    name = re.sub(r"[^A-Za-z0-9_.-]", "_", group)
    # Another group may be called what is left of this one's name.
    is_own = name == group and group.strip(".") and group != _UNGROUPED
    return name if is_own else f"{name}-{digest_text(group)[:6]}"
