"""Programs in seats: what they get, what they give, how they fail, and that nothing of them is left. Real processes."""

from __future__ import annotations

import asyncio
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from collab_tui.orchestrator.agent import CannotWorkError, Given, WorkError
from collab_tui.orchestrator.agents import Command, as_agent, from_document
from collab_tui.orchestrator.plan import Task
from collab_tui.processes.identity import identity_of
from collab_tui.sessions.log_folder import find_log, pointer
from tests.orchestrator.agents.assigned import SEAT, assignment, surroundings
from tests.program import PATIENCE
from tests.sessions.house import eventually

pytestmark = pytest.mark.skipif(os.name == "nt", reason="process groups of Unix")

_CHILD = "import time; print('up', flush=True); time.sleep(1000)"
_STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(1000)"


class Place:
    """A project in which programs work."""

    def __init__(self, folder: Path) -> None:
        self.project = folder / "work"
        self.project.mkdir()
        self.notices: list[str] = []

    def script(self, text: str, **about: Any) -> Command:
        """A program that runs this."""
        return Command([sys.executable, "-u", "-c", text], **about)

    async def gives(
        self, command: Command, grace: float = 2.0, around: dict[str, Any] | None = None, **about: Any
    ) -> Given:
        """What an attempt comes to."""
        where = surroundings(self.project, self.notices.append, grace=grace, **around or {})
        await command.check(where)
        async with asyncio.timeout(PATIENCE):
            return await command.seated(SEAT, where).work(assignment(**about))

    async def fails(self, command: Command, **about: Any) -> WorkError:
        """Why it comes to nothing."""
        with pytest.raises(WorkError) as error:
            await self.gives(command, **about)
        assert "\n" not in str(error.value)
        return error.value


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def pids(file: Path) -> list[int]:
    return [int(line) for line in file.read_text(encoding="utf-8").split()] if file.exists() else []


async def gone(*processes: int) -> None:
    await eventually(lambda: not any(map(identity_of, processes)))


async def test_it_starts_nowhere_but_below_the_project(place: Place) -> None:
    (place.project / "below").mkdir()
    (place.project / "link").symlink_to(place.project.parent)
    script = "import os; print(os.getcwd())"
    assert (await place.gives(place.script(script, folder="below"))).value == str(place.project / "below")
    for folder in ("..", "below/../..", str(place.project.parent), "link"):
        with pytest.raises(CannotWorkError, match="leads out of"):
            await place.gives(place.script(script, folder=folder))


async def test_a_program_gets_its_assignment_as_json_and_what_it_prints_is_its_value(place: Place) -> None:
    command = place.script("import json, sys; told = json.load(sys.stdin); print(json.dumps(told))")
    given = await place.gives(
        command, task=Task("build", "executor", "Build", data={"n": 1}), comments=["é 한"], round=2
    )
    told = json.loads(given.value)
    assert (told["task"], told["title"], told["data"]) == ("build", "Build", {"n": 1})
    assert (told["prompt"], told["inputs"], told["comments"]) == ("do build", {"plan": "so"}, ["é 한"])
    assert not given.value.endswith("\n")


async def test_it_knows_who_it_is_and_gets_no_more_of_our_environment_than_it_may(place: Place) -> None:
    command = place.script("import json, os; print(json.dumps(dict(os.environ)))", environment=("MINE", "GONE"))
    environment = {"PATH": os.environ["PATH"], "SECRET": "s", "MINE": "m"}
    told = json.loads((await place.gives(command, around={"environment": environment})).value)
    ours = {name: told[name] for name in told if name.startswith("COLLAB_")}
    assert ours == {
        "COLLAB_REGISTRY": str(place.project / ".collab" / "registry.jsonl"),
        "COLLAB_AGENT": SEAT,
        "COLLAB_RUN": "1a2b3c4d",
        "COLLAB_TASK": "build",
    }
    assert (told["MINE"], "SECRET" in told, "GONE" in told) == ("m", False, False)


async def test_it_works_in_the_project_or_in_a_folder_of_it(place: Place) -> None:
    (place.project / "part").mkdir()
    script = "import os; print(os.getcwd())"
    assert (await place.gives(place.script(script))).value == str(place.project)
    assert (await place.gives(place.script(script, folder="part"))).value == str(place.project / "part")


async def test_what_it_says_is_in_a_log_that_the_screen_can_read(place: Place) -> None:
    script = r"import os; os.write(1, b'the value\n'); os.write(2, b'on the way\n')"  # each line at once, not in pieces
    given = await place.gives(place.script(script), task=Task("plan/api", "executor"), attempt=3)
    assert given.log is not None
    registry = place.project / ".collab" / "registry.jsonl"
    assert find_log(registry, pointer(registry, given.log)) == given.log
    text = given.log.read_text(encoding="utf-8")
    assert f"as {SEAT}, attempt 3 at plan/api\n" in text
    assert "the value\n" in text
    assert "on the way\n" in text
    assert text.endswith("[exit 0]\n")
    assert given.log.stat().st_mode & 0o077 == 0


