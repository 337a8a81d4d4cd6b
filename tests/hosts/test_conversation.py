"""What a frontend does, with a kernel whose messages a test puts there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, cast

import pytest

pytest.importorskip("jupyter_client")

from frontends import OK, Client, message
from pytest_tfkernel.hosts import conversation as module
from pytest_tfkernel.hosts.conversation import Conversation, ExecuteReply, UnusableError
from pytest_tfkernel.hosts.prints import Prints

PID = 4711


class Heard:
    """Stands for `Prints`; notes what it is told."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def hear(self, name: str, text: str) -> None:
        self.told.append(f"{name} {text}")

    def settle(self) -> None:
        self.told.append("settled")

    def look_at(self, pid: int) -> None:
        self.told.append(f"looked at {pid}")

    def last_words(self) -> None:
        self.told.append("last words")


def talk(client: Client, heard: Heard, work: Callable[[Conversation], Coroutine[Any, Any, Any]]) -> Any:
    """What comes of work on a conversation, or the error of its listeners."""

    async def play() -> Any:
        conversation = Conversation(cast("Any", client), PID, cast("Prints", heard))
        working = asyncio.create_task(work(conversation))
        listening = conversation.start()
        try:
            done, _ = await asyncio.wait([working, *listening], timeout=60, return_when=asyncio.FIRST_COMPLETED)
            assert done, "nothing has come in 60 s"
            return done.pop().result()
        finally:
            for one in (working, *listening):
                one.cancel()
            conversation.stop()

    return asyncio.run(play())


class TestACell:
    def test_is_answered_with_all_that_it_has_shown(self) -> None:
        def react(client: Client, number: str) -> None:
            published = [
                message("stream", number, name="stdout", text="printed"),
                message("display_data", number, data={"a": "1"}),
                message("error", number, ename="KeyError"),
                message("execute_result", number, data={"b": "2"}),
                message("execute_input", number, code="1"),
                # Of another frontend.
                message("execute_result", "another", data={"c": "3"}),
                message("error", "another", ename="KeyError"),
            ]
            client.answer(number, published, execution_count=1)

        async def work(conversation: Conversation) -> ExecuteReply:
            answer = await conversation.run("1")
            # Nothing is kept of it, nor of what others have shown.
            assert conversation._shown == {}
            return answer

        heard = Heard()
        answer = talk(Client(react), heard, work)
        assert answer == ExecuteReply(
            {**OK, "execution_count": 1},
            [("display_data", {"a": "1"}), ("error", {"ename": "KeyError"}), ("execute_result", {"b": "2"})],
        )
        # What was written before it isn't its own, and what it has printed is there.
        assert heard.told == ["settled", "stdout printed", "settled"]

    def test_has_what_threads_of_an_earlier_one_show(self, tmp_path: Path) -> None:
        def react(client: Client, number: str) -> None:
            late = message("stream", "1-1", name="stdout", text=f"late, before {number}")
            other = message("stream", "another", name="stdout", text="of another frontend")
            client.answer(number, [late, other])

        async def work(conversation: Conversation) -> None:
            for name in ("1", "2"):
                await conversation.run(name, outputs=str(tmp_path / name))

        talk(Client(react), Heard(), work)
        assert [(tmp_path / name).read_text(encoding="utf-8").count("late") for name in ("1", "2")] == [1, 1]
        assert "before 2-2" in (tmp_path / "2").read_text(encoding="utf-8")
        assert "another" not in (tmp_path / "2").read_text(encoding="utf-8")

    def test_that_has_replied_may_publish_more(self) -> None:
        def react(client: Client, number: str) -> None:
            client.shell.put_nowait(message("execute_reply", number, **OK))

        client = Client(react)

        async def work(conversation: Conversation) -> list[Any]:
            running = asyncio.create_task(conversation.run("1"))
            # More than it takes to hear the reply.
            for _ in range(50):
                await asyncio.sleep(0)
            assert client.shell.empty()
            is_done = running.done()
            client.answer("1-1", [message("execute_result", "1-1", data={"a": "1"})])
            return [is_done, (await running).shown]

        assert talk(client, Heard(), work) == [False, [("execute_result", {"a": "1"})]]

    def test_gets_no_answer_of_another(self) -> None:
        def react(client: Client, number: str) -> None:
            client.shell.put_nowait(message("execute_reply", "another", status="aborted"))
            client.shell.put_nowait({"parent_header": {}, "header": {}, "content": {"status": "aborted"}})
            client.answer(number)

        assert talk(Client(react), Heard(), lambda conversation: conversation.run("1")).content == OK


