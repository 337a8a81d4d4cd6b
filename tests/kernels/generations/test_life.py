"""Post-mortems: what is known of a death, and what is made of damage to a kernel's handles."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelDied, KernelHung, KernelStartError
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem
from pytest_tfkernel.processes.cgroups import MEMORY

StartKernel = Callable[..., Kernel]
MIB = 1 << 20


def death_by(kernel: Kernel, cell: str, timeout: float = 20) -> PostMortem:
    with pytest.raises(KernelDied) as caught:
        kernel.execute(cell, timeout=timeout)
    return caught.value.post_mortem


_DEATHS = {
    "exit": ("import os; os._exit(3)", ExitStatus(code=3), Cause.EXIT, Killer.SELF),
    "exit 0": ("import os; os._exit(0)", ExitStatus(code=0), Cause.EXIT, Killer.SELF),
    "crash": ("import ctypes; ctypes.string_at(0)", ExitStatus(signal=signal.SIGSEGV), Cause.SIGNAL, Killer.SELF),
    "abort": ("import os; os.abort()", ExitStatus(signal=signal.SIGABRT), Cause.SIGNAL, Killer.SELF),
    # Nobody can know who sent it.
    "kill": ("import os; os.kill(os.getpid(), 9)", ExitStatus(signal=signal.SIGKILL), Cause.SIGNAL, Killer.UNKNOWN),
}


@pytest.mark.parametrize("provisioner", ["forkserver", "subprocess"])
@pytest.mark.parametrize(("cell", "status", "cause", "killer"), _DEATHS.values(), ids=_DEATHS)
def test_a_death_by_its_own_hand(
    start: StartKernel, cell: str, status: ExitStatus, cause: Cause, killer: Killer, provisioner: str
) -> None:
    kernel = start(provisioner=provisioner)
    process = kernel.life.process
    post_mortem = death_by(kernel, cell)
    assert (post_mortem.exit_status, post_mortem.cause, post_mortem.killer) == (status, cause, killer)
    assert (post_mortem.process, post_mortem.generation, post_mortem.last_cell) == (process, 1, cell)
    assert 0 < post_mortem.uptime < 20
    assert post_mortem.usage is not None
    assert post_mortem.usage.max_rss > MIB
    assert bool(post_mortem.stack) is (status.signal in (signal.SIGSEGV, signal.SIGABRT))


def test_a_death_by_our_hand(kernel: Kernel) -> None:
    post_mortem = kernel.inject("sigkill").post_mortem
    assert post_mortem is not None
    assert (post_mortem.cause, post_mortem.killer) == (Cause.SIGNAL, Killer.US)
    assert post_mortem.last_cell is None


def test_a_death_by_a_strangers_hand(kernel: Kernel, await_death: Callable[[int], None]) -> None:
    os.kill(kernel.pid, signal.SIGKILL)
    await_death(kernel.pid)
    assert [(one.cause, one.killer) for one in kernel.post_mortems] == [(Cause.SIGNAL, Killer.UNKNOWN)]


def test_tails_are_bounded_and_say_what_was_cut(kernel: Kernel) -> None:
    post_mortem = death_by(kernel, "import os\nos.write(1, b'x' * 100000 + b'end')\nos.write(2, b'short')\nos._exit(1)")
    assert post_mortem.stdout.endswith("xend")
    assert len(post_mortem.stdout) + post_mortem.stdout_cut == 100003
    assert len(post_mortem.stdout) == 16 * 1024
    assert (post_mortem.stderr, post_mortem.stderr_cut) == ("short", 0)
    assert f"--- stdout ({post_mortem.stdout_cut} bytes before this were cut)" in post_mortem.describe()


def test_a_long_cell_is_cut(kernel: Kernel) -> None:
    post_mortem = death_by(kernel, "import os; os._exit(1)\n" + "#" * 10000)
    assert post_mortem.last_cell is not None
    assert len(post_mortem.last_cell) == 4096


def test_output_that_is_not_utf_8_is_shown_escaped(kernel: Kernel) -> None:
    reply = kernel.execute("import os; os.write(1, b'a\\xff\\xc3b'); None")
    assert reply.stdout == "a\\xff\\xc3b"
    assert death_by(kernel, "import os; os.write(2, b'\\xfe'); os._exit(1)").stderr == "\\xfe"


class TestOomKill:
    def test_it_is_one_when_the_linux_kernel_says_so(
        self, start: StartKernel, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(MEMORY)
        kernel = start(memory_limit=48 * MIB)
        post_mortem = death_by(kernel, "x = bytearray(1 << 30)\nx[::4096] = x[::4096]")
        assert post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)
        assert (post_mortem.cause, post_mortem.killer) == (Cause.OOM_KILL, Killer.OOM_KILLER)

    def test_that_of_a_child_is_not_the_kernels_own(
        self, start: StartKernel, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(MEMORY)
        kernel = start(memory_limit=48 * MIB)
        # The greatest of them is chosen, so the child it is.
        child = "x = bytearray(1 << 30)\nx[::4096] = x[::4096]"
        cell = f"import os, subprocess, sys\nsubprocess.call([sys.executable, '-c', {child!r}])"
        assert kernel.execute(cell).value == -signal.SIGKILL
        assert kernel.life.oom_kills() == 1
        post_mortem = death_by(kernel, "os.kill(os.getpid(), 9)")
        assert (post_mortem.cause, post_mortem.killer) == (Cause.SIGNAL, Killer.UNKNOWN)

    def test_a_start_that_runs_out_of_memory_says_so(
        self, start: StartKernel, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(MEMORY)
        with pytest.raises(KernelStartError, match="oom-kill"):
            start(memory_limit=48 * MIB, startup="x = bytearray(1 << 30)\nx[::4096] = x[::4096]")

    def test_no_cgroup_of_ours_remains(
        self, start: StartKernel, needs_cgroup: Callable[[str], None], launcher: Launcher
    ) -> None:
        needs_cgroup(MEMORY)
        kernel = start(process_limit=50)
        kernel.inject("oom-kill")
        made = [Path(path).parent for path in kernel.life.cgroup.procs_files]  # type: ignore[union-attr]
        kernel.shutdown()
        assert not any(folder.exists() for folder in made)
        assert list(made[0].parent.glob(f"tfkernel-{os.getpid()}-*")) == []


class TestFloods:
    def test_a_gigabyte_of_output_fits_into_little_memory(
        self, start: StartKernel, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(MEMORY)
        kernel = start(memory_limit=200 * MIB)
        reply = kernel.execute("import os\nfor n in range(1024): os.write(1, b'%04d' % n * (1 << 18))", timeout=60)
        assert reply.stdout_cut + len(reply.stdout) == 1 << 30
        assert reply.stdout.endswith("10231023")
        assert len(reply.stdout) == MIB


_BREAKS = {
    "garbage": ("os.write(3, b'\\xff' * 64)", "its length is garbage"),
    "oversized": ("os.write(3, struct.pack('!i', 1 << 30))", "a frame is longer than"),
    "no JSON": ("os.write(3, struct.pack('!i', 5) + b'hello')", "a frame is not JSON"),
    "no ASCII": ("os.write(3, struct.pack('!i', 2) + b'\\xff\\xff')", "a frame is not JSON"),
    "deep JSON": ("os.write(3, struct.pack('!i', 100000) + b'[' * 100000)", "a frame is not JSON"),
    "a list": ("os.write(3, struct.pack('!i', 2) + b'[]')", "a frame is not a message of ours"),
    "an empty object": ("os.write(3, struct.pack('!i', 2) + b'{}')", "a frame is not a message of ours"),
    "no reply": (
        """
