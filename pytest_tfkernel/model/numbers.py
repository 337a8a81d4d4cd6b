"""Numbers of things, as people write them."""

from __future__ import annotations


def counted(amount: int, word: str, many: str = "") -> str:
    """As 1 trial, 2 trials; `many` is for words that don't take an s."""
    return f"{amount} {word if amount == 1 else many or f'{word}s'}"
