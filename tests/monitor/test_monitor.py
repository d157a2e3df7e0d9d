"""The real command: it wakes agents, survives being killed, takes turns, and ends in good order."""

from __future__ import annotations

import json
import os
import signal
import sys
from collections import Counter
from random import Random

import pytest

from tests.monitor.house import WAKE, House
from tests.program import eventually, started

RUNS = """
[[rule]]
name = "wake"
on = true
when = { event = "ready" }
then = { run = ["sh", "-c", "echo ran >> ran; while ! test -e go; do sleep 0.05; done"] }
cool_down = "0s"
"""
KILLS = 30
CAUSES = 200

unix = pytest.mark.skipif(os.name == "nt", reason="SIGKILL, and process groups of Unix")


def test_an_agent_that_listens_is_woken(house: House) -> None:
    listen = ("listen", "--agent", "lubit", "--registry", str(house.path), "--once", "--json")
    with started(*listen, cwd=house.folder, env=house.env) as listening, house.monitor():
        cause = house.say(message="metrics v2")
        assert listening.wait() == 0
    (told,) = map(json.loads, listening.lines())
    assert told["event"]["message"] == "sena is ready: “metrics v2”"
    assert told["event"]["cause"] == cause


@unix
def test_killed_at_random_while_events_come_it_sends_each_message_once(house: House) -> None:
    random = Random(20261120)
    causes: list[str] = []
    with house.monitor() as first:  # the very first start: what comes from now on counts
        assert first.interrupt() == 0
    for life in range(KILLS):
        with house.starting() as monitor:
            while len(causes) < CAUSES * (life + 1) // KILLS:
                causes.append(house.say())
            wanted = random.randint(len(house.messages()), len(causes))  # perhaps before it even began
            eventually(lambda wanted=wanted: len(house.messages()) >= wanted)
            monitor.process.kill()
            monitor.wait()
            assert monitor.errors == b""
    with house.monitor():
        house.until(*causes)
        eventually(lambda: len(house.outcomes()) == CAUSES)
    assert len(causes) == CAUSES
    assert house.messages() == dict.fromkeys(causes, 1)
    assert Counter(event["cause"] for event in house.lines("activation")) == dict.fromkeys(causes, 1)
    assert set(house.outcomes()) == {"sent"}


@unix
def test_a_second_one_watches_and_takes_the_place_of_the_first(house: House) -> None:
    with house.monitor() as first, house.starting() as second:
        holder = f"another monitor acts here: process {first.process.pid} (collab-tui), since ".encode()
        second.wait_for(lambda: holder in second.output)
        causes = [house.say()]
        second.wait_for(lambda: b"wake  sent to lubit" in second.output)
        assert b"  by the other monitor here" in second.output
        house.until(*causes)
        first.process.kill()
        first.wait()
        causes.append(house.say())
        second.wait_for(lambda: b"this one acts now" in second.output)
        house.until(*causes)
        causes.append(house.say())
        house.until(*causes)
        assert second.interrupt() == 0
    assert house.messages() == dict.fromkeys(causes, 1)


@unix
def test_a_monitor_that_was_killed_blocks_no_other(house: House) -> None:
    for _ in range(2):
        with house.monitor() as monitor:
            house.until(house.say())
            monitor.process.kill()
            monitor.wait()
    assert b"another" not in monitor.output


@unix
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_asked_to_end_it_ends_what_it_runs_and_says_so(house: House, number: int) -> None:
    house.write_rules(RUNS)
    with house.monitor() as monitor:
        house.say()
        eventually((house.folder / "ran").exists)
        monitor.process.send_signal(number)
        assert monitor.wait() == 0
    assert monitor.errors == b""
    assert house.outcomes() == ["started", "stopped"]


@unix
def test_of_a_program_that_ran_when_it_was_killed_nothing_is_repeated(house: House) -> None:
    house.write_rules(RUNS)
    with house.monitor() as monitor:
        house.say()
        ran = house.folder / "ran"
        eventually(lambda: ran.exists() and ran.read_bytes() == b"ran\n")
        monitor.process.kill()
        monitor.wait()
    with house.monitor() as monitor:
        monitor.wait_for(lambda: b"interrupted" in monitor.output)
    (house.folder / "go").touch()
    started_, interrupted = house.outcomes()
    assert started_ == "started"
    assert interrupted.startswith("interrupted: ")
    assert (house.folder / "ran").read_text(encoding="utf-8") == "ran\n"


STUBBORN = """
[[rule]]
name = "wake"
on = true
when = { event = "ready" }
then = { run = ["sh", "-c", "trap '' TERM; echo begun >> ran; sleep 1; echo over >> ran; while :; do sleep 0.1; done"] }
cool_down = "0s"
"""


