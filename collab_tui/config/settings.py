"""Every setting, each declared once: default, what it means, which values it takes, whose file may set it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from collab_tui.config import values
from collab_tui.config.source import Source
from collab_tui.config.workers import DecideRule, Start, WorkerSettings, read_decide, whole
from collab_tui.model.moment import Limits, Order
from collab_tui.model.requests import is_person
from collab_tui.model.words import name_key

if TYPE_CHECKING:
    from collab_tui.config.rules import Rule
    from collab_tui.config.streams import StreamSettings


class ConfigError(Exception):
    """Config files cannot be used; each problem says which file and line, why, and what to do about it."""

    def __init__(self, *problems: str) -> None:
        more = len(problems) - 1
        rest = f" (and {more} more: `collab-tui config` lists {'it' if more == 1 else 'them'})" if more else ""
        super().__init__(problems[0] + rest)
        self.problems = problems


class Column(StrEnum):
    """What the agents pane can tell of an agent beside its sign and name."""

    ROLE = "role"
    STATUS = "status"
    PROGRESS = "progress"
    AGE = "age"
    TASK = "task"
    NEEDS = "needs"
    NEXT = "next"
    MESSAGE = "message"


class Notifications(StrEnum):
    """How the person is told that something new waits."""

    OFF = "off"
    BELL = "bell"
    DESKTOP = "desktop"


class ToolInput(StrEnum):
    """What is recorded of the input of a tool that an agent uses."""

    SUMMARY = "summary"
    """One short line, with what looks like a secret masked. Of what it is to be allowed, commands in full and a part of
    what it writes.
    """
    NAME = "name"
    """Only which tool it was. Of what it is to be allowed, commands in full and how much it writes where."""
    OFF = "off"
    """Nothing, so that nothing it is to be allowed is asked on the board either."""


@dataclass(frozen=True, slots=True)
class HookSettings:
    """What `collab-tui hook` does beside telling what an agent's program is doing."""

    tool_input: str = ToolInput.SUMMARY.value
    prompts: bool = True
    """The first line of what the person asks of an agent, of its answers and of its questions is recorded."""
    permissions: bool = True
    """What an agent may not do unasked becomes a request on the board."""
    permission_wait: float = 720
    """Minutes for which such a request waits, where the agent's program waits as long."""
    brief: bool = True
    """An agent is told at the start of its session what happened."""
    heartbeat: float = 30
    """Seconds between two signs of life that are recorded."""


@dataclass(frozen=True, slots=True)
class SessionSettings:
    """Where agents' sessions work."""

    worktrees: str | None = None
    """The folder of all worktrees; None: each repository has one beside it."""
    base: str | None = None
    """What a new branch begins at; None: at what is checked out beside the registry."""


@dataclass(frozen=True, slots=True)
class AgentSettings:
    """What is set for one agent."""

    memory: str | None = None
    """The name of its memory file."""
    folder: str | None = None
    """Where that is, seen from the registry's folder."""


