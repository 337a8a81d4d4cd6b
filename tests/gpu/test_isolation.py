"""Isolated tests on a GPU: what collecting takes of it doesn't stay, and each test sees it as a plain run does."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from typing import Any

import pytest

from card import MIB, Card
from inner import Inner, counts
from pytest_tfkernel.kernels.faults.gpu_cells import OPEN_CONTEXT

pytestmark = pytest.mark.gpu

CONFTEST = """
import json
from pytest_tfkernel._child.nvml import Reader

def note(name):
    device = Reader().read()["devices"][0]
    with open("seen.jsonl", "a") as file:
        print(json.dumps([name, len(device["processes"]), device["memory"]["used"]]), file=file)
"""
TENSORFLOW = "import tensorflow as tf\nwith tf.device('/GPU:0'): taken = tf.constant([1.0]) + 1\n"
IN_A_TEST = "    import conftest; conftest.note({!r})\n"
LOOKS = "def test_looks():\n" + IN_A_TEST.format("looks")
# What takes the GPU while it is imported comes first and last: a process that had it before would have it still.
FILES = {
    "test_a_takes.py": "def test_a():\n" + IN_A_TEST.format("takes first"),
    "test_b_looks.py": LOOKS + LOOKS.replace("looks", "looks_again"),
    "test_c_uses.py": "def test_c():\n",
    "test_d_takes.py": "def test_d():\n" + IN_A_TEST.format("takes last"),
}
FOUND_BY = "import tensorflow as tf; print(len(tf.config.list_physical_devices('GPU')))"


@pytest.fixture(params=["driver-file", "driver-test", "tensorflow-file"])
def takes(request: pytest.FixtureRequest, card: Card) -> tuple[str, str]:
    """Code that takes the GPU: it opens a context, or makes a tensor there; and what shares a process."""
    what, _, mode = request.param.partition("-")
    if what == "driver":
        return OPEN_CONTEXT, mode
    asked = subprocess.run([sys.executable, "-c", FOUND_BY], capture_output=True, text=True, check=False)
    if asked.stdout.strip() in {"", "0"}:
        pytest.skip(f"TensorFlow here finds no GPU: {asked.stderr.strip().splitlines()[-1:]}")
    return TENSORFLOW, mode


def seen(inner: Inner) -> dict[str, tuple[int, int]]:
    """How many processes had the GPU when each test looked, and how much memory of it was used."""
    path = inner.folder / "seen.jsonl"
    found: list[Any] = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    path.unlink()
    return {name: (processes, used) for name, processes, used in found}


def test_collecting_takes_no_gpu_from_tests(inner: Inner, card: Card, takes: tuple[str, str]) -> None:
    code, mode = takes
    # Others are forked from one that was begun without the driver, perhaps.
    inner = replace(inner, warm=None)
    inner.write("conftest.py", CONFTEST)
    for name, text in FILES.items():
        body = "".join(f"    {line}\n" for line in code.splitlines()) + IN_A_TEST.format("uses")
        inner.write(name, code + "\n" + text if "takes" in name else text + body if "uses" in name else text)
    before = len(card.now().processes or ()), card.used()
    assert counts(inner.run("test_c_uses.py")) == {"passed": 1}
    plain = seen(inner)["uses"]
    run = inner.run(f"--tfkernel-isolate={mode}", "-v")
    assert counts(run) == {"passed": 5}
    isolated = seen(inner)
    # As a plain run sees it that has only that file.
    assert isolated["looks"][0] == isolated["looks_again"][0] == before[0]
    for name in ("uses", "takes first", "takes last"):
        processes, used = isolated[name]
        assert processes == plain[0] == before[0] + 1
        assert used == pytest.approx(plain[1], abs=64 * MIB), name
    for name in ("looks", "looks_again"):
        assert isolated[name][1] == pytest.approx(before[1], abs=64 * MIB), name
    # The others are forks of a process that has collected all but those two.
    how = [line.strip() for line in run.outlines if line.startswith("  test_")]
    assert [line.partition(" (")[0] for line in how if "forked" in line] == [
        "test_b_looks.py: forked",
        "test_c_uses.py: forked",
    ]
    cold = [line for line in how if "cold: " in line]
    assert [line.partition(":")[0] for line in cold] == ["test_a_takes.py", "test_d_takes.py"]
    assert all("TensorFlow is initialised already" in line or "/dev/nvidia" in line for line in cold)
    # And nobody has it now.
    assert len(card.now().processes or ()) == before[0]
    assert card.used() == pytest.approx(before[1], abs=64 * MIB)
