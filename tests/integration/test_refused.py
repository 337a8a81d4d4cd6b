"""Where the system refuses what kernels need: one line in each place, and no INTERNALERROR."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import refusing
from inner import Inner
from warm import BY_REQUEST, without

TESTS = """
import pytest

def test_kernel(tfkernel):
    pass

@pytest.mark.parametrize("provisioner", ["subprocess", "forkserver", "jupyter", "multiprocess-spawn"])
def test_made(tfkernel_factory, provisioner):
    tfkernel_factory(provisioner=provisioner)

def test_other():
    pass
"""
USAGE_ERROR, CANT_TELL = 4, 2

pytestmark = pytest.mark.skipif(not refusing.works(), reason=f"the numbers of calls are those of {refusing.MACHINE}")


def run(inner: Inner, number: int, call: str, *words: str) -> tuple[int, str]:
    command = [sys.executable, str(Path(refusing.__file__)), str(number), call, sys.executable, *words]
    done = subprocess.run(
        command, cwd=inner.folder, env=inner.environment, capture_output=True, text=True, timeout=120, check=False
    )
    text = done.stdout + done.stderr
    sys.stdout.write(text)
    assert "INTERNALERROR" not in text
    assert "Traceback" not in text
    return done.returncode, text


def line(call: str, number: int) -> str:
    return f"nothing can be started here: {call} is refused ({errno.errorcode[number]}: {os.strerror(number)}): "


def pytest_words(*words: str) -> list[str]:
    return ["-m", "pytest", "-q", *without(*BY_REQUEST), *words]


REFUSED = [
    ("pidfd_open", errno.EPERM),
    ("pidfd_open", errno.ENOSYS),
    ("pidfd_send_signal", errno.EPERM),
    ("memfd_create", errno.EPERM),
    ("prctl", errno.EPERM),
]


def _each_with(*more: tuple[str, ...]) -> list[Any]:
    """One call with all of these, and another one with the first: which one it was, the rest doesn't ask.

    That each is refused is shown of a fixture.
    """
    asked_with = dict.fromkeys(more, REFUSED[:1]) | {more[0]: [REFUSED[0], REFUSED[3]]}
    return [
        pytest.param(
            *refused,
            words,
            id="-".join([refused[0], str(refused[1]), " ".join(words)]),
            marks=[pytest.mark.soak] if refused not in asked_with[words] else [],
        )
        for refused in REFUSED
        for words in more
    ]


class TestRefused:
    @pytest.mark.parametrize(("call", "number"), REFUSED)
    def test_a_fixture_says_it_in_a_line(self, inner: Inner, call: str, number: int) -> None:
        inner.write("test_mine.py", TESTS)
        code, text = run(inner, number, call, *pytest_words("test_mine.py"))
        assert (code, text.count(f"\nno kernel: {line(call, number)}")) == (1, 5)
        assert "1 passed, 5 errors" in text

    @pytest.mark.parametrize(("call", "number", "more"), _each_with((), ("-n", "2"), ("--tfkernel-report=run.json",)))
    def test_the_suite_refuses_to_begin(self, inner: Inner, call: str, number: int, more: tuple[str, ...]) -> None:
        code, text = run(inner, number, call, *pytest_words("--tfkernel", "--tfkernel-size=smoke", *more))
        assert code == USAGE_ERROR
        assert f"ERROR: tfkernel: {line(call, number)}" in text

    @pytest.mark.parametrize(
        ("call", "number", "more"), _each_with((), ("--require=gpu-idle",), ("--require=oom-kill",))
    )
    def test_the_doctor_can_not_tell(self, inner: Inner, call: str, number: int, more: tuple[str, ...]) -> None:
        code, text = run(inner, number, call, "-I", "-m", "pytest_tfkernel", "doctor", *more)
        assert (code, text.count("\n")) == (CANT_TELL, 1)
        assert text.startswith(f"doctor: {line(call, number)}")

    @pytest.mark.parametrize(("call", "number", "more"), _each_with(("--tfkernel-report=run.json",)))
    def test_a_document_is_refused(self, inner: Inner, call: str, number: int, more: tuple[str, ...]) -> None:
        inner.write("test_mine.py", TESTS)
        code, text = run(inner, number, call, *pytest_words("test_mine.py", *more))
        assert code == USAGE_ERROR
        assert f"ERROR: tfkernel: {line(call, number)}" in text

    # That each is refused is shown of a fixture; the gate asks for two of them by itself.
    @pytest.mark.parametrize(
        ("call", "number"),
        [pytest.param(*one, marks=[] if one in REFUSED[:4:3] else [pytest.mark.soak]) for one in REFUSED],
    )
    def test_the_gate_does_without(self, inner: Inner, call: str, number: int) -> None:
        # Ends with pytest.
        leave = "import subprocess\nleft = []\n"
        leave += "def test_leaves(): left.append(subprocess.Popen(['cat'], stdin=subprocess.PIPE))\n"
        inner.write("test_mine.py", leave)
        code, text = run(inner, number, call, *pytest_words("test_mine.py", "--tfkernel-gate"))
        assert code == 1
        assert "left behind: process " in text
