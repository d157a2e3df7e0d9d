"""What Codex asks the person through us: each request of its protocol as a question, and its answer made of theirs.

Tools are shown in the words in which its hooks show them.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from collab_tui.model.board import RequestKind
from collab_tui.model.shown import fields_of, in_full, title_of
from collab_tui.model.text import clean, one_line
from collab_tui.model.tool_lines import short
from collab_tui.sessions.driver import Question, QuestionAnswer
from collab_tui.sessions.drivers.json_lines import object_of, objects_of, text_of

Ask = Callable[[Question], Awaitable[QuestionAnswer | None]]
_Given = Mapping[str, Any]

_COMMAND: Final = "item/commandExecution/requestApproval"
_FILES: Final = "item/fileChange/requestApproval"
_PERMISSIONS: Final = "item/permissions/requestApproval"
_INPUT: Final = "item/tool/requestUserInput"
_ELICITATION: Final = "mcpServer/elicitation/request"
CHANGES: Final = frozenset({_COMMAND, _FILES, _PERMISSIONS})
"""What an agent that may change nothing does not get."""
_PROFILE: Final = {"fileSystem": "files outside its folder", "network": "the network"}
_SHELL: Final = "Bash"
_PATCH: Final = "apply_patch"
"""Its tools, as its hooks name them."""
_MOST_QUESTIONS: Final = 10


@dataclass(frozen=True, slots=True)
class Asked:
    """One request of the program: what is asked, and what its answer is made of."""

    questions: Sequence[Question]
    """In order; one that is not answered ends them."""
    made: Callable[[list[QuestionAnswer]], Mapping[str, Any]]
    """The answer to the program: of as many answers as questions were answered."""

    async def answer(self, ask: Ask) -> Mapping[str, Any]:
        """Ask the person, and make the program's answer."""
        answers: list[QuestionAnswer] = []
        for question in self.questions:
            answer = await ask(question)
            if answer is None:
                break
            answers.append(answer)
        return self.made(answers)


def refusal(method: str) -> Mapping[str, Any]:
    """The answer to a request that the person is not asked."""
    match method:
        case "item/permissions/requestApproval":
            return {"permissions": {}}
        case "item/tool/requestUserInput":
            return {"answers": {}}
        case "mcpServer/elicitation/request":
            return {"action": "decline"}
        case _:
            return {"decision": "decline"}


def _approval(method: str, text: str, lines: Sequence[str], granted: Mapping[str, Any]) -> Asked:
    def made(answers: list[QuestionAnswer]) -> Mapping[str, Any]:
        return granted if answers and answers[0].is_approved else refusal(method)

    return Asked([Question(RequestKind.APPROVAL, one_line(clean(text)), clean("\n".join(lines)) or None)], made)


def command(line: str) -> tuple[str, dict[str, Any]]:
    """The tool that carries out a command, as its hooks name it, and what it is given."""
    return _SHELL, {"command": _without_shell(line)}


def _command(params: _Given, _: object, is_part_shown: bool) -> Asked:
    line, cwd = text_of(params, "command"), text_of(params, "cwd")
    network = object_of(params.get("networkApprovalContext"))
    given: dict[str, Any] = {"command": line}
    title = title_of(*command(line), cwd)
    if host := text_of(network, "host"):
        given |= {"host": host, "protocol": text_of(network, "protocol")}
        title = f"{_SHELL} to reach {short(host)}"
    if params.get("kind") == "writeStdin":
        title = f"{_SHELL} to give a command that runs its input"
    given["description"] = text_of(params, "reason")
    lines = [*_heads(_SHELL, cwd), *_fields(_SHELL, given, is_part_shown)]
    return _approval(_COMMAND, f"Allow {title}?", lines, {"decision": "accept"})


def _without_shell(command: str) -> str:
    """What stands in a shell's quotes, for the title: the details have it all."""
    shell, _, rest = command.partition(" -lc ")
    return rest.strip("'\"") if rest and "/" in shell and " " not in shell else command


def _files(params: _Given, changes: object, is_part_shown: bool) -> Asked:
    named = paths(changes)
    if not named:  # nobody can judge what is not known
        return Asked([], lambda _: refusal(_FILES))
    what = f"{short(named[0])}{f' and {len(named) - 1} more' if len(named) > 1 else ''}"
    lines = in_full("all under it, from now on", root) if (root := text_of(params, "grantRoot")) else []
    for change in objects_of(changes):
        how = text_of(object_of(change.get("kind")), "type")
        given = {"path": text_of(change, "path"), "kind": how, "diff": text_of(change, "diff")}
        lines += _fields(_PATCH, given, is_part_shown)
    lines += _fields(_PATCH, {"description": text_of(params, "reason")}, is_part_shown)
    return _approval(_FILES, f"Allow changes of {what}?", lines, {"decision": "accept"})


def paths(changes: object) -> list[str]:
    """The files that are to be changed."""
    return [path for change in objects_of(changes) if (path := text_of(change, "path"))]


