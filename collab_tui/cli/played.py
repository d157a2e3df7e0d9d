"""What a demo tells when its board is gone: what was just played, in numbers from its registry."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from rich.console import Console
from rich.table import Table

from collab_tui.cli.console import styled
from collab_tui.cli.report import account_of
from collab_tui.demo.story import MINUTES, SECONDS
from collab_tui.model.ages import duration
from collab_tui.model.reaction_times import Reaction
from collab_tui.model.summary import Span
from collab_tui.model.teamwork import Doing, Teamwork, TeamworkRecorder
from collab_tui.protocol.trust import Trust

_LEAST = 5.0
"""Seconds of a play of which there is something to tell."""
_NOTE = """\
The work is scripted waiting, a fixed amount for each; who woke whom, and how fast, was measured: what comes late makes
the whole longer, and the shares of it smaller. Claimed: of this way of working, before there was a program for it.
By hand: the same story, with a person who carries every message."""


def account_of_play(registry: Path, trust: Trust) -> Teamwork:
    """The account of a play up to now; `trust` is of its person. Raises `NotThereError`."""
    return account_of(registry, partial(TeamworkRecorder, trust.person, judge=trust.judge_shown))


def print_demo(account: Teamwork, console: Console) -> None:
    """A line or two; nothing when there was hardly anything to see."""
    if account.doubt is not None or account.total < _LEAST:
        return
    together, alone = duration(account.total), duration(account.one_after_the_other)
    told = [f"In {together} they did what takes {alone} one after the other."]
    decided = account.reactions.get(Reaction.DECIDED_BY_PERSON)
    if decided is not None:
        times = "once" if decided.count == 1 else f"{decided.count} times, in the median"
        told.append(f"You answered {times} after {duration(decided.median)}.")
    went_on = account.reactions.get(Reaction.WENT_ON)
    if went_on is not None:
        told.append(f"With an answer they went on after {duration(went_on.median)}.")
    console.print(" ".join(told))


def print_story(account: Teamwork, speed: float, is_over: bool, console: Console) -> None:
    """The numbers of the story beside what was claimed of it."""
    if account.doubt is not None or account.total < _LEAST / speed:
        return
    scale = MINUTES * 60 / (SECONDS / speed)
    whole = f"The story of {MINUTES} minutes, {scale:.0f} times as fast"
    left = "" if is_over else "; you left before its end"
    console.print(styled([Span(f"{whole}{left}. Its registry says:", "strong")]))
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column("", overflow="fold")
    for title in ("here", f"x {scale:.0f}", "claimed", "by hand"):
        table.add_column(title, justify="right", no_wrap=True)
    together, alone = account.total, account.one_after_the_other
    table.add_row("together", duration(together), duration(together * scale), f"{MINUTES} min", "")
    table.add_row("one after the other", duration(alone), duration(alone * scale), "", "25 min")
    for agent in account.agents:
        share = agent.seconds[Doing.BUSY] / account.total
        table.add_row(f"{agent.name} busy", f"{share * 100:.0f} %", "", "~100 %", "50 %")
    for name, reaction in (("event, woken agent", Reaction.REACHED), ("answer, asker goes on", Reaction.WENT_ON)):
        timing = account.reactions.get(reaction)
        told = duration(timing.median) if timing is not None else "never"
        table.add_row(name, told, "", "1-2 s", "5-10 min")
    console.print(table)
    console.print(styled([Span(_NOTE if console.soft_wrap else _NOTE.replace("\n", " "), "muted")]))
