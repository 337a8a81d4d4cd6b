"""Kernels that are a Process of multiprocess: what it says of them, and what is left."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import handles
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.provisioners.multiprocess import MultiprocessHosts, Told
from pytest_tfkernel.model.errors import KernelDied, KernelHung, KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer, PostMortem
from pytest_tfkernel.model.provisioners import Multiprocess
from pytest_tfkernel.processes.cgroups import MEMORY
from pytest_tfkernel.processes.orders import Order
from warm_hosts import WarmHosts

StartKernel = Callable[..., Kernel]
Eventually = Callable[[Callable[[], object]], None]

DAEMON = "import os, time\nif os.fork() == 0:\n    time.sleep(60)\n    os._exit(0)"


@pytest.fixture(autouse=True, scope="module")
def installed() -> None:
    pytest.importorskip("multiprocess", reason="multiprocess isn't installed here")


@pytest.fixture(scope="module")
def launcher(warm_hosts: WarmHosts) -> Iterator[Launcher]:
    """One whose processes are only those of this file. Its hosts are forks: what they import is imported already."""
    with warm_hosts.beneath():
        launcher = Launcher()
    with launcher:
        yield launcher


# What doesn't hang on how a process is started is shown of one start method, and of the others in the soak.
ONE = [pytest.param(one, marks=[] if one == "fork" else pytest.mark.soak) for one in Multiprocess.methods]


@pytest.fixture(params=Multiprocess.methods)
def method(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def provisioner(launcher: Launcher, method: str) -> MultiprocessHosts:
    found = launcher.makers[f"multiprocess-{method}"]
    assert isinstance(found, MultiprocessHosts)
    return found


@pytest.fixture
def begin(start: StartKernel, provisioner: MultiprocessHosts) -> StartKernel:
    """Start a kernel by this start method."""
    return lambda **spec: start(provisioner=provisioner.name, **spec)


@pytest.fixture
def kernel(begin: StartKernel) -> Kernel:
    return begin()


def host_of(kernel: Kernel, provisioner: MultiprocessHosts) -> int:
    host = provisioner.host_of(kernel.life.process)
    assert host is not None
    return host.pid


def below(launcher: Launcher) -> list[str]:
    return [proc.command_line(one["pid"]) for one in proc.descendants(launcher.supervisor.pid)]


def parent_of(pid: int) -> int:
    stat = proc.read_stat(pid)
    assert stat is not None
    return stat.parent


class TestBirth:
    def test_it_is_a_process_of_the_start_method(
        self, kernel: Kernel, provisioner: MultiprocessHosts, method: str
    ) -> None:
        host, command = host_of(kernel, provisioner), proc.command_line(kernel.pid)
        if method == "forkserver":
            server = parent_of(kernel.pid)
            assert ("multiprocess.forkserver" in command, parent_of(server)) == (True, host)
        else:
            assert parent_of(kernel.pid) == host
            assert command == proc.command_line(host) if method == "fork" else "multiprocess.spawn" in command

    def test_cells_find_a_blank_namespace_and_nothing_of_ours(self, kernel: Kernel) -> None:
        cell = """
import os, sys
_names = sorted(vars(sys.modules["__main__"]))
_modules = {"numpy", "tensorflow", "__mp_main__", "multiprocess_main"} & set(sys.modules)
_folders = [one for one in sys.path if "_child" in one or one == ""]
[_names, sorted(_modules), _folders, os.environ.get("PYTHONPATH"), os.getsid(0) == os.getpid()]
"""
        names = ["__builtins__", "__doc__", "__loader__", "__name__", "__package__", "__spec__", "os", "sys"]
        assert kernel.execute(cell).value == [names, [], [], os.environ.get("PYTHONPATH"), True]

    def test_environment_folder_lease_and_limits_are_the_kernel_s_own(
        self, begin: StartKernel, tmp_path: Path, provisioner: MultiprocessHosts
    ) -> None:
        kernel = begin(
            environment={"MY_OWN": "1", "PYTHONPATH": str(tmp_path)}, folder=str(tmp_path), open_files_limit=123
        )
        cell = "import os, resource, tempfile\n[os.environ['MY_OWN'], os.environ['PYTHONPATH'], os.getcwd(), tempfile.gettempdir(), resource.getrlimit(resource.RLIMIT_NOFILE)[0]]"
        expected = ["1", str(tmp_path), str(tmp_path), str(kernel.life.temporary), 123]
        assert kernel.execute(cell).value == expected
        host = host_of(kernel, provisioner)
        assert proc.lease_of(kernel.pid) == kernel.life.lease != proc.lease_of(host)

    def test_it_writes_to_its_own_files(self, kernel: Kernel) -> None:
        reply = kernel.execute("import os, sys\nprint('hello')\nos.write(2, b'raw')")
        assert (reply.stdout, reply.stderr) == ("hello\n", "raw")

    def test_it_holds_nothing_of_its_host(self, kernel: Kernel) -> None:
        cell = """
