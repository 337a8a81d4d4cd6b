"""A kernel says what it was asked for, in time; whatever else it says runs nothing here, and ends it."""

from __future__ import annotations

import json
import os
import select
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hosted_kernels import JUPYTER
from pytest_tfkernel.kernels.cells import values
from pytest_tfkernel.kernels.generations import answers
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied, KernelHung
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import Jupyter
from pytest_tfkernel.processes.wire import ChannelTornError

StartKernel = Callable[..., Kernel]

_REPLY: dict[str, Any] = {"kind": "reply", "ok": True, "seconds": 0.5, "error": None, "value": 1}
_ERROR = {"type": "E", "message": "m", "traceback": "t"}

# What a cell can answer in the place of its kernel, with the number of its request.
_FALSE_REPLIES: dict[str, dict[str, Any]] = {
    "a pickle": {"kind": "reply", "ok": True, "seconds": 0.5, "error": None, "pickled": "gEsBLg=="},
    "a pickle and a value": {**_REPLY, "pickled": ""},
    "no result": {"kind": "reply", "ok": True, "seconds": 0.5, "error": None},
    "failed, and not why": {"kind": "failed"},
    "failed": {"kind": "failed", "error": "x"},
    "an error without ok": {**_REPLY, "error": _ERROR, "value": None},
    "an error with a value": {**_REPLY, "ok": False, "error": _ERROR},
    "not ok without an error": {**_REPLY, "ok": False},
    "ok is a number": {**_REPLY, "ok": 1},
    "an error of other parts": {**_REPLY, "ok": False, "value": None, "error": {"type": "E"}},
    "an error of other types": {**_REPLY, "ok": False, "value": None, "error": {**_ERROR, "message": 1}},
    "no time": {**_REPLY, "seconds": None},
    "time is a truth value": {**_REPLY, "seconds": True},
    "time without end": {**_REPLY, "seconds": float("inf")},
    "time that is no float": {**_REPLY, "seconds": 10**400},
    "negative time": {**_REPLY, "seconds": -1},
    "not carried, and not why": {"kind": "reply", "ok": True, "seconds": 0.5, "error": None, "not_carried": [1]},
    "configured": {"kind": "configured"},
    "a second greeting": {"kind": "hello", "version": [3, 11, 7]},
    "a mark": {"kind": "mark", "name": "in"},
    "a deep value": {**_REPLY, "value": json.loads("[" * 500 + "]" * 500)},
    "an overflowing complex": {**_REPLY, "value": {"$": "complex", "parts": [10**400, 0]}},
    "a complex of text": {**_REPLY, "value": {"$": "complex", "parts": ["1", 0.0]}},
    "a complex of one": {**_REPLY, "value": {"$": "complex", "parts": [1.0]}},
    "a float of digits": {**_REPLY, "value": {"$": "float", "is": "1e999"}},
    "a float that is not a string": {**_REPLY, "value": {"$": "float", "is": 10**400}},
    "no base64": {**_REPLY, "value": {"$": "bytes", "base64": "!"}},
    "bytes that are no text": {**_REPLY, "value": {"$": "bytes", "base64": 5}},
    "a dict of no pairs": {**_REPLY, "value": {"$": "dict", "items": [[1, 2, 3]]}},
    "a key that is a dict": {**_REPLY, "value": {"$": "dict", "items": [[{}, 1]]}},
    "a tag that is none": {**_REPLY, "value": {"$": "else"}},
}

# Says what its first line binds, in the place of its kernel, whose own answer never comes.
_SAY = """
import json, os, struct, sys, time
frame = sys._getframe()
while "request" not in frame.f_locals or "id" not in frame.f_locals["request"]:
    frame = frame.f_back
text = json.dumps(dict(said, id=frame.f_locals["request"]["id"])).encode()
os.write(3, struct.pack("!i", len(text)) + text)
time.sleep(60)
"""

# A pickle that makes a folder where it is read.
_ATTACK = """
import base64, json, os, pickle
class Attack:
    def __reduce__(self):
        return os.mkdir, (FOLDER,)
pickled = base64.b64encode(pickle.dumps(Attack())).decode()
"""


def _say(reply: dict[str, Any]) -> str:
    return f"import json\nsaid = json.loads({json.dumps(reply)!r})\n{_SAY}"


@pytest.mark.usefixtures("impatient")
class TestReplies:
    @pytest.mark.parametrize("reply", _FALSE_REPLIES.values(), ids=_FALSE_REPLIES)
    def test_one_in_another_form_ends_the_kernel(self, kernel: Kernel, reply: dict[str, Any]) -> None:
        cell = _say(reply)
        with pytest.raises(KernelDied, match="so it was ended"):
            kernel.execute(cell)
        assert not kernel.is_alive
        kernel.restart()
        assert kernel.execute("1").value == 1

    @pytest.mark.parametrize("result", ["value", "pickled and value"])
    def test_the_answer_to_a_call_is_a_pickle_and_nothing_beside(self, kernel: Kernel, result: str) -> None:
        reply = {**_REPLY, "pickled": "gEsBLg=="} if result != "value" else _REPLY
        cell = _say(reply)

        def answer() -> None:
            exec(cell, {})

        with pytest.raises(KernelDied, match="its reply to 'call' has .*value"):
            kernel.call(answer)

    def test_a_pickle_runs_nothing_here_unless_it_was_asked_for(self, kernel: Kernel, tmp_path: Path) -> None:
        seen = tmp_path / "seen"
        reply = 'said = {"kind": "reply", "ok": True, "seconds": 0.5, "error": None, "pickled": pickled}'
        with pytest.raises(KernelDied, match="its reply to 'execute' has pickled"):
            kernel.execute(_ATTACK.replace("FOLDER", repr(str(seen))) + reply + _SAY)
        assert not seen.exists()

    def test_one_that_a_jupyter_kernel_shows_is_not_read(self, host_launcher: Launcher, tmp_path: Path) -> None:
        python, made_by = JUPYTER.python(host_launcher), Jupyter(restart_poll=30.0)
        kernel = host_launcher.start(KernelSpec(provisioner=made_by, python=python, environment=JUPYTER.environment))
        seen = tmp_path / "seen"
        kernel.execute(
            _ATTACK.replace("FOLDER", repr(str(seen)))
            + """
forms = {"application/vnd.tfkernel.call+json": json.dumps({"pickled": pickled})}
"""
        )
        assert kernel.execute("from IPython.display import display\ndisplay(forms, raw=True)").value is None
        assert not seen.exists()
        assert kernel.call(lambda: 4) == 4
        kernel.shutdown(now=True)


