"""Fields of the schema that aren't simply an attribute of what has them."""

import json
import re
from collections import Counter
from types import SimpleNamespace
from typing import Any

from .nodes import MANIFEST, Artifact, Collection, Holder, Project, Run
from .selection import Given, evenly, sampled, select
from .store import Store


def named(node_id: str, **attributes: Any) -> SimpleNamespace:
    return SimpleNamespace(id=node_id, **attributes)


def viewer(store: Store, source: Any, given: Given) -> SimpleNamespace:
    user = store.user
    return named(
        user,
        name=user,
        username=user,
        entity=user,
        email=f"{user}@example.org",
        flags="{}",
        api_keys=[],
        teams=[named(name, name=name) for name in store.entities if name != user],
    )


def entity(store: Store, source: Any, given: Given) -> SimpleNamespace | None:
    name = source.entity if isinstance(source, Project) else given.name
    return named(name, name=name) if name in store.entities else None


def project(store: Store, source: Any, given: Given) -> Project | None:
    return store.visible(given.entity_name, given.name)


def projects(store: Store, source: Any, given: Given) -> list[Project]:
    wanted = given.entity_name or store.user
    held = [one for (owner, _), one in store.projects.items() if owner == wanted]
    return held if wanted in store.entities else []


def runs(store: Store, project: Project, given: Given) -> list[Run]:
    return select(project.runs.values(), given.filters, given.order)


def run(store: Store, project: Project, given: Given) -> Run | None:
    return project.runs.get(given.name)


def history(store: Store, run: Run, given: Given) -> list[str]:
    """Lines as they came: samples of all, or the first of those within some steps."""
    if given.min_step is None or given.max_step is None:
        return evenly(run.history_lines, given.samples)
    rows = zip(run.steps, run.history_lines, strict=True)
    steps = range(given.min_step, given.max_step)
    return [line for step, line in rows if step in steps][: given.samples]


def history_keys(store: Store, run: Run, given: Given) -> dict[str, Any] | None:
    counts = Counter(key for row in run.history for key in row)
    keys = {key: {"typeCounts": [{"type": "number", "count": n}]} for key, n in counts.items()}
    last = max((step for step in run.steps if step is not None), default=-1)
    return {"lastStep": last, "sets": [], "keys": keys} if keys else None


def files(store: Store, source: Any, given: Given) -> list[SimpleNamespace]:
    """Those of some names, or of a pattern of SQL's LIKE."""
    holder = source if isinstance(source, Holder) else source.artifact
    like = re.compile(re.escape(given.pattern or "%").replace("%", ".*").replace("_", "."))
    names = given.names or [name for name in holder.files if like.fullmatch(name)]
    return [store.file(holder, name) for name in names if name in holder.files]


def membership(collection: Collection | None, alias: str) -> SimpleNamespace | None:
    artifact = collection.find(alias) if collection else None
    return artifact and named(
        f"Membership-{artifact.id}",
        version_index=artifact.version_index,
        created_at=artifact.created_at,
        aliases=aliases(None, artifact, None),
        artifact_collection=collection,
        artifact=artifact,
    )


def membership_by_name(store: Store, project: Project, given: Given) -> SimpleNamespace | None:
    name, _, alias = given.name.partition(":")
    return membership(project.collections.get(name), alias or "latest")


def artifact_by_name(store: Store, project: Project, given: Given) -> Artifact | None:
    return getattr(membership_by_name(store, project, given), "artifact", None)


def client_id_mapping(store: Store, _: Any, given: Given) -> SimpleNamespace | None:
    artifact = store.clients.get(given.client_id)
    return artifact and SimpleNamespace(server_id=artifact.id)


def artifact_type(store: Store, source: Any, given: Given) -> SimpleNamespace:
    return named(source.type, name=source.type)


def aliases(store: Any, artifact: Artifact, given: Any) -> list[SimpleNamespace]:
    return [
        named(f"{artifact.id}/{alias}", alias=alias, artifact_collection=artifact.collection)
        for alias in artifact.aliases
    ]


# By type and field: the name of another attribute, or a rule of the store, of what has the field,
# and of the arguments. A list where the schema has a connection is given in pages.
FIELDS: dict[str, Any] = {
    "Query.viewer": viewer,
    "Query.entity": entity,
    "Query.serverInfo": lambda store, _, given: SimpleNamespace(features=[]),
    "Query.project": project,
    "Query.model": project,
    "Query.models": projects,
    "Query.artifact": lambda store, _, given: store.nodes.get(given.id),
    "Query.clientIDMapping": client_id_mapping,
    "Project.internalId": "number",
    "Project.entity": entity,
    "Project.entityName": "entity",
    "Project.user": viewer,
    "Project.readOnly": lambda store, one, given: not store.entities[one.entity],
    "Project.runs": runs,
    "Project.runCount": lambda *of: len(runs(*of)),
    "Project.run": run,
    "Project.bucket": run,
    "Project.totalSweeps": lambda store, project, given: len(project.sweeps),
    "Project.sweep": lambda store, project, given: project.sweeps.get(given.sweep_name),
    "Project.artifact": artifact_by_name,
    "Project.artifactCollection": lambda store, one, given: one.collections.get(given.name),
    "Project.artifactCollectionMembership": membership_by_name,
    "Run.projectId": "project.number",
    "Run.user": viewer,
    "Run.exitcode": "exit_code",
    "Run.runInfo": lambda store, run, given: run.metadata,
    "Run.config": "config_text",
    "Run.wandbConfig": lambda store, run, given: json.dumps(run.config.get("_wandb", {})),
    "Run.summaryMetrics": "summary_text",
    "Run.historyKeys": history_keys,
    "Run.historyLineCount": lambda store, run, given: len(run.history_lines),
    "Run.eventsLineCount": lambda store, run, given: len(run.event_lines),
    "Run.logLineCount": lambda store, run, given: len(run.console),
    "Run.historyTail": lambda store, run, given: json.dumps(run.history_lines[-1:]),
    "Run.eventsTail": lambda store, run, given: json.dumps(run.event_lines[-1:]),
    "Run.history": history,
    "Run.events": lambda store, run, given: evenly(run.event_lines, given.samples),
    "Run.sampledHistory": lambda store, run, given: [sampled(run, spec) for spec in given.specs],
    "Run.parquetHistory": lambda *of: SimpleNamespace(parquet_urls=[], live_data=[]),
    "Run.fileCount": lambda store, run, given: len(run.files),
    "Run.files": files,
    "Run.inputArtifacts": "used",
    "Run.outputArtifacts": "artifacts",
    "ArtifactSequence.defaultArtifactType": artifact_type,
    "ArtifactSequence.latestArtifact": lambda store, one, given: one.find("latest"),
    "ArtifactSequence.artifactMembership": lambda _, one, given: membership(one, given.alias_name),
    "ArtifactCollectionMembership.files": files,
    "Artifact.artifactSequence": "collection",
    "Artifact.artifactType": artifact_type,
    "Artifact.ttlDurationSeconds": lambda *of: -2,  # as long as the collection says
    "Artifact.ttlIsInherited": lambda *of: True,
    "Artifact.tags": lambda *of: [],
    "Artifact.fileCount": lambda store, artifact, given: len(artifact.entries),
    "Artifact.aliases": aliases,
    "Artifact.files": files,
    "ArtifactManifest.file": lambda store, manifest, given: store.file(manifest, MANIFEST),
    "ArtifactManifest.digest": lambda store, manifest, given: manifest.declared.get(MANIFEST),
    "Sweep.runCount": lambda store, sweep, given: len(sweep.runs),
}
