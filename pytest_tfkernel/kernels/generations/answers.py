"""What a kernel may say: what it was asked for, in the form in which it was asked. All else has torn its channel."""

from __future__ import annotations

from typing import Any

from pytest_tfkernel.processes.wire import ChannelTornError, Message

# pytest leaves our frames out of a user's traceback.
__tracebackhide__ = True

# Seconds; more is no float, or nothing that anybody can have measured.
_LONGEST = 1e9
_ERROR = {"type", "message", "traceback"}
_RESULTS = {"value", "not_carried", "pickled"}
# What an answer without an error holds: only a call may send a pickle, which is code.
_ALLOWED = {"execute": ("value", "not_carried"), "call": ("pickled", "not_carried")}


class Asked:
    """The requests to one life of a kernel, by their numbers from 1, and what may still come of them."""

    def __init__(self, *, is_managed: bool) -> None:
        self._is_managed = is_managed
        self._count = 0
        self._is_greeted = False
        self._open: dict[int, str] = {}
        self._marking: set[int] = set()
        self._asking: set[int] = set()

    def note(self, request: Message) -> int:
        """The number of a request that is about to be sent."""
        self._count += 1
        if request["kind"] != "input":
            # That is an answer itself.
            self._open[self._count] = request["kind"]
        if request.get("marks"):
            self._marking.add(self._count)
        if request.get("asks") and self._is_managed:
            self._asking.add(self._count)
        return self._count

    def check(self, message: Message) -> None:
        """Raise ChannelTornError for what was not asked for. Each answer may come once."""
        kind, number = message["kind"], message.get("id")
        is_number = type(number) is int
        if kind == "hello" and not self._is_greeted:
            self._is_greeted = _is_version(message.get("version"))
            wrong = "" if self._is_greeted else "its first word has no version"
        elif kind == "failed" and self._is_managed:
            wrong = "" if isinstance(message.get("error"), str) else "it failed, and does not say why"
        elif kind == "mark" and is_number and number in self._marking:
            wrong = "" if isinstance(message.get("name"), str) else "a mark has no name"
        elif kind == "input" and is_number and number in self._asking and number in self._open:
            is_whole = isinstance(message.get("prompt"), str) and isinstance(message.get("password"), bool)
            wrong = "" if is_whole else "it asks for input, and does not say how"
        elif not is_number or number not in self._open or kind != _answer_to(self._open[number]):
            wrong = f"it sent {kind[:40]!r} unasked"
        else:
            wrong = _fault_of(message, self._open.pop(number)) if kind == "reply" else ""
        if wrong:
            raise ChannelTornError(wrong)


def _answer_to(request: str) -> str:
    return {"configure": "configured", "execute": "reply", "call": "reply"}.get(request, "")


def _is_version(found: Any) -> bool:
    return isinstance(found, list) and len(found) in (2, 3) and all(type(part) is int for part in found)


def _fault_of(reply: Message, request: str) -> str:
    """What is wrong with a reply; "" when nothing is."""
    error, seconds = reply.get("error"), reply.get("seconds")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= _LONGEST:
        return "its reply does not say how long it took"
    if not isinstance(reply.get("ok"), bool) or reply["ok"] != (error is None):
        return "its reply does not say whether there was an error"
    if error is not None and not (
        isinstance(error, dict) and set(error) == _ERROR and all(isinstance(text, str) for text in error.values())
    ):
        return "its reply has an error that is malformed"
    results = _RESULTS & set(reply)
    if error is not None:
        return "" if results <= {"value"} and reply.get("value") is None else "its reply has an error and a result"
    if len(results) != 1 or not results <= set(_ALLOWED[request]):
        return f"its reply to {request!r} has {' and '.join(sorted(results)) or 'no result'}"
    (result,) = results
    return (
        "" if result == "value" or isinstance(reply[result], str) else f"its reply has a {result} that is not a string"
    )