@dataclass(frozen=True, slots=True)
class Restricted:
    """The part of a project's file that is in force only once the person allowed that very content."""

    path: Path
    content: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Config:
    """All settings in force."""

    person: str = "human"
    stale_after: float = 30
    stale_after_working: float = 5
    theme: str = "collab-dark"
    order: str = Order.NEED.value
    columns: Sequence[str] = tuple(column.value for column in Column if column is not Column.MESSAGE)
    poll: float | None = None
    """Seconds between looks at the registry; None: its folder is watched."""
    notifications: str = Notifications.BELL.value
    ascii: bool = False
    reduced_motion: bool = False
    keys: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Command id -> its keys as the file has them; `tui.keymap` knows which there are."""
    approvers: Mapping[str, str] = field(default_factory=dict)
    """Name of a person -> the public key, as `ed25519:BASE64`, that that person's decisions are signed with."""
    hooks: HookSettings = HookSettings()
    sessions: SessionSettings = SessionSettings()
    agents: Mapping[str, AgentSettings] = field(default_factory=dict)
    """Name -> what is set for it; compared as names are."""
    notify_command: Sequence[str] | None = None
    """The user's own program that notifies them; the monitor runs it."""
    rules: Sequence[Rule] = ()
    """What the monitor does by itself, in the order of the files."""
    streams: Sequence[StreamSettings] = ()
    """Where the monitor hears of tasks, in the order of the files."""
    workers: WorkerSettings = field(default_factory=WorkerSettings)
    decide: Sequence[DecideRule] = ()
    """Which events of streams need a decision, beside the usual ones, in the order of the files."""
    sources: Mapping[str, Source] = field(default_factory=dict)
    """Setting, or `table.name` for what stands in a table -> where it was set; not there: it is the default."""
    waiting: Restricted | None = None
    """What the project's file sets that the person did not allow; it is not in force."""

    def is_a_persons(self, name: str) -> bool:
        """The name is the person's, or an approver's: whoever decides with a signature. No program writes under it."""
        return is_person(name, self.person) or name_key(name) in map(name_key, self.approvers)

    @property
    def limits(self) -> Limits:
        """The silence limits as durations."""
        return Limits(timedelta(minutes=self.stale_after), timedelta(minutes=self.stale_after_working))


class Scope(Enum):
    """Whose file may set something."""

    ANYONE = "user and project"
    USER = "the user's alone"
    RESTRICTED = "the user's, and a project's once the person allowed that very content"


class Shape(Enum):
    """How a setting stands in a file."""

    VALUE = "name = value"
    TABLE = "[name]"
    """Its names are settings of their own: each file adds some, and each knows where it came from."""
    LIST = "[[name]]"
    """As many as wanted; each file adds some."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    name: str
    """As the file has it; `table.name` for a value that stands in a table."""
    example: str
    """The default, or an example where there is none, as TOML."""
    meaning: str
    read: Callable[[Any], Any]
    """Gives the value; raises `values.WrongError` with what is wanted."""
    scope: Scope = Scope.ANYONE
    shape: Shape = Shape.VALUE
    read_in_project: Callable[[Any], Any] | None = None
    """Reads it in a project's file, where that may not set all that the user's may."""


def _rule(value: Any) -> Rule:
    """A rule of the user's own file."""
    from collab_tui.config.rules import read_rule  # a start without rules need not pay for it

    return read_rule(value)


def _project_rule(value: Any) -> Rule:
    """A rule of a project's file."""
    from collab_tui.config.rules import read_project_rule

    return read_project_rule(value)


def _stream(value: Any) -> StreamSettings:
    """A stream of the user's own file."""
    from collab_tui.config.streams import read_stream  # a start without streams need not pay for it

    return read_stream(value)


def _project_stream(value: Any) -> StreamSettings:
    """A stream of a project's file."""
    from collab_tui.config.streams import read_project_stream

    return read_project_stream(value)


def _agent(value: Any) -> AgentSettings:
    """What is set for one agent."""
    return AgentSettings(**values.record(memory=values.memory_name, folder=values.name)(value))


_RULE_EXAMPLE: Final = """\
name = "wake lubit at 80 %"
on = true            # a rule is off until it is switched on
when = { event = "status_update", from = "sena", progress_crosses = 80 }
                     # also: status, verdict, request_to, or alone silent_for (minutes) or deadlock = true
then = { message = "lubit", text = "{from} is at {progress} %: {task}" }
                     # or notify = "text"; in your own file also run = ["program", "argument"], time_limit = "30s",
                     # or prompt = "lubit", text = "...", which wakes the session of that name
cool_down = "0s"     # not again for the same agent within it, "5m" for example; left out it is "1m", but "0s" for
                     # what is one of its own each time: a request, a decision, a deadlock, a threshold crossed
per_hour = 10        # and not more often
depth = 1            # what it causes does not set it off again: 2 lets it once, and so on
"""

_DECIDE_EXAMPLE: Final = """\
status = "review"            # one or more of status, priority, project, stream and title have to hold together
title = ["security", "auth"] # one of these stands in its title
template = "high_priority"   # what the decision worker is told; or skip = true: no decision is needed
"""