def _permissions(params: _Given, _: object, is_part_shown: bool) -> Asked:
    asked = object_of(params.get("permissions"))
    wanted = {name: asked[name] for name in _PROFILE if asked.get(name)}
    what = " and ".join(told for name, told in _PROFILE.items() if name in wanted)
    lines = [
        *_heads("", text_of(params, "cwd")),
        *in_full("wanted", json.dumps(wanted, ensure_ascii=False, indent=2)),
        *_fields("", {"description": text_of(params, "reason")}, is_part_shown),
    ]
    granted = {"permissions": wanted, "scope": "turn"}
    return _approval(_PERMISSIONS, f"Allow the use of {what or 'more'}, in this turn?", lines, granted)


def _input(params: _Given, _: object, __: bool) -> Asked:
    """Questions of the agent. A secret is not asked: what is answered stands in the registry for all."""
    listed = objects_of(params.get("questions"))[:_MOST_QUESTIONS]
    asked = [each for each in listed if each.get("isSecret") is not True and text_of(each, "id")]

    def made(answers: list[QuestionAnswer]) -> Mapping[str, Any]:
        told = zip(asked, answers, strict=False)  # those after one that nobody answers have no answer either
        return {
            "answers": {
                text_of(each, "id"): {"answers": [part for part in (answer.text, answer.comment) if part]}
                for each, answer in told
            }
        }

    return Asked([_question(each) for each in asked], made)


def _question(given: _Given) -> Question:
    offered = objects_of(given.get("options"))
    options = [label for each in offered if (label := text_of(each, "label"))]
    told = [f"{text_of(each, 'label')}: {text_of(each, 'description')}" for each in offered]
    text = one_line(clean(text_of(given, "question"))) or "A question"
    kind = RequestKind.CHOICE if options else RequestKind.QUESTION
    return Question(kind, text, clean("\n".join(map(one_line, told))) or None, options)


def _elicitation(params: _Given, _: object, is_part_shown: bool) -> Asked:
    """What a server of tools asks. Of a form that has one field, or none: a person fills in no more on a board."""
    server, message, about = text_of(params, "serverName"), text_of(params, "message"), object_of(params.get("_meta"))
    tool = f"mcp__{server}__{text_of(about, 'tool_name')}" if "tool_name" in about else ""
    text = f"Allow {title_of(tool, {}, '')}?" if tool else f"{short(server)} asks: {short(message)}"
    lines = [*_heads(tool, ""), *in_full("asks", message), *_fields("", {"url": text_of(params, "url")}, is_part_shown)]
    given = {**object_of(about.get("tool_params")), "description": text_of(about, "tool_description")}
    lines += _fields(tool, given, is_part_shown)
    form = object_of(params.get("requestedSchema")).get("properties")
    if params.get("mode") == "url" or not form:
        granted = {"action": "accept", **({"content": {}} if isinstance(form, dict) else {})}
        return _approval(_ELICITATION, text, lines, granted)
    if not isinstance(form, dict) or len(form) != 1:
        return Asked([], lambda _: refusal(_ELICITATION))
    ((name, field),) = form.items()
    return _field(name, object_of(field), text, lines)


def _field(name: str, field: _Given, text: str, lines: list[str]) -> Asked:
    """A form with one field."""
    kind, options = field.get("type"), field.get("enum")
    lines = [*lines, *in_full(one_line(name), text_of(field, "description") or "what it asks for")]
    if kind == "boolean":
        return _approval(_ELICITATION, text, lines, {"action": "accept", "content": {name: True}})
    if kind != "string":
        return Asked([], lambda _: refusal(_ELICITATION))
    listed = [option for option in options if isinstance(option, str)] if isinstance(options, list) else []

    def made(answers: list[QuestionAnswer]) -> Mapping[str, Any]:
        answer = answers[0].text if answers and answers[0].is_approved else None
        return {"action": "accept", "content": {name: answer}} if answer is not None else refusal(_ELICITATION)

    asked_as = RequestKind.CHOICE if listed else RequestKind.QUESTION
    return Asked([Question(asked_as, one_line(clean(text)), clean("\n".join(lines)), listed)], made)


def _heads(tool: str, cwd: str) -> list[str]:
    heads = [f"{name}: {one_line(clean(value))}" for name, value in (("tool", tool), ("in", cwd)) if value]
    return [*heads, ""] if heads else []


def _fields(tool: str, given: dict[str, Any], is_part_shown: bool) -> list[str]:
    told = {name: value for name, value in given.items() if value != ""}
    return fields_of(tool, told, is_part_shown=is_part_shown)


ASKED: Final[Mapping[str, Callable[[_Given, object, bool], Asked]]] = {
    _COMMAND: _command,
    _FILES: _files,
    _PERMISSIONS: _permissions,
    _INPUT: _input,
    _ELICITATION: _elicitation,
}
"""Method -> the question that is made of its parameters, and of the changes of files that it is about.

The third argument as of `model.shown.fields_of`.
"""
