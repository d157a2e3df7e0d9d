"""The prompts of one session: one at a time, each with its own reply, whatever is given up when."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from collab_tui.sessions.driver import Delivery, DriverError, Reply, ReplyStatus
from collab_tui.sessions.prompts import LONGEST, MOST, Prompt, PromptQueue, PromptRefusedError


class Program:
    """An agent whose turns end when they are told to; it shows whether two ever overlapped."""

    def __init__(self) -> None:
        self.turns = 0
        self.most_turns = 0
        self.given: list[str] = []
        self.interrupted: list[str] = []
        self.cut_short: list[str] = []
        """Turns whose end was not waited for."""
        self.may_end = asyncio.Event()
        self.may_be_interrupted = asyncio.Event()
        self.may_be_interrupted.set()

    async def give(self, text: str) -> Reply:
        self.turns += 1
        self.most_turns = max(self.most_turns, self.turns)
        self.given.append(text)
        try:
            await self.may_end.wait()
            self.may_end.clear()
            if text == "wrong":
                raise DriverError("it cannot")
            if text == "broken":
                raise ZeroDivisionError("a bug")
            return Reply(f"reply to {text}", ReplyStatus.DONE, 0.0)
        except asyncio.CancelledError:
            self.interrupted.append(text)
            self.cut_short.append(text)
            await self.may_be_interrupted.wait()
            self.cut_short.remove(text)
            raise
        finally:
            self.turns -= 1

    async def interrupt(self) -> None:
        self.may_end.set()


class Desk:
    """A queue that runs."""

    def __init__(self) -> None:
        self.program = Program()
        self.queue = PromptQueue(self.program.give, self.program.interrupt)
        self._running = asyncio.create_task(self.queue.run())

    async def __aenter__(self) -> Desk:
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait({self._running})


async def settle() -> None:
    """Let everything happen that can without anything new."""
    for _ in range(20):
        await asyncio.sleep(0)


async def test_a_hundred_prompts_in_a_row_have_a_hundred_right_replies() -> None:
    async def answer(text: str) -> Reply:
        return Reply(f"reply to {text}", ReplyStatus.DONE, 0.0)

    queue = PromptQueue(answer, lambda: asyncio.sleep(0))
    running = asyncio.create_task(queue.run())
    for number in range(100):
        reply = await queue.reply_to(queue.put(str(number)), None)
        assert reply.text == f"reply to {number}"
    running.cancel()
    assert len(queue.history) == 50


async def test_a_prompt_beyond_the_bound_is_refused_and_so_are_an_empty_and_a_huge_one() -> None:
    async with Desk() as desk:
        desk.queue.put("first")
        await settle()
        for number in range(MOST):
            assert desk.queue.put(str(number)).ahead == number + 1
        for text in ("one more", "  \n", "x" * (LONGEST + 1)):
            with pytest.raises(PromptRefusedError):
                desk.queue.put(text)
        assert len(desk.queue) == MOST


async def test_one_that_takes_too_long_is_interrupted_and_the_next_waits_until_that_is_over() -> None:
    async with Desk() as desk:
        desk.program.may_be_interrupted.clear()
        first = desk.queue.put("first")
        await settle()
        reply = await desk.queue.reply_to(first, 0.0)
        assert (reply.status, reply.text) == (ReplyStatus.TIMED_OUT, "")
        second = desk.queue.put("second")
        await settle()
        assert desk.program.given == ["first"], "its turn is not over"
        desk.program.may_be_interrupted.set()
        desk.program.may_end.set()
        assert (await desk.queue.reply_to(second, None)).text == "reply to second"
        assert desk.program.interrupted == ["first"]


async def test_one_that_still_waits_when_its_time_is_over_never_reaches_the_agent() -> None:
    async with Desk() as desk:
        first, second = desk.queue.put("first"), desk.queue.put("second")
        reply = await desk.queue.reply_to(second, 0.0)
        assert (reply.status, reply.delivery) == (ReplyStatus.TIMED_OUT, Delivery.NOT_SUBMITTED)
        desk.program.may_end.set()
        await desk.queue.reply_to(first, None)
        await settle()
        assert desk.program.given == ["first"]
        assert not await second.given()


async def test_whoever_waits_and_is_cancelled_ends_the_turn() -> None:
    async with Desk() as desk:
        waiting = asyncio.create_task(desk.queue.reply_to(desk.queue.put("first"), None))
        await settle()
        waiting.cancel()
        await asyncio.wait({waiting})
        await settle()
        assert desk.program.interrupted == ["first"]
        assert desk.program.turns == 0


@pytest.mark.parametrize(("text", "reason"), [("wrong", "it cannot"), ("broken", "ZeroDivisionError: a bug")])
async def test_what_a_driver_does_wrong_is_the_reply_and_the_next_prompt_is_given(text: str, reason: str) -> None:
    async with Desk() as desk:
        wrong, right = desk.queue.put(text), desk.queue.put("right")
        desk.program.may_end.set()
        reply = await desk.queue.reply_to(wrong, None)
        assert (reply.status, reply.reason) == (ReplyStatus.FAILED, reason)
        desk.program.may_end.set()
        assert (await desk.queue.reply_to(right, None)).status is ReplyStatus.DONE


async def test_what_waits_when_it_is_closed_is_not_submitted_and_what_runs_goes_on() -> None:
    async with Desk() as desk:
        running, waiting = desk.queue.put("running"), desk.queue.put("waiting")
        await settle()
        desk.queue.close("it is stopped")
        reply = await desk.queue.reply_to(waiting, None)
        assert (reply.status, reply.delivery) == (ReplyStatus.NOT_SUBMITTED, Delivery.NOT_SUBMITTED)
        with pytest.raises(PromptRefusedError, match="it is stopped"):
            desk.queue.put("late")
        desk.queue.lose("its program ended: signal 9")
        reply = await desk.queue.reply_to(running, None)
        assert (reply.status, reply.reason) == (ReplyStatus.LOST, "its program ended: signal 9")


class Queueing(RuleBasedStateMachine):
    """Prompts come, end, are given up, are interrupted, in any order: at most one turn at a time, no reply is mixed up,
    none is left without one, and nothing runs on that nobody waits for.
    """

    @initialize()
    def begin(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.sent: list[Prompt] = []
        self.given_up: set[str] = set()
        self.interrupts: list[asyncio.Task[bool]] = []
        self.desk = self._do(self._make())

    def _do(self, work):
        async def settled():
            found = await work
            await settle()
            return found

        return self.loop.run_until_complete(settled())

    async def _make(self) -> Desk:
        return Desk()

    @rule()
    def send(self) -> None:
        async def put() -> None:
            if len(self.desk.queue) < MOST:
                self.sent.append(self.desk.queue.put(f"prompt {len(self.sent)}"))

        self._do(put())

    @precondition(lambda self: self.desk.program.turns)
    @rule()
    def end_the_turn(self) -> None:
        async def end() -> None:
            self.desk.program.may_end.set()

        self._do(end())
        self.desk.program.may_end.clear()

    @precondition(lambda self: self.sent)
    @rule(data=st.data())
    def give_up(self, data: st.DataObject) -> None:
        prompt = data.draw(st.sampled_from(self.sent))
        self.given_up.add(prompt.text)

        async def cancel() -> None:
            waiting = asyncio.create_task(self.desk.queue.reply_to(prompt, None))
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait({waiting})

        self._do(cancel())

    @precondition(lambda self: self.desk.program.turns)
    @rule()
    def interrupt(self) -> None:
        async def interrupt() -> None:
            self.interrupts.append(asyncio.create_task(self.desk.queue.interrupt()))

        self._do(interrupt())
        self.desk.program.may_end.clear()

    @rule(is_slow=st.booleans())
    def take_its_time_to_be_interrupted(self, is_slow: bool) -> None:
        async def switch() -> None:
            may = self.desk.program.may_be_interrupted
            may.clear() if is_slow else may.set()

        self._do(switch())

    def teardown(self) -> None:
        if not hasattr(self, "desk"):
            return
        program = self.desk.program

        async def finish() -> None:
            program.may_be_interrupted.set()
            while not all(prompt.reply.done() for prompt in self.sent):
                program.may_end.set()
                await asyncio.sleep(0)
            program.may_end.clear()
            await asyncio.gather(*self.interrupts)

        self._do(finish())
        assert program.most_turns <= 1
        assert program.turns == 0, "an orphan"
        assert not program.cut_short
        for prompt in self.sent:
            reply = prompt.reply.result()
            if reply.status is ReplyStatus.DONE:
                assert reply.text == f"reply to {prompt.text}"
                assert prompt.text in program.given
            else:
                assert prompt.text in self.given_up
                assert reply.text == ""
            if reply.delivery is Delivery.NOT_SUBMITTED:
                assert prompt.text not in program.given
        assert program.given == sorted(program.given, key=lambda text: int(text.split()[1])), "in order"
        self._do(self.desk.__aexit__())
        self.loop.close()


def test_no_reply_is_mixed_up_whatever_is_given_up_when() -> None:
    run_state_machine_as_test(Queueing, settings=settings(max_examples=60, stateful_step_count=25, deadline=None))


@given(st.lists(st.text(min_size=1).filter(str.strip), min_size=1, max_size=MOST))
@settings(max_examples=20, deadline=None)
def test_prompts_are_given_in_the_order_in_which_they_came(texts: list[str]) -> None:
    async def give_all() -> list[str]:
        async def echo(text: str) -> Reply:
            return Reply(text, ReplyStatus.DONE, 0.0)

        queue = PromptQueue(echo, lambda: asyncio.sleep(0))
        prompts = [queue.put(text) for text in texts]
        running = asyncio.create_task(queue.run())
        replies = [await queue.reply_to(prompt, None) for prompt in prompts]
        running.cancel()
        return [reply.text for reply in replies]

    assert asyncio.run(give_all()) == texts
