"""The supervisor holds every process: it starts, waits for and ends them, whatever becomes of us."""

from __future__ import annotations

import contextlib
import errno
import io
import json
import os
import posix
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import handles
from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.errors import KernelHung, KernelIsDead, KernelStartError, NoRoomError, SupervisorGoneError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ExitStatus, ProcessId
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes.cgroups import PIDS
from pytest_tfkernel.processes.orders import Order
from pytest_tfkernel.processes.pidfds import wait_for_any
from pytest_tfkernel.processes.supervisor import Supervisor

StartKernel = Callable[..., Kernel]
AwaitDeath = Callable[[int], None]
Eventually = Callable[[Callable[[], object]], None]
REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def supervisor(nothing_is_left: None) -> Iterator[Supervisor]:
    supervisor = Supervisor()
    yield supervisor
    supervisor.close()


_LEASE = 123456


def run(supervisor: Supervisor, script: str, lease: int = _LEASE) -> ProcessId:
    order = Order(lease, folder=None)
    return supervisor.start(["/bin/sh", "-c", script], {"PATH": os.environ["PATH"]}, order, {})


def identify(pid: int) -> ProcessId:
    start_time = proc.start_time(pid)
    assert start_time is not None
    return ProcessId(pid, start_time)


# Waits for a child of its own and tells of it, in frames of multiprocessing.connection.
HOST = """
import json, os, sys, time
from multiprocessing.connection import Connection
reports = Connection(5)
pid = os.fork()
if pid == 0:
    time.sleep(60)
start_time = int(open("/proc/%d/stat" % pid).read().rsplit(")", 1)[1].split()[19])
os.write(1, b"%d %d\\n" % (pid, start_time))
_, status = os.waitpid(pid, 0)
report = {{"pid": pid, "start_time": start_time, "status": status, "time": time.monotonic(), "signals": [],
          "user_seconds": None, "system_seconds": None, "max_rss": None}}
reports.send_bytes(json.dumps(report).encode())
{after}
"""


def start_host(supervisor: Supervisor, after: str) -> tuple[ProcessId, ProcessId]:
    """A host, and the child for which it waits itself."""
    reader, writer = os.pipe()
    order = Order(_LEASE, folder=None)
    command = [sys.executable, "-c", HOST.format(after=after)]
    host = supervisor.start(command, os.environ, order, {1: writer}, reports=True)
    os.close(writer)
    with os.fdopen(reader) as file:
        pid, start_time = map(int, file.readline().split())
    return host, ProcessId(pid, start_time)


class TestReports:
    def test_death_that_a_host_waited_for_is_told_with_the_signals_that_went_through_us(
        self, supervisor: Supervisor
    ) -> None:
        _, child = start_host(supervisor, after="time.sleep(60)")
        assert supervisor.signal(child, signal.SIGUSR1)
        death = supervisor.death_of(child, 5)
        assert death is not None
        assert (death.status, death.usage, death.signals) == (ExitStatus(signal=signal.SIGUSR1), None, (10,))
        assert not supervisor.signal(child, signal.SIGUSR1)

    @pytest.mark.parametrize(
        "nonsense", ["reports.send_bytes(b'[]')", "reports.send_bytes(b'}')", "os.write(5, b'\\xff' * 64)"]
    )
    def test_report_that_makes_no_sense_ends_the_reports_of_that_host_only(
        self, supervisor: Supervisor, nonsense: str
    ) -> None:
        host, child = start_host(supervisor, after=f"{nonsense}; os.close(5)")
        supervisor.signal(child, signal.SIGKILL)
        assert supervisor.death_of(child, 5) is not None
        death = supervisor.death_of(host, 5)
        assert death is not None
        assert death.status == ExitStatus(code=0)
        assert supervisor.death_of(run(supervisor, "exit 3"), 5) is not None