async def test_where_no_log_can_be_beside_the_registry_it_is_in_the_runs_own_folder(
    place: Place, tmp_path: Path
) -> None:
    (place.project / ".collab").mkdir()
    (place.project / ".collab" / "logs").symlink_to(tmp_path)
    given = await place.gives(place.script("print('done')"))
    assert given.log is not None
    assert given.log.parent == tmp_path / "private"
    assert "no logs can be kept" in place.notices[0]


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("import sys; print('one', file=sys.stderr); sys.exit('the disk is full')", "exit 1: one / the disk is full"),
        (r"raise SystemExit('1 / 0\n~~^~~\nZeroDivisionError')", "exit 1: 1 / 0 / ZeroDivisionError"),
        ("raise SystemExit(3)", "exit 3"),
        ("import os; os.kill(os.getpid(), 9)", "signal 9"),
    ],
)
async def test_any_other_end_is_a_failure_with_its_last_words(place: Place, script: str, why: str) -> None:
    error = await place.fails(place.script(script))
    assert str(error) == why
    assert error.log is not None
    assert error.log.read_text(encoding="utf-8").endswith(f"[{why.partition(':')[0]}]\n")


async def test_a_flood_ends_the_program_and_is_bounded_in_memory_and_on_the_disk(place: Place) -> None:
    script = "import sys\nwhile True: sys.stdout.write('x' * 65536)"
    error = await place.fails(place.script(script, most_output=1 << 20))
    assert str(error) == "it printed more than 1,048,576 bytes"
    assert error.log is not None
    assert error.log.stat().st_size < 4 << 20


async def test_a_flood_of_errors_is_no_failure_and_its_log_is_bounded(place: Place) -> None:
    script = "import sys\nfor _ in range(300): sys.stderr.write('x' * 65536 + chr(10))\nprint('done')"
    given = await place.gives(place.script(script))
    assert given.value == "done"
    logs = place.project / ".collab" / "logs" / "runs"
    assert sum(file.stat().st_size for file in logs.iterdir()) <= (8 << 20) + 1000


async def test_a_silent_program_is_ended_and_one_that_says_something_is_not(place: Place) -> None:
    error = await place.fails(place.script("import time; print('up'); time.sleep(1000)", silence=0.3))
    assert str(error) == "it said nothing for 0.3 s"
    talks = "import sys, time\nfor _ in range(8): time.sleep(0.4); print('.', file=sys.stderr)\nprint('done')"
    assert (await place.gives(place.script(talks, silence=3.0))).value == "done"


async def test_a_program_that_closed_its_output_is_waited_for(place: Place) -> None:
    script = "import os, sys, time; print('done'); sys.stdout.flush(); os.close(1); time.sleep(0.2); sys.exit(4)"
    assert str(await place.fails(place.script(script))) == "exit 4"


@pytest.mark.parametrize("child", [_CHILD, _STUBBORN])
async def test_cancelled_it_ends_within_the_grace_with_grandchildren_that_hold_its_pipes(
    place: Place, child: str
) -> None:
    file = place.project / "pids"
    script = (
        "import os, signal, subprocess, sys\n"
        "signal.signal(15, signal.SIG_IGN)\n"
        f"child = subprocess.Popen([sys.executable, '-u', '-c', {child!r}])\n"
        f"open({str(file)!r}, 'w', encoding='utf-8').write(f'{{os.getpid()}} {{child.pid}}')\n"
        "child.wait()\n"
    )
    working = asyncio.create_task(place.gives(place.script(script), grace=0.3))
    await eventually(lambda: len(pids(file)) == 2)
    working.cancel()
    began = time.monotonic()
    with pytest.raises(asyncio.CancelledError):
        await working
    assert time.monotonic() - began < PATIENCE / 4, "the seat is free, though all of them ignore that they are to end"
    await gone(*pids(file))


async def test_what_it_leaves_behind_ends_with_it_and_does_not_hold_up_its_value(place: Place) -> None:
    file = place.project / "pids"
    script = (
        "import subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-u', '-c', {_STUBBORN!r}])\n"
        f"open({str(file)!r}, 'w', encoding='utf-8').write(str(child.pid))\n"
        "print('done')\n"
    )
    assert (await place.gives(place.script(script))).value.startswith("done")
    await gone(*pids(file))


async def test_what_cannot_be_started_is_told_before_anything_is(place: Place) -> None:
    with pytest.raises(CannotWorkError, match="there is no program no-such-program"):
        await place.gives(Command(["no-such-program", "x"]))
    with pytest.raises(CannotWorkError, match=r"there is no folder .*elsewhere"):
        await place.gives(place.script("", folder="elsewhere"))
    (place.project / "broken").write_text("#!/no/such/interpreter\n", encoding="utf-8")
    (place.project / "broken").chmod(0o755)
    assert str(await place.fails(Command(["./broken"]))).startswith("cannot start ./broken")
    for wrong in ("python work.py", [], [" "]):
        with pytest.raises(ValueError, match="a command is a list"):
            Command(wrong)


async def test_what_is_no_json_cannot_be_handed_to_a_program(place: Place) -> None:
    with pytest.raises(CannotWorkError, match="what it is told is no JSON"):
        await place.gives(place.script("print(1)"), inputs={"plan": object()})


def test_a_command_can_be_kept_and_is_the_same_again() -> None:
    command = Command(("python", "work.py"), worktree=True, environment=("TOKEN",), silence=3.0)
    assert as_agent(command) is command
    again = from_document(json.loads(json.dumps(command.document())))
    assert again == command
    assert from_document(Command(["a"]).document()) == Command(("a",))
    assert Command(["/usr/bin/python3", "my work.py"]).told == "python3 'my work.py'"
