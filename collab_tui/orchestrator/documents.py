"""A pipeline as JSON values and back: what is kept of a run so that another process can go on with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from collab_tui.orchestrator.agent import Agent
from collab_tui.orchestrator.agents import Command, Session, from_document
from collab_tui.orchestrator.plan import OnError, Pipeline, Policy, ReplyKind, Role, Task


def document_of(pipeline: Pipeline, policy: Policy) -> dict[str, Any]:
    """All of a pipeline but its callables, with the policy that it goes by."""
    return {
        "name": pipeline.name,
        "goal": pipeline.goal,
        "policy": asdict(policy),
        "values": dict(pipeline.values),
        "path": pipeline.path,
        "digest": pipeline.digest,
        "roles": [_role_document(role) for role in pipeline.roles.values()],
        "tasks": [task_document(task) for task in pipeline.tasks],
    }


def pipeline_of(document: Mapping[str, Any]) -> Pipeline:
    """The pipeline again; roles of callables have no agent. Raises `ValueError`, `TypeError` or `KeyError`."""
    roles = [_role_of(role) for role in document["roles"]]
    policy = dict(document["policy"])
    return Pipeline(
        name=document["name"],
        tasks=tuple(task_of(task) for task in document["tasks"]),
        roles={role.name: role for role in roles},
        goal=document["goal"],
        policy=Policy(**policy | {"on_error": OnError(policy["on_error"])}),
        values=document["values"],
        path=document["path"],
        digest=document["digest"],
    )


def is_of_callables(pipeline: Pipeline) -> bool:
    """Of a run that is kept: some of its agents are not, as only the program that started it has them."""
    used = {name for task in pipeline.tasks for name in (task.role, task.review)}
    return any(role.agent is None for name, role in pipeline.roles.items() if name in used)


def task_document(task: Task) -> dict[str, Any]:
    """What is said of a task."""
    plain = Task(task.key)
    told: dict[str, Any] = {"key": task.key}
    for field in fields(task):
        value = getattr(task, field.name)
        if field.name != "source" and value != getattr(plain, field.name):
            told[field.name] = list(value) if isinstance(value, tuple) else value
    return told


def task_of(document: Mapping[str, Any]) -> Task:
    """The task again."""
    told = dict(document)
    on_error = told.pop("on_error", None)
    needs = tuple(told.pop("needs", ()))
    return Task(**told, needs=needs, on_error=OnError(on_error) if on_error is not None else None)


def _role_document(role: Role) -> dict[str, Any]:
    return {
        "name": role.name,
        "size": role.size,
        "prompt": role.prompt,
        "reply": role.reply,
        "timeout": role.timeout,
        "may_add": role.may_add,
        "review": role.review,
        "agent": role.agent.document() if isinstance(role.agent, Command | Session) else None,
    }


def _role_of(document: Mapping[str, Any]) -> Role:
    told = dict(document)
    agent, reply = told.pop("agent"), ReplyKind(told.pop("reply"))
    made: Agent | None = from_document(agent) if agent is not None else None
    return Role(**told, agent=made, reply=reply)