class TestAQuestion:
    def test_is_told_after_what_was_published_before_it_and_answered(self) -> None:
        told: list[Any] = []

        def react(client: Client, number: str) -> None:
            client.iopub.put_nowait(message("stream", number, name="stdout", text="before"))
            client.stdin.put_nowait(message("else", number))
            client.stdin.put_nowait(message("input_request", number, prompt="x" * (1 << 17), password=True))

        client, heard = Client(react), Heard()

        async def work(conversation: Conversation) -> ExecuteReply:
            def ask(prompt: str, is_password: bool) -> None:
                told.append((len(prompt), is_password, heard.told[-1]))
                conversation.answer("typed")
                client.answer("1-1")

            return await conversation.run("1", asker=ask)

        assert talk(client, heard, work).content == OK
        assert told == [(1 << 16, True, "stdout before")]
        assert client.typed.get_nowait() == "typed"

    def test_is_heard_since_no_cell_that_may_ask_is_sent_before(self) -> None:
        client = Client(lambda client, number: client.answer(number))

        async def work(conversation: Conversation) -> ExecuteReply:
            client.connected.clear()
            # One that may not ask waits for nothing.
            await conversation.run("1")
            running = asyncio.create_task(conversation.run("2", asker=lambda *_: None))
            await asyncio.sleep(0)
            assert client.asked == ["1"]
            client.connected.set()
            return await running

        assert talk(client, Heard(), work).content == OK
        assert client.asked == ["1", "2"]

    def test_of_a_cell_before_which_nobody_sits_meets_the_end(self) -> None:
        client = Client()

        async def work(_: Conversation) -> None:
            client.stdin.put_nowait(message("input_request", "earlier", prompt="name? "))
            assert await client.typed.get() == "\x04"

        talk(client, Heard(), work)


class TestTheFirstAnswer:
    def test_is_asked_for_until_both_channels_are_heard(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # No wait is long, however slow we are: what counts is what is asked again.
        monkeypatch.setattr(module, "_ASK_AGAIN_SECONDS", 0.01)
        monkeypatch.setattr(module, "_PUBLISHED_SECONDS", 0.01)

        def react(client: Client, number: str) -> None:
            if len(client.asked) == 2:
                # It answers, and isn't heard yet on the other channel.
                client.shell.put_nowait(message("kernel_info_reply", number, which=2))
            elif len(client.asked) > 2:
                client.answer(number, which=len(client.asked))

        heard, client = Heard(), Client(react)
        content = talk(client, heard, lambda conversation: conversation.kernel_info())
        assert content["which"] >= 3
        assert len(client.asked) == content["which"]
        assert heard.told == [f"looked at {PID}"]


@pytest.mark.parametrize("channel", ["shell", "iopub", "stdin"])
@pytest.mark.parametrize("error", [ValueError, TypeError, KeyError, IndexError])
def test_what_is_no_message_makes_the_kernel_unusable(channel: str, error: type[Exception]) -> None:
    client = Client()

    async def nonsense(timeout: float | None = None) -> Any:
        raise error("Invalid Signature")

    setattr(client, f"get_{channel}_msg", nonsense)
    with pytest.raises(UnusableError, match="^the kernel sent what is not a Jupyter message: .*Invalid Signature"):
        talk(client, Heard(), lambda conversation: conversation.run("1"))


class TestLastWords:
    def _hear(self, client: Client) -> list[str]:
        heard = Heard()
        asyncio.run(Conversation(cast("Any", client), PID, cast("Prints", heard)).last_words())
        return heard.told

    def test_are_what_was_published_and_then_what_was_written(self) -> None:
        client = Client()
        client.start_channels()
        client.iopub.put_nowait(message("stream", "1", name="stderr", text="one"))
        client.iopub.put_nowait(message("stream", "1", name="stderr", text="two"))
        assert self._hear(client) == ["stderr one", "stderr two", "last words"]

    def test_without_channels_are_what_was_written(self) -> None:
        client = Client()
        client.iopub.put_nowait(message("stream", "1", name="stderr", text="one"))
        assert self._hear(client) == ["last words"]

    def test_of_one_whose_child_goes_on_end(self) -> None:
        class Endless(Client):
            async def get_iopub_msg(self, timeout: float | None = None) -> Any:
                return message("status", "1", execution_state="busy")

        client = Endless()
        client.start_channels()
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "_MOST_SECONDS", 0.01)
            assert self._hear(client) == ["last words"]
