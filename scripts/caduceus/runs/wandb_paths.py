"""Paths on a W&B server: of a project, `[ENTITY/]PROJECT`, and of a run, `ENTITY/PROJECT/RUN`."""

import re
from dataclasses import dataclass

from caduceus.errors import SpecError

_WORD = r"(?!\.{1,2}(?:/|$))[^/\\#?%:\s]+"  # what W&B allows, but for the names of folders above
_PROJECT = re.compile(rf"(?:(?P<entity>{_WORD})/)?(?P<project>{_WORD}(?: +{_WORD})*)")


@dataclass(frozen=True, order=True)
class ProjectPath:
    """The path of a project.

    Attributes:
        entity: the W&B user or team that owns it; empty for the account's default entity.
        project: its name.
    """

    entity: str
    project: str

    @classmethod
    def parse(cls, text: str) -> "ProjectPath":
        """Read `[ENTITY/]PROJECT`.

        Raises:
            SpecError: `text` isn't of this form.
        """
        found = _PROJECT.fullmatch(text)
        if found is None:
            raise SpecError(
                f"found the W&B project {text!r}, allowed: PROJECT or ENTITY/PROJECT, without "
                r"\ # ? % : and without spaces in ENTITY; see wandb.project and wandb.entity",
                "config.yaml",
            )
        return cls(found["entity"] or "", found["project"])

    def __str__(self) -> str:
        return f"{self.entity}/{self.project}" if self.entity else self.project

    @property
    def variables(self) -> dict[str, str]:
        """The path as variables of a GraphQL query."""
        return {"entity": self.entity, "project": self.project}

    def run(self, run_id: str) -> "RunPath":
        """Return the path of a run of this project."""
        return RunPath(self.entity, self.project, run_id)


@dataclass(frozen=True, order=True)
class RunPath:
    """The path of a run; `entity` is empty for the account's default entity."""

    entity: str
    project: str
    run: str

    def __str__(self) -> str:
        return f"{self.project_path}/{self.run}"

    @property
    def project_path(self) -> ProjectPath:
        """The path of its project."""
        return ProjectPath(self.entity, self.project)

    @property
    def variables(self) -> dict[str, str]:
        """The path as variables of a GraphQL query."""
        return {**self.project_path.variables, "run": self.run}