def _worker_setting(name: str, example: str, meaning: str, read: Callable[[Any], Any]) -> Setting:
    return Setting(f"workers.{name}", example, meaning, read, Scope.USER)


WORKER_SETTINGS: Final = (
    _worker_setting("decision_agent", '"claude"', "the agent that judges what is to be done next", values.name),
    _worker_setting("execution_agent", '"claude"', "the agent that does a task", values.name),
    _worker_setting(
        "start",
        '"ask"',
        f"how one that does a task starts: {values.listed(Start)}; ask: once you approve",
        values.one_of(Start),
    ),
    _worker_setting("auto_limit", "5", "with auto: so many a day, then you are asked", whole(1, 1000)),
    _worker_setting("max_decisions", "2", "decision workers at once", whole(1, 20)),
    _worker_setting("max_executions", "3", "execution workers at once", whole(1, 20)),
    _worker_setting("per_hour", "20", "decision workers that start within an hour", whole(1, 1000)),
    _worker_setting("cool_down", '"5m"', "between two decisions on one task", values.duration(least=0, most=86_400)),
    _worker_setting("decision_limit", '"10m"', "for one decision", values.duration(least=1, most=86_400)),
    _worker_setting("execution_limit", '"4h"', "for one task", values.duration(least=1, most=604_800)),
    _worker_setting(
        "queue",
        "50",
        "decisions on events that wait; of more, the least urgent are dropped, and it is told",
        whole(1, 1000),
    ),
    _worker_setting(
        "report",
        '["notify-hub"]',
        "your own program; what became of each worker is on its standard input",
        values.program,
    ),
)

_STREAM_EXAMPLE: Final = """\
name = "hub"
folder = "~/shop"    # the project that it is for; in your own file only, which holds for all
url = "https://hub.example/events"
headers = { Authorization = "Bearer ${HUB_TOKEN}" }
                     # filled in from the monitor's environment; in your own file only
events = ["task_updated"]
                     # give each an id: one without is known by all that it says, so with another time it is another
fields = { task = "task_id", status = "status", priority = "priority", project = "project", title = "title" }
                     # where the JSON of an event has them; a dot leads into an object
keep_alive = "30s"   # the server says something at least so often; three times as long without a word is a lost line
"""