import os
_links = [os.readlink("/proc/self/fd/%d" % number) for number in range(256) if os.path.lexists("/proc/self/fd/%d" % number)]
len({link for link in _links if link.startswith("socket:")})
"""
        # Its channel, and the Pipe by which it is watched.
        assert kernel.execute(cell).value == 2

    def test_signals_are_as_in_any_python(self, kernel: Kernel) -> None:
        cell = "import signal\n[signal.getsignal(n).name for n in (signal.SIGCHLD, signal.SIGPIPE, signal.SIGTERM)] + [signal.set_wakeup_fd(-1), sorted(signal.pthread_sigmask(0, []))]"
        assert kernel.execute(cell).value == ["SIG_DFL", "SIG_IGN", "SIG_DFL", -1, []]

    def test_multiprocess_works_in_its_cells(self, kernel: Kernel, method: str) -> None:
        cell = f"""
import multiprocess, os
context = multiprocess.get_context({method!r})
reader, writer = context.Pipe()
child = context.Process(target=exec, args=("import os; writer.send(os.getpid())", {{"writer": writer}}))
child.start()
host = multiprocess.parent_process()
watched = os.readlink("/proc/self/fd/%d" % host.sentinel).partition(":")[0]
[reader.recv() == child.pid, child.join(), child.exitcode, host.is_alive(), watched]
"""
        assert kernel.execute(cell).value == [True, None, 0, True, "pipe"]

    def test_cold_starts_are_counted(self, begin: StartKernel, provisioner: MultiprocessHosts, method: str) -> None:
        before = provisioner.cold_starts
        begin()
        assert provisioner.cold_starts - before == (1 if method == "fork" else 2)

    def test_a_restart_is_blank(self, kernel: Kernel, provisioner: MultiprocessHosts) -> None:
        host = host_of(kernel, provisioner)
        kernel.execute("kept = 1")
        assert kernel.execute("kept").value == 1
        first = kernel.life.process
        kernel.restart()
        assert kernel.life.process != first
        assert host_of(kernel, provisioner) != host
        error = kernel.execute("kept").error
        assert error is not None
        assert error.type == "NameError"


def fate(kernel: Kernel, provisioner: MultiprocessHosts) -> tuple[PostMortem, Told]:
    """Our post-mortem of the kernel, and what multiprocess says."""
    post_mortem = kernel.life.bury()
    told = provisioner.told(post_mortem.process)
    assert told is not None
    return post_mortem, told


class TestDeath:
    @pytest.mark.parametrize(
        ("fault", "status"),
        [
            ("sigkill", ExitStatus(signal=signal.SIGKILL)),
            ("os-exit-0", ExitStatus(code=0)),
            ("os-exit-3", ExitStatus(code=3)),
            ("exit", ExitStatus(code=0)),
            ("index-error-script", ExitStatus(code=1)),
        ],
    )
    def test_multiprocess_says_what_we_know(
        self, kernel: Kernel, provisioner: MultiprocessHosts, method: str, fault: str, status: ExitStatus
    ) -> None:
        kernel.inject(fault)
        post_mortem, told = fate(kernel, provisioner)
        assert post_mortem.exit_status == told.said == status
        assert told.exit_status == (None if method == "forkserver" else status)
        assert not told.is_alive
        assert told.sentinel_time is not None
        assert told.pipe_time is not None
        # Both may be ready before the death is: a process closes what it holds first.
        assert kernel.life.died_at == pytest.approx(told.sentinel_time, abs=0.5)
        assert (post_mortem.usage is None) == (method == "forkserver")
        if post_mortem.usage is not None:
            assert post_mortem.usage.max_rss > 1_000_000
        assert (post_mortem.killer is Killer.US) == (fault == "sigkill")

    @pytest.mark.parametrize("method", ONE, indirect=True)
    def test_an_index_error_in_a_cell_is_no_death(self, kernel: Kernel) -> None:
        outcome = kernel.inject("index-error")
        assert (outcome.post_mortem, outcome.reply.error.type) == (None, "IndexError")  # type: ignore[union-attr]
        assert kernel.execute("1 + 1").value == 2

    @pytest.mark.parametrize("method", ONE, indirect=True)
    def test_an_oom_kill_is_one(
        self, kernel: Kernel, provisioner: MultiprocessHosts, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(MEMORY)
        outcome = kernel.inject("oom-kill")
        assert outcome.post_mortem is not None
        assert (outcome.post_mortem.cause, outcome.post_mortem.killer) == (Cause.OOM_KILL, Killer.OOM_KILLER)
        # multiprocess can't tell it from any other SIGKILL; the host was not in the cgroup, and lived to tell.
        assert fate(kernel, provisioner)[1].exitcode == -signal.SIGKILL

    @pytest.mark.parametrize("method", ONE, indirect=True)
    def test_a_hang_is_ended_with_its_stacks(self, kernel: Kernel, provisioner: MultiprocessHosts) -> None:
        with pytest.raises(KernelHung) as hung:
            kernel.execute("import time\ntime.sleep(60)", timeout=0.3)
        assert 'File "<cell 1>", line 2' in hung.value.post_mortem.stack
        assert hung.value.post_mortem.cause is Cause.DEADLINE
        assert fate(kernel, provisioner)[1].exitcode == -signal.SIGKILL

    @pytest.mark.parametrize("method", ONE, indirect=True)
    def test_a_crash_leaves_its_stack(self, kernel: Kernel, provisioner: MultiprocessHosts) -> None:
        with pytest.raises(KernelDied) as died:
            kernel.execute("import ctypes\nctypes.string_at(0)")
        post_mortem = died.value.post_mortem
        assert (post_mortem.exit_status, post_mortem.killer) == (ExitStatus(signal=signal.SIGSEGV), Killer.SELF)
        assert 'File "<cell 1>", line 2' in post_mortem.stack
        assert fate(kernel, provisioner)[1].exitcode == -signal.SIGSEGV

    def test_it_can_be_killed_before_its_first_word(self, kernel: Kernel, provisioner: MultiprocessHosts) -> None:
        outcome = kernel.inject("sigkill", phase="starting")
        assert outcome.post_mortem is not None
        assert outcome.post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)
        assert fate(kernel, provisioner)[1].exitcode == -signal.SIGKILL

    @pytest.mark.parametrize("method", ONE, indirect=True)
    def test_an_interrupt_ends_the_cell_and_not_the_kernel(
        self, kernel: Kernel, provisioner: MultiprocessHosts
    ) -> None:
        outcome = kernel.inject("interrupt")
        assert (outcome.post_mortem, outcome.reply.error.type) == (None, "KeyboardInterrupt")  # type: ignore[union-attr]
        assert kernel.execute("1 + 1").value == 2

    def test_a_daemon_keeps_the_sentinel_silent(
        self, kernel: Kernel, provisioner: MultiprocessHosts, method: str
    ) -> None:
        kernel.execute(DAEMON)
        kernel.inject("sigkill")
        post_mortem, told = fate(kernel, provisioner)
        assert post_mortem.exit_status == told.said == ExitStatus(signal=signal.SIGKILL)
        assert not told.is_alive
        # The write end of a pipe, which a fork inherits; a fork server writes to it.
        assert (told.sentinel_time is None) == (method != "forkserver")
        assert told.pipe_time is None
        assert len(kernel.life.leftovers(0.0)) == 1
        kernel.shutdown()
        assert len(kernel.left_behind) == 1

    def test_a_kernel_that_closes_the_sentinel_s_other_end_is_not_taken_for_dead(
        self, kernel: Kernel, provisioner: MultiprocessHosts
    ) -> None:
        cell = """
