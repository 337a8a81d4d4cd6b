"""How many of what."""

from __future__ import annotations

import pytest

from pytest_tfkernel.model.numbers import counted


@pytest.mark.parametrize(
    ("amount", "many", "said"), [(0, "", "0 trials"), (1, "", "1 trial"), (2, "", "2 trials"), (2, "two", "2 two")]
)
def test_one_has_no_s(amount: int, many: str, said: str) -> None:
    assert counted(amount, "trial", many) == said
