"""Waits for what is known to stay: a test of that has seen it as soon as the wait has begun."""

from __future__ import annotations

import pytest

from pytest_tfkernel.kernels.faults.menu import find
from pytest_tfkernel.kernels.generations import life
from pytest_tfkernel.trials.auditing import KernelWatch

SECONDS = 0.1


def hasten(patch: pytest.MonkeyPatch) -> None:
    """For a kernel that goes on when its channel is broken, and for what outlives its kernel."""
    patch.setattr(life, "_CLOSING_SECONDS", SECONDS)
    for wait in (life.Life.leftovers, KernelWatch.audit):
        patch.setattr(wait, "__defaults__", (SECONDS,))


def hasten_survivor(patch: pytest.MonkeyPatch, fault: str) -> None:
    """For a kernel that this doesn't kill."""
    patch.setitem(vars(find(fault)), "seconds", SECONDS)
