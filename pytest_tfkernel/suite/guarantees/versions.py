"""Since when TensorFlow does something. No judge knows until when: what is newer does it too, or is seen not to."""

from __future__ import annotations


def is_since(version: str | None, first: tuple[int, int]) -> bool | None:
    """Whether a version, a nightly one too, is this one or newer; None where it doesn't begin with two numbers."""
    numbers = (version or "").split(".")[:2]
    if len(numbers) != 2 or not all(map(str.isdigit, numbers)):  # noqa: PLR2004
        return None
    return (int(numbers[0]), int(numbers[1])) >= first