class TestDeaths:
    @pytest.mark.parametrize(
        ("script", "status"),
        [
            ("exit 0", ExitStatus(code=0)),
            ("exit 255", ExitStatus(code=255)),
            ("kill -SEGV $$", ExitStatus(signal=signal.SIGSEGV)),
            ("kill -KILL $$", ExitStatus(signal=signal.SIGKILL)),
        ],
    )
    def test_the_true_exit_status_is_told(self, supervisor: Supervisor, script: str, status: ExitStatus) -> None:
        process = run(supervisor, script)
        death = supervisor.death_of(process, 10)
        assert death is not None
        assert (death.process, death.status, death.signals) == (process, status, ())
        assert abs(time.monotonic() - death.time) < 10

    def test_resource_usage_is_told(self, supervisor: Supervisor) -> None:
        process = run(supervisor, "i=0; while [ $i -lt 100000 ]; do i=$((i+1)); done")
        death = supervisor.death_of(process, 30)
        assert death is not None
        assert death.usage is not None
        assert death.usage.user_seconds + death.usage.system_seconds > 0.01
        assert death.usage.max_rss > 100_000

    def test_signals_that_we_sent_are_told(self, supervisor: Supervisor) -> None:
        process = run(supervisor, "exec sleep 60")
        assert supervisor.signal(process, signal.SIGTERM)
        death = supervisor.death_of(process, 10)
        assert death is not None
        assert (death.status, death.signals) == (ExitStatus(signal=signal.SIGTERM), (signal.SIGTERM,))

    def test_an_adopted_process_is_waited_for_like_a_child(
        self, supervisor: Supervisor, tmp_path: Path, eventually: Eventually
    ) -> None:
        file = tmp_path / "pid"
        parent = run(supervisor, f"setsid sh -c 'exec sleep 60' & echo $! > {file}")
        assert supervisor.death_of(parent, 10) is not None
        orphan = identify(int(file.read_text()))
        os.kill(orphan.pid, signal.SIGHUP)
        death = supervisor.death_of(orphan, 10)
        assert death is not None
        assert (death.status, death.signals) == (ExitStatus(signal=signal.SIGHUP), ())
        assert proc.start_time(orphan.pid) is None

    def test_a_death_that_does_not_come_is_no_death(self, supervisor: Supervisor) -> None:
        process = run(supervisor, "exec sleep 60")
        assert supervisor.death_of(process, 0.05) is None

    def test_a_death_already_told_needs_no_time(self, supervisor: Supervisor, await_death: AwaitDeath) -> None:
        process = run(supervisor, "exit 4")
        await_death(process.pid)
        supervisor.members(_LEASE)
        death = supervisor.death_of(process, 0)
        assert death is not None

    def test_more_deaths_than_the_socket_holds_do_no_harm(self, kernel: Kernel, launcher: Launcher) -> None:
        # Nobody reads the events while the cell runs.
        script = "i=0; while [ $i -lt 600 ]; do (: &); i=$((i+1)); done"
        assert kernel.execute(f"import subprocess\nsubprocess.call(['sh', '-c', {script!r}])").value == 0
        # The last of them may still be about to end: nobody waits for it there.
        for one in launcher.supervisor.members(kernel.life.lease):
            if one.process.pid != kernel.pid:
                wait_for_any([one.process], 60)
        assert [one.process.pid for one in launcher.supervisor.members(kernel.life.lease)] == [kernel.pid]

    def test_signalling_the_dead_finds_nobody(self, supervisor: Supervisor) -> None:
        process = run(supervisor, "exit 0")
        supervisor.death_of(process, 10)
        assert not supervisor.signal(process, signal.SIGTERM)