SETTINGS: Final = (
    Setting("person", '"human"', "your name: under it you answer and are asked", values.name, Scope.USER),
    Setting(
        "stale_after",
        "30",
        "minutes without a sign of life until a waiting or blocked agent counts as silent",
        values.number(over=0, most=1e6, unit="minutes"),
    ),
    Setting(
        "stale_after_working",
        "5",
        "the same for one that says it is working",
        values.number(over=0, most=1e6, unit="minutes"),
    ),
    Setting("theme", '"collab-dark"', "any theme that the palette (ctrl+p) offers", values.name),
    Setting("order", '"need"', f"order of the agents: {values.listed(Order)}", values.one_of(Order)),
    Setting(
        "columns",
        str([column.value for column in Column if column is not Column.MESSAGE]).replace("'", '"'),
        f"what is told of an agent, of {values.listed(Column)}; silence always is",
        values.some_of(Column),
    ),
    Setting("poll", "1", "seconds between looks at the registry; without it, its folder is watched", values.poll),
    Setting(
        "notifications",
        '"bell"',
        f"how the board calls you to what is new while you look elsewhere: {values.listed(Notifications)}",
        values.one_of(Notifications),
    ),
    Setting("ascii", "false", "only ASCII signs, for terminals that draw others too wide", values.flag),
    Setting("reduced_motion", "false", "nothing moves or blinks, and what changed is not marked", values.flag),
    Setting(
        "keys",
        'next_need = ["n", "f8"]',
        "the key of a command, or a list of its keys; `collab-tui config` lists the commands",
        values.keys,
        Scope.RESTRICTED,
        Shape.TABLE,
    ),
    Setting(
        "approvers",
        'lena = "ed25519:BASE64"',
        "people, and the public keys with which their decisions are signed",
        values.public_key,
        Scope.RESTRICTED,
        Shape.TABLE,
    ),
    Setting(
        "agents",
        'lubit.memory = "lubit_architectural_decisions.md"',
        "the memory file of an agent, and its folder as seen from here",
        _agent,
        shape=Shape.TABLE,
    ),
    Setting(
        "hooks.tool_input",
        '"summary"',
        f"what is recorded of the tools of agents: {values.listed(ToolInput)}; off: nor is anything asked on the board",
        values.one_of(ToolInput),
    ),
    Setting("hooks.prompts", "true", "of what you ask and it answers or asks, the first line is recorded", values.flag),
    Setting("hooks.permissions", "true", "what an agent may not do unasked is asked on the board", values.flag),
    Setting(
        "hooks.permission_wait",
        "720",
        "minutes for which it waits for your answer, where the agent's program waits as long",
        values.number(over=0, most=1380, unit="minutes"),
    ),
    Setting("hooks.brief", "true", "an agent is told at the start of its session what happened", values.flag),
    Setting(
        "hooks.heartbeat",
        "30",
        "seconds between two signs of life of a working agent that are recorded",
        values.number(over=0, most=3600, unit="seconds"),
    ),
    Setting(
        "sessions.worktrees",
        '"~/worktrees"',
        "where sessions have their worktrees; without it, beside the repository, in NAME.worktrees",
        values.folder,
        Scope.USER,
    ),
    Setting(
        "sessions.base",
        '"main"',
        "what the branch of a session begins at; without it, at what is checked out beside the registry",
        values.branch,
    ),
    Setting(
        "notify_command",
        '["sh", "-c", "notify-send collab-tui \\"$(cat)\\""]',
        "your own program, which `collab-tui monitor` runs to notify you; the text is on its standard input",
        values.program,
        Scope.USER,
    ),
    Setting(
        "rule",
        _RULE_EXAMPLE,
        "what `collab-tui monitor` does by itself; see it first with `collab-tui monitor --dry-run`",
        _rule,
        Scope.RESTRICTED,
        Shape.LIST,
        _project_rule,
    ),
    Setting(
        "stream",
        _STREAM_EXAMPLE,
        "a task hub whose events (SSE) the monitor follows, and starts workers for",
        _stream,
        Scope.RESTRICTED,
        Shape.LIST,
        _project_stream,
    ),
    *WORKER_SETTINGS,
    Setting(
        "decide",
        _DECIDE_EXAMPLE,
        "which events of a stream need a decision, beside tasks that are done and urgent or high ones to do",
        read_decide,
        Scope.RESTRICTED,
        Shape.LIST,
    ),
)
BY_NAME: Final = {setting.name: setting for setting in SETTINGS}


TABLES: Final = frozenset(setting.name.partition(".")[0] for setting in SETTINGS if "." in setting.name)
"""Tables of fixed names."""


def _commented() -> Iterator[str]:
    told = set()
    for setting in SETTINGS:
        if setting.scope is Scope.USER:
            continue
        table, _, name = setting.name.rpartition(".")
        mark = "  # allowed by each user with `collab-tui config allow`" if setting.scope is Scope.RESTRICTED else ""
        header = {Shape.VALUE: f"[{table}]" if table else "", Shape.TABLE: f"[{name}]", Shape.LIST: f"[[{name}]]"}
        if (shown := header[setting.shape]) and shown not in told:
            told.add(shown)
            heading = f"# {shown}{mark}\n"
        else:
            heading = ""
        example = setting.example if setting.shape is not Shape.VALUE else f"{name} = {setting.example}"
        lines = "".join(f"# {line}\n" for line in example.splitlines())
        yield f"{heading}# {setting.meaning}\n{lines}" if table else f"# {setting.meaning}\n{heading}{lines}"


COMMENTED_CONFIG: Final = """\
# Settings of this project for collab-tui. Every line is optional; those shown are the defaults, or examples.
# Your own settings for all projects stand in config.toml in your configuration folder: `collab-tui config` tells
# where that is, and what is in force.

""" + "\n".join(_commented())