@unix
def test_what_a_killed_monitor_ran_ends_with_it_and_before_the_next_of_its_rule_begins(house: House) -> None:
    """Also when it does not end as soon as it is asked to: the two never run side by side."""
    ran = house.folder / "ran"
    house.write_rules(STUBBORN)
    with house.monitor() as monitor:
        house.say()
        house.say()
        eventually(lambda: ran.exists() and ran.read_bytes() == b"begun\n")
        monitor.process.kill()
        monitor.wait()
    house.write_rules(STUBBORN.replace("echo begun", "echo next").replace("; while", "; exit; while"))
    with house.monitor() as monitor:
        eventually(lambda: b"next" in ran.read_bytes())
        assert ran.read_text(encoding="utf-8").split() == ["begun", "over", "next"]
        assert monitor.interrupt() == 0


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_on_a_full_disk_it_says_so_once_and_goes_on_when_there_is_room(house: House) -> None:
    import resource

    with house.monitor() as monitor:
        causes = [house.say()]
        house.until(*causes)
        eventually(lambda: house.outcomes() == ["sent"])
        soft = house.path.stat().st_size + 200  # the next event fits, the message does not
        resource.prlimit(monitor.process.pid, resource.RLIMIT_FSIZE, (soft, resource.RLIM_INFINITY))
        causes += [house.say(), house.say()]
        monitor.wait_for(lambda: b"trying again until it can be written" in monitor.output)
        resource.prlimit(monitor.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        house.until(*causes)
        monitor.wait_for(lambda: b"it is written now" in monitor.output)
        assert monitor.interrupt() == 0
    assert house.messages() == dict.fromkeys(causes, 1)
    assert [event["cause"] for event in house.lines("message")] == causes
    assert monitor.output.count(b"trying again") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_it_can_be_ended_while_the_disk_is_full(house: House) -> None:
    import resource

    with house.monitor() as monitor:
        house.until(house.say())
        eventually(lambda: house.outcomes() == ["sent"])
        resource.prlimit(monitor.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        cause = house.say()
        monitor.wait_for(lambda: b"trying again" in monitor.output)
        assert monitor.interrupt() == 0
    with house.monitor():
        house.until(cause)
    assert house.messages()[cause] == 1


@pytest.mark.skipif(sys.platform != "linux", reason="limits of another process")
def test_a_rule_is_switched_off_also_while_the_disk_is_full(house: House) -> None:
    import resource

    with house.monitor() as monitor:
        cause = house.say()
        house.until(cause)
        eventually(lambda: house.outcomes() == ["sent"])
        resource.prlimit(monitor.process.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        house.say()
        monitor.wait_for(lambda: b"trying again" in monitor.output)
        house.write_rules(WAKE.replace("on = true", "on = false"))
        monitor.wait_for(lambda: b"wake  not done: the rule was switched off" in monitor.output)
        monitor.wait_for(lambda: b"rules: 0 on, 1 off" in monitor.output)
        resource.prlimit(monitor.process.pid, resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)
        assert monitor.interrupt() == 0
    assert house.messages() == {cause: 1}


def test_what_a_stream_starts_is_told_and_not_that_nothing_is_done(house: House) -> None:
    house.write_rules('[[stream]]\nname = "hub"\nfolder = "/"\nurl = "http://127.0.0.1:9/events"\n')
    with house.monitor() as monitor:
        monitor.wait_for(lambda: b"stream hub: claude decides on its events" in monitor.output)
        monitor.wait_for(lambda: b"stream hub: connecting" in monitor.output)
        assert b"No rule is on. Rules are" in monitor.output


def test_settings_are_read_again_and_mistakes_in_them_change_nothing(house: House) -> None:
    off = WAKE.replace("on = true", "on = false")
    house.write_rules(off)
    with house.monitor("--poll", "0.05") as monitor:
        monitor.wait_for(lambda: b"No rule is on" in monitor.output)
        house.say()
        house.write_rules(WAKE)
        monitor.wait_for(lambda: b"the settings changed: rules: 1 on, 0 off" in monitor.output)
        cause = house.say()
        house.until(cause)
        house.write_rules(WAKE + "nonsense = 1\n")
        monitor.wait_for(lambda: b"the rules stay as they were" in monitor.output)
        assert f"{house.config}:9: rule 1: ".encode() in monitor.output
        another = house.say()
        house.until(another)
        assert monitor.output.count(b"the rules stay as they were") == 1
    assert house.messages() == {cause: 1, another: 1}


def test_a_rule_can_be_switched_off_whatever_the_project_s_file_says(house: House) -> None:
    project = house.folder / ".collab" / "config.toml"
    project.parent.mkdir()
    with house.monitor("--poll", "0.05") as monitor:
        cause = house.say()
        house.until(cause)
        project.write_text("bad = [", encoding="utf-8")
        monitor.wait_for(lambda: b"it is not TOML" in monitor.output)
        house.write_rules(WAKE.replace("on = true", "on = false"))
        monitor.wait_for(lambda: monitor.output.count(b"it is not TOML") == 2)
        house.say()
        monitor.wait_for(lambda: b"not done: the rule was switched off" in monitor.output)
    assert house.messages() == {cause: 1}


def test_a_registry_that_is_away_is_waited_for(house: House) -> None:
    away = house.path.with_name("away")
    with house.monitor("--poll", "0.05") as monitor:
        house.until(house.say())
        eventually(lambda: house.outcomes() == ["sent"])  # else it waits to write that
        os.rename(house.path, away)
        monitor.wait_for(lambda: f"there is no {house.path}: waiting for it".encode() in monitor.output)
        os.rename(away, house.path)
        monitor.wait_for(lambda: f"{house.path} is there".encode() in monitor.output)
        cause = house.say()
        house.until(cause)
        assert monitor.output.count(b"waiting for it") == 1
    assert set(house.messages().values()) == {1}


def test_json_is_one_object_a_line(house: House) -> None:
    with house.monitor("--json") as monitor:
        cause = house.say(message="m")
        monitor.wait_for(lambda: len(monitor.lines()) == 2)
    first, second = map(json.loads, monitor.lines())
    assert first["rules"] == [{"name": "wake", "state": "on", "source": f"{house.config}:2"}]
    assert (first["monitor"], first["registry"]) == (monitor.process.pid, str(house.path))
    del second["at"], second["took_ms"]
    assert second == {
        "rule": "wake",
        "outcome": "sent",
        "about": "sena",
        "target": "lubit",
        "text": "sena is ready: “m”",
        "cause": cause,
    }


def test_it_ends_when_nobody_reads_any_more(house: House) -> None:
    with house.monitor() as monitor:
        monitor.stop_reading()
        house.say()
        assert monitor.wait() == 0
    assert monitor.errors == b""