class TestStart:
    def test_what_cannot_be_executed_is_one_line(self, supervisor: Supervisor) -> None:
        order = Order(1, folder=None)
        with pytest.raises(KernelStartError, match=r"^/no/such could not be started: .*No such file.*$"):
            supervisor.start(["/no/such"], {}, order, {})
        with pytest.raises(KernelStartError, match=r"^/bin/true could not be started: .*null byte$"):
            supervisor.start(["/bin/true"], {"A": "\0"}, order, {})
        with pytest.raises(KernelStartError, match=r"^/bin/true could not be started: .*/no/cgroup.*$"):
            supervisor.start(["/bin/true"], {}, Order(1, cgroups=("/no/cgroup",)), {})
        assert supervisor.death_of(run(supervisor, "exit 0"), 10) is not None

    def test_too_many_processes_are_one_line(
        self, supervisor: Supervisor, launcher: Launcher, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(PIDS)
        full = launcher.new_cgroup((PIDS,))
        full.limit_processes(1)
        full.add(supervisor.pid)
        with pytest.raises(
            KernelStartError, match=r"^/bin/sh could not be started: .*unavailable: .* raise `ulimit -u`, .*$"
        ):
            run(supervisor, "exit 0")
        full.limit_processes(10)
        assert supervisor.death_of(run(supervisor, "exit 0"), 10) is not None
        supervisor.close()
        full.remove()

    def test_a_process_leads_a_session_of_its_own(self, supervisor: Supervisor) -> None:
        process = run(supervisor, "exec sleep 60")
        assert os.getsid(process.pid) == os.getpgid(process.pid) == process.pid


class TestEnd:
    def test_a_kernel_cannot_lose_its_lease(self, kernel: Kernel, launcher: Launcher, escape: str) -> None:
        pid = kernel.execute(escape).value
        leftovers = launcher.supervisor.members(kernel.life.lease)
        assert {one.process.pid for one in leftovers} == {kernel.pid, pid}
        assert b"LEASE" not in Path(f"/proc/{pid}/environ").read_bytes()
        assert proc.read_stat(pid).parent == launcher.supervisor.pid  # type: ignore[union-attr]
        assert launcher.supervisor.end(kernel.life.lease) == []
        assert proc.start_time(pid) is None
        assert proc.start_time(kernel.pid) is None

    def test_it_ends_that_lease_only(self, supervisor: Supervisor) -> None:
        one, other = run(supervisor, "exec sleep 60", 1001), run(supervisor, "exec sleep 60", 1002)
        assert supervisor.end(1001) == []
        assert [left.process for left in supervisor.members(1002)] == [other]
        assert supervisor.death_of(one, 10) is not None

    def test_stopped_processes_end_too(self, supervisor: Supervisor) -> None:
        run(supervisor, "kill -STOP $$")
        assert supervisor.end(_LEASE) == []

    def test_a_fork_bomb_ends(
        self, start: StartKernel, needs_cgroup: Callable[[str], None], launcher: Launcher
    ) -> None:
        needs_cgroup(PIDS)
        kernel = start(process_limit=24)
        with pytest.raises(KernelHung):
            kernel.execute("import os\nwhile True:\n    try: os.fork()\n    except OSError: pass", timeout=0.3)
        assert launcher.supervisor.members(kernel.life.lease) == []
        kernel.restart()
        assert kernel.execute("1").value == 1

    def test_a_fork_bomb_that_outlives_its_kernel_ends(
        self, start: StartKernel, needs_cgroup: Callable[[str], None], launcher: Launcher
    ) -> None:
        needs_cgroup(PIDS)
        kernel = start(process_limit=24)
        bomb = "import os\nwhile True:\n    try: os.fork()\n    except OSError: pass"
        kernel.execute(
            f"import subprocess, sys\nsubprocess.Popen([sys.executable, '-c', {bomb!r}], start_new_session=True)\n0"
        )
        kernel.inject("sigkill")
        kernel.restart()
        assert kernel.left_behind
        assert kernel.execute("1").value == 1


class TestClose:
    def test_everything_ends_and_folders_go(self, launcher: Launcher, tmp_path: Path, escape: str) -> None:
        held, released, full, emptied = (tmp_path / name for name in ("held", "released", "full", "emptied"))
        for folder in (held, released, full / "inner", emptied / "inner"):
            folder.mkdir(parents=True)
        with Launcher() as other:
            kernel = other.start(KernelSpec(provisioner=ForkServer(preload=())))
            pids = [kernel.pid, kernel.execute(escape).value, other.supervisor.pid]
            for folder in (held, released, full):
                other.supervisor.hold(folder)
            other.supervisor.hold(emptied, contents=True)
            other.supervisor.release(released)
        assert [proc.start_time(pid) for pid in pids] == [None, None, None]
        assert (held.exists(), released.exists(), full.exists(), emptied.exists()) == (False, True, True, False)

    def test_a_second_one_does_nothing(self) -> None:
        launcher = Launcher()
        launcher.close()
        launcher.close()

    def test_kernels_know_that_they_have_ended(self) -> None:
        with Launcher() as launcher:
            kernel = launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        assert launcher.supervisor.is_gone
        assert not kernel.is_alive
        with pytest.raises(SupervisorGoneError, match="this session has ended"):
            kernel.execute("1")
        with pytest.raises(SupervisorGoneError, match="this session has ended"):
            launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        kernel.shutdown()

    def test_a_fork_of_ours_has_no_say(self, kernel: Kernel, launcher: Launcher) -> None:
        pid = os.fork()
        if pid == 0:
            code = 1
            with contextlib.suppress(BaseException):
                launcher.close()
                code = 2
                try:
                    launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
                except SupervisorGoneError as error:
                    code = 0 if "fork" in str(error) else 3
            os._exit(code)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert kernel.execute("1").value == 1


class TestOwners:
    @pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
    def test_a_supervisor_that_ends_takes_its_kernels_along(self, number: int, await_death: AwaitDeath) -> None:
        with Launcher() as launcher:
            kernel = launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
            assert not launcher.supervisor.is_gone
            os.kill(launcher.supervisor.pid, number)
            await_death(kernel.pid)
            await_death(launcher.supervisor.pid)
            assert launcher.supervisor.is_gone
            gone = rf"^the supervisor \(pid {launcher.supervisor.pid}\) is gone, and every kernel with it .*$"
            # Asked to end, it can still tell of the death.
            with pytest.raises((SupervisorGoneError, KernelIsDead), match=rf"{gone}|dead for 0.\d s"):
                kernel.execute("1")
            with pytest.raises(SupervisorGoneError, match=gone):
                launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
            kernel.shutdown()

    def test_signals_of_a_terminal_are_not_the_supervisors(self, supervisor: Supervisor) -> None:
        run(supervisor, "exit 0")  # it is up
        os.kill(supervisor.pid, signal.SIGINT)
        os.kill(supervisor.pid, signal.SIGHUP)
        assert supervisor.death_of(run(supervisor, "kill -INT $$"), 10).status == ExitStatus(signal=signal.SIGINT)  # type: ignore[union-attr]

    def test_the_death_of_a_second_owner_ends_everything(self, await_death: AwaitDeath, escape: str) -> None:
        with subprocess.Popen(["sleep", "60"]) as controller, Launcher([identify(controller.pid)]) as launcher:
            kernel = launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
            pids = [kernel.pid, kernel.execute(escape).value, launcher.supervisor.pid]
            controller.kill()
            for pid in pids:
                await_death(pid)

    def test_an_owner_that_is_dead_already_counts(self, await_death: AwaitDeath) -> None:
        with Launcher([ProcessId(os.getpid(), 1)]) as launcher:
            await_death(launcher.supervisor.pid)
            with pytest.raises(SupervisorGoneError):
                launcher.start(KernelSpec(provisioner=ForkServer(preload=())))


_OWNER = """
import json, os, subprocess, sys, time
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
launcher = Launcher()
kernel = launcher.start(KernelSpec(provisioner=ForkServer(preload=()), process_limit={limit}))
pids = [launcher.supervisor.pid, kernel.pid, kernel.execute({escape!r}).value]
pids += [process.pid for process in launcher.makers["forkserver"].servers]
holder = os.fork() if {holder} else 0
if {holder} and not holder:
    time.sleep(60)
    os._exit(0)
folders = [os.path.dirname(path) for path in kernel.life.cgroup.procs_files] if {limit} else []
print(json.dumps(dict(pids=pids, holder=holder, folders=folders)), flush=True)
{end}
"""


def own(
    end: str, escape: str, *, holder: bool = False, limit: int | None = None
) -> tuple[subprocess.Popen[str], dict[str, Any]]:
    """Another process that owns a launcher; what it says of itself."""
    code = _OWNER.format(escape=escape, holder=holder, limit=limit, end=end)
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    owner = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, env=environment)
    assert owner.stdout is not None
    return owner, json.loads(owner.stdout.readline())