import os
for _number in map(int, os.listdir("/proc/self/fd")):
    if os.path.lexists("/proc/self/fd/%d" % _number) and os.readlink("/proc/self/fd/%d" % _number).startswith("pipe:"):
        os.close(_number)
"""
        assert kernel.execute(cell).ok
        assert kernel.execute("1 + 1").value == 2
        kernel.inject("sigkill")
        post_mortem, told = fate(kernel, provisioner)
        assert post_mortem.exit_status == told.said == ExitStatus(signal=signal.SIGKILL)
        assert told.sentinel_time is not None
        assert kernel.life.died_at is not None
        # It was ready while the kernel lived; a host that had no time to look saw both at once.
        assert told.sentinel_time <= kernel.life.died_at


class TestHost:
    def test_it_ends_with_its_kernel_and_so_do_its_helpers(
        self, launcher: Launcher, kernel: Kernel, provisioner: MultiprocessHosts, eventually: Eventually
    ) -> None:
        host = host_of(kernel, provisioner)
        kernel.inject("sigkill")
        fate(kernel, provisioner)
        eventually(lambda: proc.start_time(host) is None)
        eventually(lambda: not [one for one in below(launcher) if "multiprocess" in one])

    def test_a_kernel_dies_with_its_host(
        self,
        launcher: Launcher,
        kernel: Kernel,
        provisioner: MultiprocessHosts,
        await_death: Callable[[int], None],
        eventually: Eventually,
    ) -> None:
        os.kill(host_of(kernel, provisioner), signal.SIGKILL)
        await_death(kernel.pid)
        post_mortem = kernel.life.bury()
        assert post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)
        # The supervisor has adopted it, and waited.
        assert post_mortem.usage is not None
        assert provisioner.told(post_mortem.process) is None
        eventually(lambda: not [one for one in below(launcher) if "multiprocess" in one])
        kernel.restart()
        assert kernel.execute("1 + 1").value == 2

    @pytest.mark.parametrize("method", ["forkserver"], indirect=True)
    def test_of_a_dead_fork_server_multiprocess_says_255(
        self, kernel: Kernel, provisioner: MultiprocessHosts, await_death: Callable[[int], None]
    ) -> None:
        os.kill(parent_of(kernel.pid), signal.SIGKILL)
        await_death(kernel.pid)
        post_mortem, told = fate(kernel, provisioner)
        assert told.exitcode == 255
        assert post_mortem.exit_status == ExitStatus(signal=signal.SIGKILL)

    @pytest.mark.parametrize("method", ONE, indirect=True)
    def test_what_it_said_is_kept_and_nothing_stays_open_here(
        self, begin: StartKernel, provisioner: MultiprocessHosts
    ) -> None:
        before = handles.opened()
        first, second = begin(), begin()
        assert provisioner.told(first.life.process, 0.0) is None
        for kernel, fault in ((first, "os-exit-3"), (second, "sigkill"), (first, "exit")):
            if not kernel.is_alive:
                kernel.restart()
            kernel.inject(fault)
        # The pipe of the provisioner may have been made by the first one.
        handles.do_not_grow(before + 2)
        heard = [provisioner.told(one.process) for one in (first.life, second.life)]
        assert [told.exitcode for told in heard if told is not None] == [0, -9]
        assert [one.exit_status for one in first.post_mortems] == [ExitStatus(code=3), ExitStatus(code=0)]
        told = provisioner.told(first.post_mortems[0].process)
        assert told is not None
        assert told.exitcode == 3
        assert provisioner.host_of(first.life.process) is None

    def test_close_ends_hosts_and_kernels(self, nothing_is_left: None, method: str) -> None:
        with Launcher() as own:
            kernel = own.start(KernelSpec(provisioner=f"multiprocess-{method}"))
            own.makers[kernel.spec.made_by.name].close()
            assert kernel.life.bury().exit_status == ExitStatus(signal=signal.SIGKILL)
            assert below(own) == []


class TestStartThatFails:
    """`write` puts a sitecustomize or a multiprocess of the test's own on the search path."""

    @pytest.fixture
    def write(self, tmp_path: Path) -> Callable[[str, str], dict[str, str]]:
        def write(name: str, text: str) -> dict[str, str]:
            (tmp_path / name).write_text(text)
            return {"PYTHONPATH": str(tmp_path)}

        return write

    @pytest.fixture(autouse=True)
    def nothing_is_below(self, launcher: Launcher, eventually: Eventually) -> Iterator[None]:
        yield
        eventually(lambda: below(launcher) == [])

    def test_without_multiprocess_it_says_what_to_install(
        self, begin: StartKernel, write: Callable[[str, str], dict[str, str]], provisioner: MultiprocessHosts
    ) -> None:
        environment = write("sitecustomize.py", "import sys\nsys.modules['multiprocess'] = None")
        with pytest.raises(KernelStartError) as caught:
            begin(environment=environment)
        assert str(caught.value) == (
            f"{sys.executable} has no multiprocess, which provisioner='{provisioner.name}' starts kernels with:"
            f" {sys.executable} -m pip install multiprocess"
        )

    @pytest.mark.parametrize(
        ("text", "message"),
        [
            ("import os\nprint('gone', flush=True)\nos._exit(7)", "died of exit code 7; its last words: gone"),
            ("import no_such_module", "failed with ModuleNotFoundError: No module named 'no_such_module'"),
            ("import os, signal\nos.kill(os.getpid(), signal.SIGKILL)", "died of SIGKILL"),
        ],
    )
    def test_a_multiprocess_that_breaks_is_one_line(
        self,
        begin: StartKernel,
        write: Callable[[str, str], dict[str, str]],
        provisioner: MultiprocessHosts,
        text: str,
        message: str,
    ) -> None:
        with pytest.raises(KernelStartError) as caught:
            begin(environment=write("multiprocess.py", text))
        assert str(caught.value) == f"the host of {provisioner.name} {message}"

    def test_a_host_that_hangs_is_given_up(
        self, begin: StartKernel, write: Callable[[str, str], dict[str, str]], provisioner: MultiprocessHosts
    ) -> None:
        with pytest.raises(KernelStartError, match=f"^the host of {provisioner.name} did not start a .* within 0.3 s$"):
            begin(environment=write("multiprocess.py", "import time\ntime.sleep(60)"), start_timeout=0.3)

    @pytest.mark.parametrize("method", ["spawn", "forkserver"], indirect=True)
    def test_a_process_that_does_not_reach_us_is_one_line(
        self, begin: StartKernel, write: Callable[[str, str], dict[str, str]]
    ) -> None:
        text = "import os, sys\nif '-c' in sys.orig_argv:\n    os.write(2, b'broken site')\n    os._exit(9)"
        with pytest.raises(KernelStartError, match=r"^the host of .*; its last words: .*broken site$"):
            begin(environment=write("sitecustomize.py", text))

    def test_a_kernel_that_cannot_be_set_up_says_why(self, begin: StartKernel, monkeypatch: pytest.MonkeyPatch) -> None:
        order = Order(1, folder=None, cgroups=("/nowhere/cgroup.procs",))
        monkeypatch.setattr(Order, "of", lambda spec, lease, cgroups: dataclasses.replace(order, lease=lease))
        with pytest.raises(KernelStartError, match=r"did not start: .*exit code 1(.|\n)*could not be set up.*nowhere"):
            begin()


