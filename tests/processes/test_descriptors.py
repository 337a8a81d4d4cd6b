"""What the session opens for itself while a kernel is watched: it is known for that, and no leak of the kernel."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from driver_stub import DriverStub
from pytest_tfkernel.audit.own import own_resources
from pytest_tfkernel.kernels.generations.host import Host
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.provisioners.forkserver import ForkServers
from pytest_tfkernel.machine.gpus import Gpus
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.model.resources import Kind
from pytest_tfkernel.model.trials import Setting, State
from pytest_tfkernel.processes.companions import Helper
from pytest_tfkernel.suite.guarantees.leaks import nothing_is_left
from pytest_tfkernel.trials import trial
from pytest_tfkernel.trials.auditing import KernelWatch
from pytest_tfkernel.trials.stage import Stage

LIGHT = KernelSpec(provisioner=ForkServer(preload=()))


@pytest.fixture
def session(forked_hosts: None) -> Iterator[Launcher]:
    """A session that has opened nothing yet."""
    with Launcher() as launcher:
        yield launcher


def _come_and_go(session: Launcher, **spec: object) -> None:
    kernel = session.start(KernelSpec(**spec))  # type: ignore[arg-type]
    # The host of a kernel of multiprocess tells of its death, and has a log until then.
    assert kernel.inject("sigkill").post_mortem is not None
    kernel.shutdown(now=True)


def _helper(session: Launcher) -> Helper:
    helper = Helper("nvml", session.supervisor, session.new_lease)
    helper.ask({"op": "read"}, 30.0)
    return helper


def _helper_again(session: Launcher) -> Helper:
    helper = _helper(session)
    assert helper.process is not None
    session.supervisor.signal(helper.process, signal.SIGKILL)
    session.supervisor.death_of(helper.process, 30.0)
    while helper.ask({"op": "read"}, 30.0).get("error", "").startswith("the nvml helper ended"):
        pass  # that it has ended is told once
    return helper


def _fork_server(session: Launcher) -> None:
    _come_and_go(session, provisioner=ForkServer(preload=("json",)))


def _fork_server_again(session: Launcher) -> None:
    _fork_server(session)
    provisioner = session.makers["forkserver"]
    assert isinstance(provisioner, ForkServers)
    session.supervisor.signal(provisioner.servers[-1], signal.SIGKILL)
    session.supervisor.death_of(provisioner.servers[-1], 30.0)
    _fork_server(session)


def _multiprocess(session: Launcher) -> None:
    pytest.importorskip("multiprocess")
    _come_and_go(session, provisioner="multiprocess-spawn")


def _folder(session: Launcher) -> None:
    shutil.rmtree(session.temporary)
    _come_and_go(session, provisioner="subprocess")


OPENED: dict[str, Callable[[Launcher], Helper | None]] = {
    "a helper": _helper,
    "a helper that has died": _helper_again,
    "a fork server": _fork_server,
    "a fork server that has died": _fork_server_again,
    "the words of multiprocess": _multiprocess,
    "another folder": _folder,
}


@pytest.mark.parametrize("opened", OPENED)
def test_what_the_session_opens_meanwhile_is_no_leak_of_a_kernel(session: Launcher, opened: str) -> None:
    watch = KernelWatch(session)
    kernel = watch.start(LIGHT)
    try:
        kernel.execute("1")
        helper = OPENED[opened](session)
        assert kernel.inject("sigkill").post_mortem is not None
        # Other threads of pytest's process have something open for a moment; what leaks stays.
        leaks = watch.audit(kernel.life, 60.0).leaks
        if helper is not None:
            helper.close()
        assert leaks == ()
    finally:
        kernel.shutdown(now=True)


@pytest.mark.parametrize("opened", OPENED)
def test_what_takes_its_place_is_a_leak(
    session: Launcher, opened: str, tmp_path: Path, eventually: Callable[[Callable[[], object]], None]
) -> None:
    """Known by what it is, and not by its number: another file may stand there by now."""
    watch = KernelWatch(session)
    kernel = watch.start(LIGHT)
    before = own_resources(session.supervisor.kept.numbers())
    helper = OPENED[opened](session)
    number = max(session.supervisor.kept.numbers())
    with (tmp_path / "another").open("w") as another:
        os.dup2(another.fileno(), number)
    try:
        (found,) = own_resources(session.supervisor.kept.numbers()) - before
        assert kernel.inject("sigkill").post_mortem is not None
        # Other threads of pytest's process have something open for a moment, and this stays: it needn't be waited for.
        eventually(lambda: [leak.resource for leak in watch.audit(kernel.life, 0.0).leaks] == [found])
    finally:
        if helper is not None:
            helper.close()
        kernel.shutdown(now=True)
        os.close(number)
    assert found.name == f"descriptor {number} of pytest"


def test_the_host_that_follows_a_dead_one_is_no_leak(session: Launcher) -> None:
    pytest.importorskip("jupyter_client")
    watch = KernelWatch(session)
    kernel = watch.start(KernelSpec(provisioner="jupyter"))
    try:
        kernel.execute("1")
        assert kernel.inject("sigkill").post_mortem is not None
        end_host(kernel)
        kernel.restart()
        kernel.execute("1")
        assert kernel.inject("sigkill").post_mortem is not None
        # Other threads of pytest's process have something open for a moment; what leaks stays.
        leaks = watch.audit(kernel.life, 60.0).leaks
        assert [leak for leak in leaks if leak.resource.kind is Kind.HANDLE] == []
    finally:
        kernel.shutdown(now=True)


def end_host(kernel: Kernel) -> None:
    host = vars(kernel)["_generations"].__dict__["_host"]
    assert isinstance(host, Host)
    host._supervisor.signal(host.process, signal.SIGKILL)
    host._supervisor.death_of(host.process, 30.0)


@pytest.mark.usefixtures("tensorflow_python")
def test_a_trial_on_a_gpu_that_nobody_has_looked_at_leaves_nothing(
    session: Launcher, stub: DriverStub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As in a worker of pytest-xdist, which is told by its controller what there is."""
    for name in ("LD_LIBRARY_PATH", "TFKERNEL_STUB"):
        monkeypatch.setenv(name, stub.environment[name])
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    stage = Stage(session)
    stage.gpus = Gpus(session, devices=tmp_path / "dev")
    try:
        seen = trial.play(Setting("forkserver", "graph_add", "sigkill"), stage)
        verdict = nothing_is_left.judge(seen)
        assert verdict.state is State.PASS, verdict
        assert [moment.gpu_memory is None for moment in seen.timeline].count(False) > 3
    finally:
        stage.close()
