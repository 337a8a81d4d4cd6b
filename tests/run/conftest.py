"""What the tests of runs share: a script in a light kernel, played in this process."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.kernels.generations.life import Life
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.run import script
from pytest_tfkernel.run.script import RunEnd
from pytest_tfkernel.run.wishes import RunWishes

StartKernel = Callable[..., Kernel]
PlayScript = Callable[..., RunEnd]


class Idle:
    """Looks seldom, and keeps nothing."""

    def look(self, life: Life) -> float:
        life.wait(0.001, channel=False)
        return 1.0

    def last_look(self, life: Life) -> None:
        """There is nothing to see."""


@pytest.fixture
def play(start: StartKernel, tmp_path: Path) -> PlayScript:
    """Run source text in a light kernel; what it prints goes to descriptors 1 and 2 of this process."""

    def run(
        source: str, *arguments: str, timeout: float = math.inf, blow: Any = None, stdin: int = 0, **spec: Any
    ) -> RunEnd:
        file = tmp_path / "script.py"
        file.write_text(source, encoding="utf-8")
        wishes = RunWishes(file, arguments, "python", "forkserver", None, timeout)
        return script.play(start(**spec).life, wishes, Idle(), blow, stdin)

    return run