for n in range(20):
    text = b'{"kind": "x", "id": %d}' % n
    os.write(3, struct.pack('!i', len(text)) + text)
""",
        "it sent 'x' unasked",
    ),
}


class TestBrokenChannels:
    @pytest.mark.usefixtures("impatient")
    @pytest.mark.parametrize(("cell", "words"), _BREAKS.values(), ids=_BREAKS)
    def test_what_is_no_frame_of_ours_is_told(self, kernel: Kernel, cell: str, words: str) -> None:
        post_mortem = death_by(kernel, f"import os, struct, time\n{cell}\ntime.sleep(60)")
        assert words in post_mortem.headline()
        assert "so it was ended" in post_mortem.headline()
        assert post_mortem.killer is Killer.US
        kernel.restart()
        assert kernel.execute("1").value == 1

    @pytest.mark.usefixtures("impatient")
    def test_half_a_frame_and_then_nothing_is_told(self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pytest_tfkernel.processes.wire._FRAME_SECONDS", 1)
        kernel.restart()
        post_mortem = death_by(kernel, "import os, time\nos.write(3, b'\\0\\0\\1\\0half')\ntime.sleep(60)")
        assert "a frame stopped half way for 1 s while it lived, so it was ended" in post_mortem.headline()

    def test_half_a_frame_and_then_death_is_told(self, kernel: Kernel) -> None:
        post_mortem = death_by(kernel, "import os\nos.write(3, b'\\0\\0\\1\\0half')\nos._exit(6)")
        assert post_mortem.exit_status == ExitStatus(code=6)

    @pytest.mark.parametrize("first", [0, 3])
    def test_a_kernel_that_closes_its_handles_is_told(self, kernel: Kernel, first: int) -> None:
        post_mortem = death_by(kernel, f"import os\nos.closerange({first}, 256)")
        assert "its channel was closed in the cell" in post_mortem.headline()
        kernel.restart()
        assert kernel.execute("1").value == 1

    def test_a_kernel_that_closes_its_handles_and_waits_is_ended(self, kernel: Kernel) -> None:
        post_mortem = death_by(kernel, "import os, time\nos.closerange(0, 256)\ntime.sleep(60)")
        assert "its channel was closed while it lived, so it was ended" in post_mortem.headline()
        assert post_mortem.killer is Killer.US

    def test_a_kernel_that_closes_its_streams_lives(self, kernel: Kernel) -> None:
        assert (
            kernel.execute("import os\nprint('before', flush=True)\nos.close(1)\nos.close(2)\n5").stdout == "before\n"
        )
        assert kernel.execute("6").value == 6

    def test_a_kernel_that_lost_stderr_still_has_a_stack(self, kernel: Kernel) -> None:
        post_mortem = death_by(kernel, "import ctypes, os\nos.close(2)\nctypes.string_at(0)")
        assert 'File "<cell 1>", line 3' in post_mortem.stack

    def test_a_kernel_that_does_not_read_is_ended(self, kernel: Kernel, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("pytest_tfkernel.processes.wire._FRAME_SECONDS", 1)
        kernel.restart()
        kernel.signal(signal.SIGSTOP)
        with pytest.raises(KernelHung, match="it took no input for 1 s, so it was ended"):
            kernel.execute("#" * (10 << 20))


def test_a_kernel_that_dies_while_another_thread_asks_of_it(
    kernel: Kernel, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    running = tmp_path / "running"
    seen: list[KernelDied] = []

    def ask() -> None:
        with pytest.raises(KernelDied) as caught:
            kernel.execute(f"import time\nopen({str(running)!r}, 'w').close()\ntime.sleep(60)")
        seen.append(caught.value)

    thread = threading.Thread(target=ask)
    thread.start()
    eventually(running.exists)
    kernel.signal(signal.SIGKILL)
    thread.join(10)
    assert [one.post_mortem for one in seen] == list(kernel.post_mortems)
    assert seen[0].post_mortem.killer is Killer.US


# Threads of native code, which have no Python frames of their own: TensorFlow's pools are such.
NATIVE_THREADS = """
import ctypes
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
for _ in range(16):
    libc.pthread_create(ctypes.byref(thread), None, ctypes.cast(libc.pause, ctypes.c_void_p), None)
"""


def test_stacks_of_a_stopped_process_are_taken_by_its_main_thread(start: StartKernel) -> None:
    kernel = start(startup=NATIVE_THREADS)
    for _ in range(5):
        post_mortem = kernel.inject("sigstop", timeout=0.05).post_mortem
        assert post_mortem is not None
        stack = post_mortem.stack
        # The thread that runs the handler is the current one, and no other one has any frames here.
        assert stack.startswith("Current thread"), stack
        kernel.restart()
