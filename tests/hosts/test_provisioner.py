"""The provisioner in the managers of jupyter_client, without pytest: each death has its post-mortem."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pytest

import handles
from hosted_kernels import JUPYTER
from pytest_tfkernel._child import deaths, proc
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.processes import Cause, ExitStatus, Killer
from pytest_tfkernel.processes.cgroups import MEMORY, find_parent
from pytest_tfkernel.processes.pidfds import is_dead

jupyter_client = pytest.importorskip("jupyter_client")
from jupyter_client.kernelspec import KernelSpec as Kernelspec  # noqa: E402 - it may be missing
from jupyter_client.manager import AsyncKernelManager, KernelManager  # noqa: E402

from pytest_tfkernel.hosts.provisioner import PostMortemProvisioner  # noqa: E402

_RESTARTS = 15
_SECONDS = 20
# A stand-in that starts in no time: jupyter_client waits for processes, and not for their answers.
_SLEEP = ["/bin/sleep", "60"]


@pytest.fixture(autouse=True)
def kernelspec(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, launcher: Launcher) -> None:
    """Installed: `plain`, and `told`, whose metadata name the provisioner."""
    JUPYTER.python(launcher)
    if "tfkernel" not in {one.name for one in entry_points(group="jupyter_client.kernel_provisioners")}:
        pytest.skip("the entry point of the provisioner is not installed: `pip install -e .`")
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(tmp_path / "runtime"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    for name, metadata in (("plain", {}), ("told", {"kernel_provisioner": {"provisioner_name": "tfkernel"}})):
        folder = tmp_path / "jupyter" / "kernels" / name
        folder.mkdir(parents=True)
        content = {"argv": _SLEEP, "display_name": name, "language": "python", "metadata": metadata}
        (folder / "kernel.json").write_text(json.dumps(content), encoding="utf-8")


def _play(scenario: Callable[[AsyncKernelManager, PostMortemProvisioner], object], name: str = "told") -> None:
    async def play() -> None:
        manager = AsyncKernelManager(kernel_name=name, shutdown_wait_time=1.0)
        await manager.start_kernel()
        try:
            assert isinstance(manager.provisioner, PostMortemProvisioner)
            await asyncio.wait_for(scenario(manager, manager.provisioner), _SECONDS)  # type: ignore[arg-type]
        finally:
            if manager.has_kernel:
                await manager.shutdown_kernel(now=True)

    asyncio.run(play())


class TestChosen:
    def test_by_the_kernelspec(self) -> None:
        async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            assert await manager.is_alive()
            assert provisioner.post_mortems == ()
            assert (await provisioner.get_provisioner_info())["post_mortem"] is None

        _play(scenario)

    def test_by_the_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("JUPYTER_DEFAULT_PROVISIONER_NAME", "tfkernel")

        async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            assert provisioner.child.process.pid == provisioner.pid

        from jupyter_client.provisioning.factory import KernelProvisionerFactory

        KernelProvisionerFactory.clear_instance()
        try:
            _play(scenario, "plain")
        finally:
            KernelProvisionerFactory.clear_instance()


class TestDeath:
    def test_by_sigkill_is_known_at_once_and_logged(self, caplog: pytest.LogCaptureFixture) -> None:
        async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            pid = provisioner.child.process.pid
            os.kill(pid, signal.SIGKILL)
            found = await provisioner.death()
            assert found is not None
            assert (found.exit_status, found.cause, found.killer) == (
                ExitStatus(signal=signal.SIGKILL),
                Cause.SIGNAL,
                Killer.UNKNOWN,
            )
            assert provisioner.post_mortems == (found,)
            assert not await manager.is_alive()
            assert await provisioner.poll() == -signal.SIGKILL
            told = (await provisioner.get_provisioner_info())["post_mortem"]
            assert (told["pid"], told["signal"], told["exit_code"], told["generation"]) == (pid, 9, None, 1)
            json.dumps(told)

        with caplog.at_level(logging.WARNING):
            _play(scenario)
        assert [one.message for one in caplog.records if "died after" in one.message] == [
            one.message for one in caplog.records if "SIGKILL (cause: signal; killed by: unknown)" in one.message
        ]
        assert len([one for one in caplog.records if "died after" in one.message]) == 1

    def test_by_an_exit_has_its_code(self, tmp_path: Path) -> None:
        _rewrite(tmp_path, "import os; os._exit(3)")

        async def scenario(_: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            found = await provisioner.death()
            assert found is not None
            assert (found.exit_status, found.cause, found.killer) == (ExitStatus(code=3), Cause.EXIT, Killer.SELF)
            assert await provisioner.poll() == 3

        _play(scenario)

    @pytest.mark.parametrize("is_quick", [False, True])
    def test_by_an_asked_shutdown_is_ours_and_not_logged(
        self, is_quick: bool, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        signaled = PostMortemProvisioner.send_signal

        async def signal_and_die(provisioner: PostMortemProvisioner, signum: int) -> None:
            await signaled(provisioner, signum)
            assert is_dead(provisioner.child.pidfd, _SECONDS)

        async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            if is_quick:
                # The interrupt ends it before the kill is asked for.
                monkeypatch.setattr(PostMortemProvisioner, "send_signal", signal_and_die)
            await manager.shutdown_kernel(now=True)
            (found,) = provisioner.post_mortems
            # It interrupts before it kills.
            assert found.exit_status in (ExitStatus(signal=signal.SIGINT), ExitStatus(signal=signal.SIGKILL))
            assert found.killer is Killer.US

        with caplog.at_level(logging.WARNING):
            _play(scenario)
        assert not [one for one in caplog.records if "died after" in one.message]

    @pytest.mark.parametrize("ask", ["kill", "terminate", "shutdown_requested"])
    def test_that_came_before_somebody_asked_was_not_asked_for(
        self, ask: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def scenario(_: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            os.kill(provisioner.child.process.pid, signal.SIGKILL)
            assert is_dead(provisioner.child.pidfd, _SECONDS)
            # As the restarter does, which has been told so by somebody else.
            await getattr(provisioner, ask)(restart=True)
            assert [one.killer for one in provisioner.post_mortems] == [Killer.UNKNOWN]

        with caplog.at_level(logging.WARNING):
            _play(scenario)
        assert len([one for one in caplog.records if "died after" in one.message]) == 1

    def test_that_comes_while_it_is_looked_for_is_noticed_before_it_is_told(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        look = PostMortemProvisioner._look_at_cgroup

        def look_and_die(provisioner: PostMortemProvisioner, child: Any) -> None:
            look(provisioner, child)
            os.kill(child.process.pid, signal.SIGKILL)
            assert is_dead(child.pidfd, _SECONDS)

        async def scenario(_: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            monkeypatch.setattr(PostMortemProvisioner, "_look_at_cgroup", look_and_die)
            while await provisioner.poll() is None:
                pass
            assert len(provisioner._post_mortems) == 1

        _play(scenario)

    def test_by_the_oom_killer_in_a_cgroup_of_its_own(
        self, tmp_path: Path, needs_cgroup: Callable[[str], None]
    ) -> None:
        needs_cgroup(MEMORY)
        parent = find_parent(MEMORY)
        leaf = parent.folder / f"tfkernel-{os.getpid()}-provisioner"
        leaf.mkdir()
        try:
            limit = "memory.max" if parent.version == 2 else "memory.limit_in_bytes"
            (leaf / limit).write_text(str(32 << 20), encoding="ascii")
            join = f"open({str(leaf / 'cgroup.procs')!r}, 'w').write('0')"
            go = tmp_path / "go"
            os.mkfifo(go)
            _rewrite(tmp_path, f"{join}; open({str(go)!r}).read(); x = bytearray(b'x') * (256 << 20)")

            async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
                # It is in the cgroup when it opens its end.
                writer = await asyncio.to_thread(os.open, go, os.O_WRONLY)
                # As the restarter does every few seconds.
                assert await manager.is_alive()
                os.close(writer)
                found = await provisioner.death()
                assert found is not None
                assert (found.cause, found.killer) == (Cause.OOM_KILL, Killer.OOM_KILLER)

            _play(scenario)
        finally:
            leaf.rmdir()

    def test_of_each_generation_is_kept_and_nothing_else(self) -> None:
        async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            await manager.restart_kernel(now=True)
            once = handles.opened()
            for _ in range(1, _RESTARTS):
                await manager.restart_kernel(now=True)
            handles.do_not_grow(once)
            assert [one.generation for one in provisioner.post_mortems] == list(range(1, _RESTARTS + 1))
            # What a kernel was starting when it was killed is an orphan, and comes to us, who reap orphans at the end.
            zombies = {one["pid"] for one in proc.descendants(os.getpid()) if one["state"] == "Z"}
            assert zombies.isdisjoint(one.process.pid for one in provisioner.post_mortems)

        _play(scenario)

    def test_leaves_nothing_open_when_nobody_asks_afterwards(self, tmp_path: Path) -> None:
        path = tmp_path / "jupyter" / "kernels" / "told" / "kernel.json"
        content = json.loads(path.read_text(encoding="utf-8"))
        content["argv"] = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
        path.write_text(json.dumps(content), encoding="utf-8")
        seen: list[int] = []

        async def scenario(manager: AsyncKernelManager, provisioner: PostMortemProvisioner) -> None:
            assert provisioner._witness is not None
            await manager.shutdown_kernel(now=True)
            assert provisioner._witness is None
            seen.append(handles.opened())

        for _ in range(3):
            _play(scenario)
        assert len(seen) == 3
        handles.do_not_grow(seen[0])


class TestSynchronous:
    def test_the_plain_manager_has_the_same(self) -> None:
        manager = KernelManager(kernel_name="told", shutdown_wait_time=1.0)
        manager.start_kernel()
        provisioner = manager.provisioner
        assert isinstance(provisioner, PostMortemProvisioner)
        os.kill(provisioner.child.process.pid, signal.SIGKILL)
        found = asyncio.run(provisioner.death())
        assert found is not None
        assert not manager.is_alive()
        manager.restart_kernel(now=True)
        assert manager.is_alive()
        manager.shutdown_kernel(now=True)
        assert [one.generation for one in provisioner.post_mortems] == [1, 2]
        assert [one.killer for one in provisioner.post_mortems] == [Killer.UNKNOWN, Killer.US]
        manager.context.destroy()

    def test_before_a_kernel_there_is_nothing(self) -> None:
        spec = Kernelspec(argv=_SLEEP, language="python", display_name="x")
        provisioner = PostMortemProvisioner(kernel_spec=spec, kernel_id="x")
        assert asyncio.run(provisioner.poll()) == 0
        assert asyncio.run(provisioner.death()) is None
        with pytest.raises(RuntimeError, match="no kernel was launched"):
            _ = provisioner.child


@pytest.mark.parametrize("module", ["ipykernel_launcher", "spyder_kernels.console"])
def test_a_real_kernel_and_its_restarter_in_a_process_without_warnings(module: str, tmp_path: Path) -> None:
    """The log has stack, cell and last lines of a death that nobody asked for, and the next process shows it."""
    pytest.importorskip(module.partition(".")[0])
    script = """
    import asyncio, os, signal, sys
    from jupyter_client.ioloop import AsyncIOLoopKernelManager
    from jupyter_client.kernelspec import KernelSpec

    CRASH = "import ctypes, sys\\nprint('aside', file=sys.stderr)\\nctypes.string_at(0)"
    # As Spyder does.
    ELSEWHERE = "import faulthandler, tempfile; f = tempfile.TemporaryFile(); faulthandler.enable(f)"

    async def main():
        manager = AsyncIOLoopKernelManager(transport="ipc", ip=sys.argv[1] + "/k")
        manager.connection_file = sys.argv[1] + "/connection.json"
        argv = [sys.executable, "-m", sys.argv[2], "-f", "{connection_file}"]
        manager._kernel_spec = KernelSpec(argv=argv, language="python", display_name="x")
        manager._restarter = manager.restarter_class(
            kernel_manager=manager, loop=manager.loop, parent=manager, log=manager.log, time_to_dead=0.1)
        await manager.start_kernel()
        provisioner = manager.provisioner
        restarted = asyncio.Event()
        manager.add_restart_callback(restarted.set)
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        await client.execute_interactive("import sys; print(sys.argv[1:])\\n" + ELSEWHERE, timeout=60)
        client.execute(CRASH)
        found = await provisioner.death()
        assert (found.last_cell, found.stderr) == (CRASH, "aside\\n"), found
        assert "in string_at" in found.stack
        await restarted.wait()
        client.stop_channels()
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=60)
        for cell in ("%last_death", "print([name for name in dir() if 'tfkernel' in name])"):
            print((await client.execute_interactive(cell, timeout=60))["content"]["status"])
        client.stop_channels()
        await manager.shutdown_kernel()

    asyncio.run(main())
    """
    folder = Path("/tmp") / f"tfk-test-{os.getpid()}"
    folder.mkdir(mode=0o700)
    state = {"XDG_STATE_HOME": str(tmp_path / "state")}
    try:
        found = subprocess.run(
            [sys.executable, "-W", "error", "-c", textwrap.dedent(script), str(folder), module],
            env={**os.environ, "JUPYTER_DEFAULT_PROVISIONER_NAME": "tfkernel", **JUPYTER.environment, **state},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        first, *shown = found.stdout.splitlines() or [""]
        assert first in ("[]", f"['-f', '{folder}/connection.json']"), found
        assert shown[-3:] == ["ok", "[]", "ok"]
        for place in ("\n".join(shown), found.stderr):
            assert "of SIGSEGV (cause: signal; killed by: the kernel itself); it ran cell 2" in place, found
            assert "--- stack\nFatal Python error: Segmentation fault\nCurrent thread" in place
            assert "line 3 in <module>\n(and " in place
            assert "--- stderr\naside" in place
        # jupyter_client shows warnings of its log on stderr: one of ours, of the death that nobody asked for.
        assert found.stderr.count("died after") == 1, found.stderr
        (record,) = deaths.records(deaths.folder(state), 9)
        assert (record["signal"], record["cell_number"], record["stderr"]) == (signal.SIGSEGV, 2, "aside\n")
        assert list(folder.iterdir()) == []
    finally:
        import shutil

        shutil.rmtree(folder)


def _rewrite(tmp_path: Path, code: str) -> None:
    path = tmp_path / "jupyter" / "kernels" / "told" / "kernel.json"
    content = json.loads(path.read_text(encoding="utf-8"))
    content["argv"] = [sys.executable, "-I", "-S", "-c", code]
    path.write_text(json.dumps(content), encoding="utf-8")
