"""The schema's mutations: each is the function of its name, with the input's fields."""

import json
from types import SimpleNamespace

from .nodes import MANIFEST, Artifact, Collection, Manifest, Run
from .selection import Given
from .store import RefusalError, Store
from .sweeps import Agent, Sweep

Payload = SimpleNamespace

_SAME = ("display_name", "description", "notes", "job_type", "tags", "host", "commit", "state")
_BUCKET = dict(zip(_SAME, _SAME, strict=True)) | {
    "config": "config_text",
    "summary_metrics": "summary_text",
    "group_name": "group",
    "job_repo": "github",
    "sweep": "sweep_name",
}


def upsert_bucket(store: Store, given: Given) -> Payload:
    """What isn't given or null stays; config and summary are replaced whole."""
    if given.id:
        run = store.node(given.id, Run)
        project = store.writable(run.project.entity, run.project.name)
    else:
        project = store.writable(given.entity_name, given.model_name)
        run = project.runs.get(given.name)
    is_new = run is None
    run = run or store.make_run(project, given.name)
    for argument, attribute in _BUCKET.items():
        if given.get(argument) is not None:
            setattr(run, attribute, given[argument])
    if run.state == "pending":  # an agent got it, and now it begins
        run.state = "running"
    run.updated_at = store.now()
    return Payload(bucket=run, inserted=is_new)


def upsert_model(store: Store, given: Given) -> Payload:
    is_new = store.visible(given.entity_name, given.name) is None
    project = store.writable(given.entity_name, given.name)
    project.description = given.description or project.description
    return Payload(project=project, model=project, inserted=is_new)


def delete_run(store: Store, given: Given) -> Payload:
    run = store.node(given.id, Run)
    del store.writable(run.project.entity, run.project.name).runs[run.name]
    del store.nodes[run.id]
    return Payload()


def create_run_files(store: Store, given: Given) -> Payload:
    run = store.writable_run(given.entity_name, given.project_name, given.run_name)
    files = [store.file(run, name) for name in given.files]
    return Payload(run_id=run.id, upload_headers=[], files=files)


def create_artifact(store: Store, given: Given) -> Payload:
    """A pending version; or the one that a retry means, or that has the same digest."""
    project = store.writable(given.entity_name, given.project_name)
    run = given.run_name and store.writable_run(project.entity, project.name, given.run_name)
    (name,) = given.artifact_collection_names or [given.artifact_collection_name]
    collection = project.collections.get(name) or store.make(
        Collection, project=project, name=name, type=given.artifact_type_name
    )
    project.collections[name] = collection
    known = [one for one in collection.versions if one.client_id == given.client_id is not None]
    if given.enable_digest_deduplication:
        known += [one for one in collection.committed if one.digest == given.digest]
    artifact = next(iter(known), None) or store.make(
        Artifact,
        collection=collection,
        current_manifest=store.make(Manifest),
        digest=given.digest,
        created_by=run,
        client_id=given.client_id,
        description=given.description,
        metadata=given.metadata,
        history_step=given.history_step,
    )
    if not known:
        collection.versions.append(artifact)
    store.clients[given.client_id] = artifact
    artifact.wanted_aliases = [alias["alias"] for alias in given.aliases or []]
    if artifact.is_committed:
        collection.aliases |= dict.fromkeys(artifact.wanted_aliases, artifact)
    if run:
        run.logged = [one for one in run.logged if one is not artifact] + [artifact]
        run.updated_at = store.now()
    return Payload(artifact=artifact)


def create_artifact_manifest(store: Store, given: Given) -> Payload:
    manifest = store.node(given.artifact_id, Artifact).current_manifest
    manifest.declared[MANIFEST] = given.digest
    return Payload(artifact_manifest=manifest)


def create_artifact_files(store: Store, given: Given) -> Payload:
    files = []
    for spec in given.artifact_files:
        artifact = store.node(spec["artifactID"], Artifact)
        artifact.declared[spec["name"]] = spec["md5"]
        headers = [f"Content-MD5: {spec['md5']}"]
        files.append(store.file(artifact, spec["name"], artifact=artifact, upload_headers=headers))
    return Payload(files=files)


def commit_artifact(store: Store, given: Given) -> Payload:
    artifact = store.node(given.artifact_id, Artifact)
    store.problems += [f"{artifact.path}: {problem}" for problem in artifact.commit()]
    artifact.updated_at = store.now()
    return Payload(artifact=artifact)


def use_artifact(store: Store, given: Given) -> Payload:
    run = store.writable_run(given.entity_name, given.project_name, given.run_name)
    artifact = store.node(given.artifact_id, Artifact)
    run.used = [one for one in run.used if one is not artifact] + [artifact]
    run.updated_at = store.now()
    return Payload(artifact=artifact)


def upsert_sweep(store: Store, given: Given) -> Payload:
    if given.id:
        sweep = store.node(given.id, Sweep)
    else:
        project = store.writable(given.entity_name, given.project_name)
        sweep = store.make(Sweep, project=project)
        project.sweeps[sweep.name] = sweep
    for name in ("config", "state", "description", "display_name"):
        if given.get(name) is not None:
            setattr(sweep, name, given[name])
    sweep.updated_at = store.now()
    return Payload(sweep=sweep, config_validation_warnings=[])


def create_agent(store: Store, given: Given) -> Payload:
    sweep = store.writable(given.entity_name, given.project_name).sweeps.get(given.sweep)
    if sweep is None:
        raise RefusalError(404, f"sweep {given.sweep} not found")
    agent = store.make(Agent, sweep=sweep, host=given.host)
    return Payload(agent=agent)


def agent_heartbeat(store: Store, given: Given) -> Payload:
    agent = store.node(given.id, Agent)
    agent.heartbeat_at = store.now()
    commands = agent.sweep.commands(store, json.loads(given.run_state or "{}"))
    return Payload(agent=agent, commands=json.dumps(commands))