class TestAsked:
    def test_an_answer_comes_once(self) -> None:
        asked = answers.Asked(is_managed=False)
        number = asked.note({"kind": "execute"})
        asked.check({**_REPLY, "id": number})
        with pytest.raises(ChannelTornError, match="'reply' unasked"):
            asked.check({**_REPLY, "id": number})

    def test_that_of_an_earlier_request_may_still_come(self) -> None:
        asked = answers.Asked(is_managed=False)
        first, second = asked.note({"kind": "execute"}), asked.note({"kind": "execute"})
        asked.check({**_REPLY, "id": first})
        asked.check({**_REPLY, "id": second})

    @pytest.mark.parametrize("number", [0, 2, True, 1.0, "1", None])
    def test_a_number_that_was_not_given_is_none(self, number: object) -> None:
        asked = answers.Asked(is_managed=False)
        asked.note({"kind": "execute"})
        with pytest.raises(ChannelTornError):
            asked.check({**_REPLY, "id": number})

    @pytest.mark.parametrize("version", [None, "3.11", [3], [3, 11, "7"], [3, True, 7]])
    def test_a_greeting_has_a_version(self, version: object) -> None:
        with pytest.raises(ChannelTornError, match="no version"):
            answers.Asked(is_managed=False).check({"kind": "hello", "version": version})

    def test_a_host_may_say_that_its_kernel_failed(self) -> None:
        asked = answers.Asked(is_managed=True)
        asked.check({"kind": "failed", "error": "no IPython"})
        with pytest.raises(ChannelTornError, match="does not say why"):
            asked.check({"kind": "failed"})

    def test_a_managed_one_asks_for_input_while_its_cell_runs_if_it_may(self) -> None:
        asked = answers.Asked(is_managed=True)
        question = {"kind": "input", "prompt": "name? ", "password": False}
        first, second = asked.note({"kind": "execute", "asks": True}), asked.note({"kind": "execute"})
        asked.check({**question, "id": first})
        asked.note({"kind": "input", "text": "Ann"})
        asked.check({**question, "id": first})
        for wrong in ({"prompt": 1}, {"password": None}):
            with pytest.raises(ChannelTornError, match="does not say how"):
                asked.check({**question, **wrong, "id": first})
        asked.check({**_REPLY, "id": first})
        for number in (first, second, 3, [1]):
            with pytest.raises(ChannelTornError, match="'input' unasked"):
                asked.check({**question, "id": number})
        own = answers.Asked(is_managed=False)
        with pytest.raises(ChannelTornError, match="'input' unasked"):
            own.check({**question, "id": own.note({"kind": "execute", "asks": True})})


def test_what_a_kernel_encodes_is_read() -> None:
    deep: Any = 1.5
    for _ in range(50):
        deep = [deep]
    assert values.decode(deep) == deep


_TALKS = {
    "marks": "while True: _tfkernel_mark('x')",
    # Faster than anybody reads.
    "marks without end": "import json, os, struct, sys\nframe = sys._getframe()\n"
    "while 'request' not in frame.f_locals: frame = frame.f_back\n"
    "text = json.dumps({'kind': 'mark', 'name': 'x', 'id': frame.f_locals['request']['id']}).encode()\n"
    "many = (struct.pack('!i', len(text)) + text) * 4096\nwhile True: os.write(3, many)",
    "marks of a thread": "import threading, time\ndef talk():\n    while True: _tfkernel_mark('x')\n"
    "threading.Thread(target=talk, daemon=True).start()\ntime.sleep(60)",
    "a frame that trickles": "import os, time\nwhile True:\n    os.write(3, b'\\0\\x7f'[:1]); time.sleep(0.05)\n"
    "    os.write(3, b'\\x01\\0\\0'); time.sleep(0.05)\n    while True: os.write(3, b' '); time.sleep(0.05)",
}


@pytest.mark.parametrize("cell", _TALKS.values(), ids=_TALKS)
def test_a_kernel_that_goes_on_talking_has_no_more_time_than_a_silent_one(kernel: Kernel, cell: str) -> None:
    def until_there_is_more(_: str) -> None:
        select.select([kernel.life._parts.channel.fileno()], [], [])

    with pytest.raises(KernelHung, match="no reply for 1 s"):
        kernel.execute_marked(cell, until_there_is_more, timeout=1.0)
    kernel.restart()
    assert kernel.execute("1").value == 1


def test_what_fills_the_file_for_stacks_is_given_back(kernel: Kernel) -> None:
    kernel.execute_marked(
        "import os, time\nfor _ in range(64): os.write(4, b'x' * (1 << 20)); time.sleep(0.02)\n_tfkernel_mark('full')",
        lambda _: None,
    )
    descriptor = kernel.life._parts.stacks.descriptor
    assert os.fstat(descriptor).st_size >= 64 << 20
    assert os.fstat(descriptor).st_blocks * 512 < 32 << 20
