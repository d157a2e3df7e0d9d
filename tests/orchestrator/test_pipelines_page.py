"""docs/pipelines.md says what the reader of pipelines knows, and shows only what can be run."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest

from collab_tui.model.runs import Work
from collab_tui.orchestrator.agent import Assignment
from collab_tui.orchestrator.pipeline_file import read_pipeline
from collab_tui.orchestrator.pipeline_values import AGENT, POLICY, ROLE, TASK, TOP
from collab_tui.orchestrator.plan import ReplyKind, Task
from collab_tui.orchestrator.prompts import NAMES
from collab_tui.orchestrator.replies import read

PAGE: Final = (Path(__file__).parents[2] / "docs" / "pipelines.md").read_text(encoding="utf-8")
TABLES: Final = {
    "## The file": TOP,
    "### `[policy]`": POLICY,
    "### `[agent.NAME]`": AGENT,
    "### `[role.NAME]`": ROLE,
    "### `[[task]]`": TASK,
}


def rows(heading: str) -> dict[str, str]:
    """What the table below a heading names first -> its second cell."""
    section = re.split(r"^#+ ", PAGE.partition(f"{heading}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    return dict(re.findall(r"^\| `(\w+)` \| (.*?) \|", section, re.MULTILINE))


@pytest.mark.parametrize(("heading", "keys"), TABLES.items())
def test_every_key_that_a_table_of_a_pipeline_has_stands_on_the_page_and_no_other(
    heading: str, keys: dict[str, Any]
) -> None:
    assert rows(heading).keys() == keys.keys()
    for key, example in rows(heading).items():
        assert example.startswith(f"`{key} = ")


def test_every_field_that_a_command_gets_stands_on_the_page_and_no_other() -> None:
    def told(work: Work, round_: int) -> dict[str, Any]:
        return Assignment("run", "goal", Task("t"), "seat", work, 1, round_, ReplyKind.TEXT, {}, "prompt").document()

    fields = rows("## What a command gets, and what it prints").keys()
    variables = {"COLLAB_REGISTRY", "COLLAB_AGENT", "COLLAB_RUN", "COLLAB_TASK"}
    assert fields - variables - set(ReplyKind) == {*told(Work.WORK, 2), *told(Work.REVIEW, 1)}


def test_the_replies_on_the_page_are_read_as_such() -> None:
    for reply in ReplyKind:
        printed = rows("## What a command gets, and what it prints")[reply]
        for example in re.findall(r"`(\{.*?\})`", printed):
            read(reply, example)
        assert reply is ReplyKind.TEXT or "`{" in printed


def test_the_pipeline_on_the_page_can_be_run(tmp_path: Path) -> None:
    file = tmp_path / "shown.toml"
    file.write_text(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL)[0], encoding="utf-8")
    assert [task.key for task in read_pipeline(file).tasks] == ["build"]


def test_every_name_in_braces_stands_on_the_page() -> None:
    assert all(f"`{{{name}}}`" in PAGE for name in (*NAMES, "python", "folder"))
