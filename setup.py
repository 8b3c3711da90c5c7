"""Lets links of README.md lead to the repository where the package's page on PyPI shows it.

All else about the package is in pyproject.toml.
"""

import re
from typing import Any

from setuptools import Distribution, setup

_PICTURE = re.compile(r"!\[([^]]*)\]\((?![a-z]+:|#)([^)\s]+)\)")
_LINK = re.compile(r"\]\((?![a-z]+:|#)([^)\s]+)\)")


class WithAddresses(Distribution):
    """Caduceus, described by README.md as it is at the version's tag, with addresses in links."""

    def parse_config_files(self, *arguments: Any, **options: Any) -> None:
        """Read pyproject.toml."""
        super().parse_config_files(*arguments, **options)
        source, tag = self.metadata.project_urls["Source"], f"v{self.metadata.version}"
        text = _PICTURE.sub(rf"![\1]({source}/raw/{tag}/\2)", self.metadata.long_description)
        self.metadata.long_description = _LINK.sub(rf"]({source}/blob/{tag}/\1)", text)


setup(distclass=WithAddresses)