# Interpreters with multiprocess, as in PATH.
_OTHERS = "TFKERNEL_TEST_PYTHONS_MULTIPROCESS"


@pytest.mark.skipif(_OTHERS not in os.environ, reason=f"{_OTHERS} names no other interpreters with multiprocess")
@pytest.mark.parametrize("python", os.environ.get(_OTHERS, "").split(os.pathsep))
def test_a_kernel_runs_in_any_python_that_has_multiprocess(
    start: StartKernel, provisioner: MultiprocessHosts, python: str
) -> None:
    kernel = start(python=python, provisioner=provisioner.name)
    executable, *version = kernel.execute("import sys\n[sys.executable, *sys.version_info[:2]]").value
    assert executable == python
    for fault, status in (("sigkill", ExitStatus(signal=signal.SIGKILL)), ("os-exit-3", ExitStatus(code=3))):
        kernel.inject(fault)
        post_mortem, told = fate(kernel, provisioner)
        if provisioner.name.endswith("forkserver") and version == [3, 6]:
            # Its fork server doesn't wait: the process itself says its exit code, if it can, and nobody else knows.
            assert (told.exitcode, post_mortem.exit_status) == (255, None)
        else:
            assert post_mortem.exit_status == told.said == status
        kernel.restart()


def test_a_kernel_whose_host_crashes_is_told_with_that_one_s_last_words(
    begin: StartKernel, provisioner: MultiprocessHosts
) -> None:
    kernel = begin()
    host = provisioner.host_of(kernel.life.process)
    assert host is not None
    # From within the cell: a kernel that had died before it would be asked is told otherwise.
    cell = f"import os, signal, time\nos.kill({host.pid}, signal.SIGSEGV)\ntime.sleep(30)"
    with pytest.raises(KernelDied, match=f"its host, process {host}, had died of SIGSEGV, .*words: Fatal Python error"):
        kernel.execute(cell)