class TestRunnerDeath:
    @pytest.mark.parametrize("holder", [False, True], ids=["alone", "a fork holds its socket"])
    def test_nothing_outlives_a_killed_owner(self, escape: str, await_death: AwaitDeath, holder: bool) -> None:
        owner, facts = own("time.sleep(60)", escape, holder=holder)
        assert len(facts["pids"]) == 4
        with owner:
            owner.kill()
            started = time.monotonic()
            for pid in facts["pids"]:
                await_death(pid)
            assert time.monotonic() - started < 2
            if holder:
                os.kill(facts["holder"], signal.SIGKILL)

    def test_cgroups_go_with_a_killed_owner(
        self, escape: str, await_death: AwaitDeath, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(PIDS)
        owner, facts = own("time.sleep(60)", escape, limit=50)
        folders = [Path(folder) for folder in facts["folders"]]
        assert folders
        assert all(folder.is_dir() for folder in folders)
        with owner:
            owner.kill()
            await_death(facts["pids"][0])
        assert not any(folder.exists() for folder in folders)

    def test_nothing_outlives_an_owner_that_forgets_to_close(self, escape: str, await_death: AwaitDeath) -> None:
        owner, facts = own("", escape)
        with owner:
            assert owner.wait(10) == 0
        for pid in facts["pids"]:
            await_death(pid)


class TestWhatATestDoesToUs:
    def test_descriptors_that_it_closes_are_no_error_at_the_end(self, nothing_is_left: None, tmp_path: Path) -> None:
        """Nor is anything written to what stands there since."""
        launcher = Launcher()
        kernels = [
            launcher.start(KernelSpec(provisioner=ForkServer(preload=()))),
            launcher.start(KernelSpec(provisioner="multiprocess-spawn")),
        ]
        ours = [kernel.life._parts for kernel in kernels]
        numbers = [one.fileno() for one in (launcher.supervisor._channel, *(parts.channel for parts in ours))]
        numbers += [one.descriptor for parts in ours for one in (parts.stdout, parts.stderr, parts.stacks)]
        for number in numbers:
            os.close(number)
        files: list[io.BufferedRandom] = []
        while not set(numbers) <= {file.fileno() for file in files}:
            files.append((tmp_path / str(len(files))).open("w+b"))
        with pytest.raises(SupervisorGoneError, match="closed by other code"):
            launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        launcher.close()
        for file in files:
            assert os.fstat(file.fileno()).st_size == 0
            file.close()

    @pytest.mark.parametrize("number", [errno.EAGAIN, errno.EMFILE, errno.ENOMEM])
    def test_a_limit_that_is_in_its_way_is_one_line(self, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
        def refuse(*_: object, **__: object) -> int:
            raise OSError(number, os.strerror(number))

        monkeypatch.setattr(posix, "posix_spawn", refuse)
        words = r"^the process that starts kernels can't be started: .*: .*$"
        with handles.none_stays(), pytest.raises(NoRoomError, match=words):
            Supervisor()

    @pytest.mark.parametrize("limit", [24, 40, 64])
    def test_few_descriptors_are_enough_or_that_is_said(self, limit: int) -> None:
        script = f"""
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({limit}, {limit}))
from pytest_tfkernel.model.errors import NoRoomError
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
with Launcher() as launcher:
    try:
        for provisioner in ("subprocess", ForkServer(preload=()), "multiprocess-spawn"):
            assert launcher.start(KernelSpec(provisioner=provisioner)).execute("1").value == 1
    except NoRoomError as error:
        assert "raise `ulimit -n`" in str(error)
    else:
        print("enough")
"""
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == "enough\n" or limit < 40
