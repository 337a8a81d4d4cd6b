"""Text from anywhere as text for a page: visible, of bounded length, in units that people read."""

from __future__ import annotations

import hashlib
import itertools
import json
import re
from collections.abc import Callable
from typing import Any

from markupsafe import Markup, escape

_KIB = 1024.0
_MINUTE = 60
# Sequences of terminals: of colours and cursors, of titles and links, and those of two characters.
_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\^_])")
_PICTURES = 0x2400
_LONGEST_NAME, _DIGEST = 120, 10
# An option up to its next hyphen. Lines may end behind any hyphen, so its own two would stand alone.
_OPTION = re.compile(r"(?<![\w-])--[A-Za-z]\w{0,30}")
# What is said of a text that was clipped is as long as this.
_NOTE = 40


def _visible() -> dict[int, str]:
    """What a page can't hold, or what would make it look like something else, and what stands for it."""
    table = {code: chr(_PICTURES + code) for code in range(0x20) if chr(code) not in "\n\t"}
    table[0x7F] = "\u2421"
    table |= {code: f"\\x{code:02x}" for code in range(0x80, 0xA0)}
    # Marks that turn the direction of what follows, separators of lines, and what is no character.
    odd = (0x061C, 0x200E, 0x200F, *range(0x2028, 0x202F), *range(0x2066, 0x206A), 0xFEFF, 0xFFFE, 0xFFFF)
    return table | {code: f"\\u{code:04x}" for code in odd}


_VISIBLE = _visible()


def clean(text: str) -> str:
    """Without sequences of terminals; what is no text is spelt out."""
    text = _ANSI.sub("", text.replace("\r\n", "\n").replace("\r", "\n"))
    # A lone surrogate is no text in UTF-8.
    return text.translate(_VISIBLE).encode("utf-8", "backslashreplace").decode("utf-8")


def line(text: str, limit: int) -> str:
    """Clean, in one line, clipped."""
    return clip(" ".join(clean(text[: 20 * limit]).split()), limit)


def clip(text: str, limit: int) -> str:
    """At most about `limit` bytes of a page: its beginning, what is missing, and twice as much of its end."""
    weight = len(escape(text).encode("utf-8", "backslashreplace"))
    if weight <= limit + _NOTE:
        return text
    keep = limit * len(text) // weight
    head = keep // 3
    tail = keep - head
    return f"{text[:head]} [… {plural(len(text) - keep, 'character')} left out …] {text[len(text) - tail :]}"


def unbroken(text: str, most: int = 8) -> Markup:
    """Clean and escaped, with so many of its options kept in one piece each: these marks take room."""
    mark = '<span class="option">'
    # Nothing that is escaped becomes an option, or takes a part of one.
    escaped = str(escape(clean(text)))
    return Markup(_OPTION.sub(lambda found: f"{mark}{found[0]}</span>", escaped, count=most))  # noqa: S704


def block(text: str, limit: int) -> str:
    """Clean and clipped, with its lines."""
    # Cleaning takes time, and far too much text is clipped anyway.
    if len(text) > 20 * limit:
        text = text[: 10 * limit] + text[-10 * limit :]
    return clip(clean(text).strip("\n"), limit)


def size(amount: float | None) -> str:
    """Bytes, as 512 MiB."""
    if amount is None:
        return "\u2013"
    for unit in ("B", "KiB", "MiB"):
        if abs(amount) < _KIB:
            return f"{amount:.0f} {unit}"
        amount /= _KIB
    return f"{amount:.1f} GiB"


def duration(seconds: float | None) -> str:
    """Three digits: 41 ms, 2.41 s, 3 min 20 s."""
    if seconds is None:
        return "\u2013"
    if abs(seconds) < 0.001:  # noqa: PLR2004 - a millisecond
        return f"{seconds * 1e6:.0f} \u00b5s" if seconds else "0 s"
    if abs(seconds) < 1:
        return f"{seconds * 1e3:.3g} ms"
    if abs(seconds) < _MINUTE:
        return f"{seconds:.3g} s"
    minutes, rest = divmod(round(seconds), _MINUTE)
    return f"{minutes} min {rest} s"


def count(amount: int | None) -> str:
    """A number, or that it isn't known."""
    return "\u2013" if amount is None else f"{amount:,}"


def plural(amount: int, word: str, many: str = "") -> str:
    """As 1 trial, 2 trials."""
    return f"{amount:,} {word if amount == 1 else many or f'{word}s'}"


def value(anything: Any, limit: int) -> str:
    """A value of JSON as one clipped line."""
    text = anything if isinstance(anything, str) else json.dumps(anything, ensure_ascii=False, default=str)
    return line(text, limit)


def when(moment: str) -> str:
    """A time of day in UTC, to the minute; what is none, as it is."""
    return re.sub(r"^(\d+-\d\d-\d\d)T(\d\d:\d\d)\S*(?:Z|\+00:00)$", r"\1, \2 UTC", line(moment, 60))


def namer() -> Callable[[str], str]:
    """Make names that can stand in an address: the same for the same texts, and no two alike."""
    given: set[str] = set()

    def name(text: str) -> str:
        word = re.sub(r"[^A-Za-z0-9._-]+", "-", text[:_LONGEST_NAME])
        if word != text:
            digest = hashlib.sha256(text.encode("utf-8", "backslashreplace")).hexdigest()
            word = f"{word}-{digest[:_DIGEST]}"
        # Words that are joined may read the same: a-b and c, a and b-c.
        numbered = (f"{word}-{number}" for number in itertools.count(2))
        free = next(one for one in itertools.chain([word], numbered) if one not in given)
        given.add(free)
        return free

    return name
