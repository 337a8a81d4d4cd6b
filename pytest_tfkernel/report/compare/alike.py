"""Whether two texts or values mean the same, although no two runs have the same pids, addresses and times."""

from __future__ import annotations

import functools
import math
import re
from typing import Any

from pytest_tfkernel.report.document import LONGEST_MESSAGE

_TOLERANCE = 1e-6

_PATH = re.compile(r"/[^\s'\"`,;:)\]}>]+")
_TEMPORARY = ("/tmp/", "/var/tmp/", "/dev/shm/", "/run/user/")  # noqa: S108 - to be left out
# Where the files of one environment are those of another, ours too where they aren't installed but linked.
_ENVIRONMENT = re.compile(
    r"/(?:lib/python\d+\.\d+/(?:site-packages/|dist-packages/)?|(?:site|dist)-packages/|(?=pytest_tfkernel/_child/))"
)
_PYTHON = re.compile(r"/bin/python[0-9.]*$")
# What is left out of messages, in this order. Small numbers stay: `exit code 3`, `[Errno 24]` and `2.0` mean something.
# No pattern takes more than linear time: a message may be a megabyte.
_VARYING = (
    (re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<id>"),
    (re.compile(r"\b0x[0-9a-fA-F]+\b"), "<address>"),
    (re.compile(r"\b(?:\d{4}-\d\d-\d\d[T ])?\d{1,2}:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:\d\d)?"), "<time>"),
    # Seven as of a short commit; with a digit, so that no word is taken for one.
    (re.compile(r"\b(?=[0-9a-f]*\d)(?=[0-9a-f]*[a-f])[0-9a-f]{7,}\b"), "<id>"),
    (
        re.compile(r"(?i)\b(pid|process|ppid|thread|tid|port|line|lease|inode|fd|gw)([ =:#]*)\d+"),
        r"\1\2<number>",
    ),
    (
        re.compile(r"\b\d+(?:\.\d+)?(?:e[+-]?\d+)?(?= ?(?:[mnu\u00b5]?s|sec(?:ond)?s?|min|[KMG]i?B|bytes?|%)\b|%)"),
        "<number>",
    ),
    (re.compile(r"\d{4,}"), "<number>"),
)


# The same few messages come from many trials, and are asked for again when differences are put together.
@functools.cache
def normal(message: str) -> str:
    """A message without what differs from run to run."""
    message = _PATH.sub(lambda found: shared_path(found[0]), message)
    for pattern, instead in _VARYING:
        message = pattern.sub(instead, message)
    return " ".join(message.split())


def shared_path(path: str) -> str:
    """A path without the part that is of one run or of one environment."""
    # An environment may lie anywhere.
    if _ENVIRONMENT.search(path):
        return _ENVIRONMENT.split(path)[-1]
    if path.startswith(_TEMPORARY):
        return "<path>"
    if _PYTHON.search(path):
        # Of two environments, as a rule.
        return "<python>"
    if path.startswith("/proc/"):
        return re.sub(r"^/proc/\d+", "/proc/<number>", path)
    return path


def same_text(ref: str, changed: str) -> bool:
    """Whether two messages say the same; of long ones, as far as both are there."""
    if ref == changed:
        return True
    before, after = normal(ref), normal(changed)
    if min(len(ref), len(changed)) >= LONGEST_MESSAGE:
        # They were cut, in the middle of a word perhaps, while they had their paths, which may differ in length.
        length = min(len(text.rpartition(" ")[0] or text) for text in (before, after))
        return before[:length] == after[:length]
    return before == after


def same_value(ref: Any, changed: Any) -> bool:
    """Whether two results are equal: numbers up to rounding, texts as messages are, names in any order."""
    if isinstance(ref, str) and isinstance(changed, str):
        return same_text(ref, changed)
    if _is_number(ref) and _is_number(changed):
        return bool(ref == changed) or _is_close(ref, changed)
    if isinstance(ref, dict) and isinstance(changed, dict):
        return ref.keys() == changed.keys() and all(same_value(value, changed[name]) for name, value in ref.items())
    if _is_names(ref) and _is_names(changed):
        return sorted(map(normal, ref)) == sorted(map(normal, changed))
    if isinstance(ref, list) and isinstance(changed, list) and len(ref) == len(changed):
        return all(same_value(one, other) for one, other in zip(ref, changed, strict=True))
    return type(ref) is type(changed) and bool(ref == changed)


def _is_names(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in value)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _is_close(ref: float, changed: float) -> bool:
    try:
        return math.isclose(ref, changed, rel_tol=_TOLERANCE)
    except OverflowError:
        # A whole number that no float can hold.
        return False
