"""Our requests as a frontend's cells, and a kernel's answers as ours; its other side is told by the test."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

pytest.importorskip("jupyter_client")

from frontends import OK, PYTHON, Talk
from pytest_tfkernel._child import frames, ipython
from pytest_tfkernel.hosts.bridge import Bridge, KernelDescriptors
from pytest_tfkernel.hosts.conversation import Conversation, ExecuteReply
from pytest_tfkernel.processes.wire import Channel

OVER = {"kind": "failed", "error": "over"}


@dataclass
class Line:
    """A bridge with both of its ends."""

    channel: Channel
    port: frames.Port
    marks: tuple[int, int]
    acts: list[str] = field(default_factory=list)
    acted: asyncio.Event = field(default_factory=asyncio.Event)

    def serve(self, talk: Talk, *requests: dict[str, Any]) -> list[Any]:
        """What it says to these requests, whose numbers count from 1, and at its end."""
        for number, request in enumerate(requests, start=1):
            self.port.send({"id": number, **request})
        descriptors = KernelDescriptors(stacks=41, marks=42, marks_here=self.marks[0])

        async def act(kind: str) -> None:
            self.acts.append(kind)
            self.acted.set()

        async def serve() -> None:
            await asyncio.wait_for(Bridge(cast("Conversation", talk), self.channel, descriptors, act).serve(), 60)

        asyncio.run(serve())
        self.channel.close()
        return list(self._heard())

    def _heard(self) -> Iterator[Any]:
        while True:
            try:
                yield self.port.receive()
            except (EOFError, OSError):
                return


@pytest.fixture
def line() -> Iterator[Line]:
    channel, theirs = Channel.pair()
    marks = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    line = Line(channel, frames.Port(theirs), marks)
    yield line
    line.port.close()
    for end in marks:
        os.close(end)


def shown(*forms: dict[str, str], kind: str = "execute_result", **content: Any) -> ExecuteReply:
    return ExecuteReply({**OK, **content}, [(kind, form) for form in forms])


def cell(text: str = "1", **more: Any) -> dict[str, Any]:
    return {"kind": "execute", "cell": text, **more}


def reply(line: Line, answer: ExecuteReply, request: dict[str, Any] | None = None) -> Any:
    """What comes of one cell."""
    hello, found, over = line.serve(Talk([answer]), request or cell(), cell("one too many"))
    assert (hello["kind"], over) == ("hello", OVER)
    assert (found["kind"], found["id"]) == ("reply", 1)
    return found


class TestHello:
    def test_comes_first_with_the_version(self, line: Line) -> None:
        talk = Talk([])
        assert line.serve(talk, cell()) == [{"kind": "hello", "version": [3, 11, 7]}, OVER]

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"protocol_version": "4.1"}, "the kernel speaks version 4.1 of Jupyter's protocol, not 5: update it"),
            ({"language_info": {"name": "R"}}, "the kernel runs R, not Python: choose another kernelspec"),
        ],
    )
    def test_is_said_by_no_other_kernel(self, line: Line, changes: dict[str, Any], why: str) -> None:
        assert line.serve(Talk([], {**PYTHON, **changes})) == [{"kind": "failed", "error": why}]


class TestConfigure:
    REQUEST: dict[str, Any] = {"kind": "configure", "sys_path": ["/a"]}  # noqa: RUF012 - a constant

    def test_teaches_it_our_forms_by_a_silent_cell(self, line: Line) -> None:
        talk = Talk([shown()])
        assert line.serve(talk, self.REQUEST, cell())[1] == {"kind": "configured", "id": 1}
        text, in_history = talk.ran[0]
        assert not in_history
        assert "install(get_ipython(), 41, 42, ['/a'])" in text
        compile(text, "cell", "exec")

    def test_fails_on_what_is_no_ipython(self, line: Line) -> None:
        refused = ExecuteReply({"status": "error", "ename": "NameError", "evalue": "get_ipython"}, [])
        assert line.serve(Talk([refused]), self.REQUEST)[1] == {
            "kind": "failed",
            "error": "the kernel is not IPython, or not a version that we know: NameError: get_ipython",
        }


class TestAValue:
    def test_is_what_was_shown_last_in_our_form(self, line: Line) -> None:
        found = reply(line, shown({ipython.MIME: '{"value": 1}'}, {ipython.MIME: '{"value": [2, null]}'}))
        assert (found["ok"], found["error"], found["value"]) == (True, None, [2, None])

    def test_is_none_where_none_is_shown(self, line: Line) -> None:
        assert reply(line, shown({ipython.MIME: '{"value": 1}'}, kind="display_data"))["value"] is None

    def test_that_has_no_form_says_why(self, line: Line) -> None:
        assert reply(line, shown({ipython.MIME: '{"not_carried": "why"}'}))["not_carried"] == "why"

    @pytest.mark.parametrize(
        "text",
        [None, "", "[1]", "1", '{"value": 1, "ok": false}', '{"pickled": "x"}', '{"not_carried": 1}', "[" * 10**5],
    )
    def test_in_any_other_form_is_not_carried(self, line: Line, text: str | None) -> None:
        found = reply(line, shown({"text/plain": "1"} if text is None else {ipython.MIME: text}))
        assert found["not_carried"] == "the kernel shows this value, but not in a form that we can read"
        assert "value" not in found
        assert found["ok"]


class TestAnError:
    def test_is_told_without_colours(self, line: Line) -> None:
        answer = ExecuteReply(
            {"status": "error", "ename": "KeyError", "evalue": "'a'", "traceback": ["\x1b[0;31mone\x1b[0m", "two"]}, []
        )
        found = reply(line, answer)
        assert found["error"] == {"type": "KeyError", "message": "'a'", "traceback": "one\ntwo"}
        assert (found["ok"], found["value"]) == (False, None)

    def test_that_is_only_shown_is_one(self, line: Line) -> None:
        # As Spyder's `%runfile` does.
        answer = ExecuteReply({**OK}, [("error", {"ename": "KeyError", "evalue": "a"})])
        assert reply(line, answer)["error"] == {"type": "KeyError", "message": "a", "traceback": ""}

    def test_of_a_cell_that_was_never_run_has_a_name(self, line: Line) -> None:
        found = reply(line, ExecuteReply({"status": "aborted"}, []))
        assert found["error"]["type"] == "Aborted"
        assert "'aborted'" in found["error"]["message"]

    def test_of_a_text_that_is_none_comes_from_us(self, line: Line) -> None:
        talk = Talk([])
        _, found, over = line.serve(talk, cell("'\udcff'"), cell("1"))
        assert (found["ok"], found["error"]["type"], over) == (False, "UnicodeEncodeError", OVER)
        assert [text for text, _ in talk.ran] == ["1"]


class TestACall:
    REQUEST: dict[str, Any] = {"kind": "call", "payload": "cGF5", "cloudpickle": "/cp"}  # noqa: RUF012 - a constant

    def test_is_a_cell_that_no_history_has(self, line: Line) -> None:
        talk = Talk([shown({ipython.CALL_MIME: '{"pickled": "eA=="}'}, kind="display_data")])
        assert line.serve(talk, self.REQUEST, cell())[1]["pickled"] == "eA=="
        text, in_history = talk.ran[0]
        assert text.endswith(".call('cGF5', '/cp')")
        assert not in_history

    def test_is_answered_by_what_was_published_last(self, line: Line) -> None:
        outputs = [{ipython.CALL_MIME: json.dumps({"pickled": text})} for text in ("of the cell", "ours")]
        assert reply(line, shown(*outputs, kind="display_data"), self.REQUEST)["pickled"] == "ours"

    @pytest.mark.parametrize("form", [{}, {ipython.CALL_MIME: '{"value": 1}'}, {ipython.MIME: '{"pickled": "x"}'}])
    def test_that_published_nothing_of_ours_has_no_result(self, line: Line, form: dict[str, str]) -> None:
        found = reply(line, shown(form, kind="display_data"), self.REQUEST)
        assert "pickled" not in found
        assert "not_carried" in found


class TestMarks:
    def test_of_a_cell_that_may_make_them_are_passed_on_with_their_number(self, line: Line) -> None:
        async def mark(count: int) -> None:
            if count == 2:
                os.write(line.marks[1], b'{"name": "in", "id": 1}\nnonsense\n{"id": 1}\n[]\n{"name": "ou')
                # It is read, and goes on.
                for _ in range(10):
                    await asyncio.sleep(0)
                os.write(line.marks[1], b't", "id": 1}\n')
            elif count == 3:
                # Nobody reads it before the end.
                os.write(line.marks[1], b'{"name": "last", "id": 2}\n')

        talk = Talk([shown(), shown()], meanwhile=mark)
        heard = line.serve(talk, cell(marks=True), cell("one too many"))
        assert talk.ran[0][0].endswith(".allow_marks(1)")
        marks = [(one["name"], one["id"]) for one in heard if one["kind"] == "mark"]
        assert marks == [("in", 1), ("out", 1), ("last", 2)]

    def test_of_another_cell_are_not_asked_for(self, line: Line) -> None:
        talk = Talk([shown()])
        line.serve(talk, cell(), cell())
        assert [text for text, _ in talk.ran] == ["1", "1"]


@pytest.mark.parametrize("kind", ["shutdown", "interrupt"])
def test_what_is_the_managers_affair_comes_to_it_while_a_cell_runs(line: Line, kind: str) -> None:
    async def wait(_: int) -> None:
        await line.acted.wait()

    line.serve(Talk([], meanwhile=wait), cell("for ever"), {"kind": kind})
    assert line.acts == [kind]


def test_words_for_a_cell_come_before_it_in_any_encoding(line: Line) -> None:
    talk = Talk([shown(), shown()])
    line.serve(talk, cell(argv=["a.py", "é", "\udcff"]), cell("one too many"))
    assert talk.ran[0][0].endswith(r".take_argv(['a.py', '\xe9', '\udcff'])")
    assert talk.ran[1][0] == "1"


def test_a_question_is_told_with_the_number_of_its_cell_and_answered_while_that_runs(line: Line) -> None:
    async def ask(count: int) -> None:
        if count > 1:
            return
        assert talk.asker is not None
        talk.asker("name? ", False)
        assert await asyncio.wait_for(talk.typed.get(), 60) == "Ann"

    talk = Talk([shown()], meanwhile=ask)
    heard = line.serve(talk, cell(asks=True), {"kind": "input", "text": "Ann"}, cell("one too many"))
    assert heard[1] == {"kind": "input", "id": 1, "prompt": "name? ", "password": False}
    assert talk.asker is None


def test_nobody_at_the_other_end_is_no_error(line: Line) -> None:
    line.port.close()
    assert line.serve(Talk([], {**PYTHON, "protocol_version": "4"})) == []
