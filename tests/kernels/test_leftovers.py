"""What a generation leaves running, and whose it is."""

from __future__ import annotations

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher


@pytest.mark.usefixtures("impatient")
def test_a_living_kernel_is_none_of_its_own(kernel: Kernel, escape: str) -> None:
    assert kernel.life.leftovers(0.0) == []
    pid = kernel.execute(escape).value
    (found,) = kernel.life.leftovers(0.0)
    assert (found.process.pid, found.started_by) == (pid, kernel.life.process)
    kernel.restart()


@pytest.mark.usefixtures("impatient")
def test_each_is_of_the_generation_that_started_it(kernel: Kernel, escape: str) -> None:
    started = []
    for _ in range(3):
        started.append((kernel.execute(escape).value, kernel.life.process))
        kernel.inject("sigkill")
        kernel.restart()
    assert [(one.process.pid, one.started_by) for one in kernel.left_behind] == started
    assert [proc.start_time(pid) for pid, _ in started] == [None] * 3


def test_what_ends_by_itself_in_time_is_none(kernel: Kernel, launcher: Launcher) -> None:
    kernel.execute("import subprocess\nsubprocess.Popen(['sleep', '0.1'])")
    kernel.inject("sigkill")
    assert kernel.life.leftovers(60.0) == []
    assert launcher.supervisor.members(kernel.life.lease) == []


@pytest.mark.usefixtures("impatient")
def test_its_temporary_folder_goes_with_the_last_of_them(kernel: Kernel, escape: str) -> None:
    folder = kernel.life.temporary
    kernel.execute(f"{escape}\nimport tempfile\ntempfile.mkstemp()")
    kernel.inject("sigkill")
    assert list(folder.iterdir())
    kernel.restart()
    assert not folder.exists()
    assert kernel.life.temporary != folder


@pytest.mark.usefixtures("impatient")
def test_what_would_not_die_keeps_its_folder(
    kernel: Kernel, launcher: Launcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = kernel.life.temporary
    kernel.execute("import subprocess\nsubprocess.Popen(['sleep', '62'])")
    kernel.inject("sigkill")
    with monkeypatch.context() as patch:
        # As for one that hangs in the Linux kernel.
        patch.setattr(launcher.supervisor, "end", launcher.supervisor.members)
        assert len(kernel.life.clean_up()) == 1
        assert folder.is_dir()
    kernel.life.clean_up()
    assert not folder.exists()


def test_a_post_mortem_is_made_once(kernel: Kernel) -> None:
    kernel.inject("sigkill")
    assert kernel.life.bury() is kernel.life.bury()
    assert kernel.post_mortems == (kernel.life.post_mortem,)
