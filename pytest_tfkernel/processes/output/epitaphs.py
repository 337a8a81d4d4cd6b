"""What a process of ours said last, for the person who is told that it has died."""

from __future__ import annotations

from pytest_tfkernel.processes.output.captures import Capture

_MOST = 1 << 16
# With which faulthandler begins; after it comes the stack.
_STACK = "Fatal Python error"


def last_line(log: Capture) -> str:
    """In one line; "" when it said nothing."""
    lines = log.read(0, _MOST)[0].strip().splitlines()
    crash = [line for line in lines if line.startswith(_STACK)]
    return f"; its last words: {(crash or lines)[-1]}" if lines else ""


def last_words(log: Capture) -> str:
    """With the stack of a crash, which begins on a line of its own."""
    words = log.read(0, _MOST)[0].strip()
    at = words.find(_STACK)
    return f"; its last words:\n{words[at:]}" if at >= 0 else last_line(log)
