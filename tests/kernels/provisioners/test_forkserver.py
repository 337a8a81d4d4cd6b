"""Fork servers: warm, reused, limited in number, and never forked from when that isn't safe."""

from __future__ import annotations

import dataclasses
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pytest_tfkernel._child import proc
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.kernels.provisioners.forkserver import ForkServers
from pytest_tfkernel.model.errors import ForkRefusedError, KernelStartError
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.processes import ExitStatus
from pytest_tfkernel.model.provisioners import ForkServer

StartKernel = Callable[..., Kernel]


@pytest.fixture
def own_launcher(nothing_is_left: None) -> Iterator[Launcher]:
    """A launcher whose fork servers no other test uses."""
    with Launcher() as launcher:
        yield launcher


@pytest.fixture
def write_module(tmp_path: Path) -> Callable[[str], KernelSpec]:
    """A spec that preloads a module with this text."""

    def write(text: str) -> KernelSpec:
        (tmp_path / "preloaded_by_test.py").write_text(text)
        return KernelSpec(
            provisioner=ForkServer(preload=("preloaded_by_test",)), sys_path=(str(tmp_path),), start_timeout=30
        )

    return write


def servers(launcher: Launcher) -> list[int]:
    provisioner = launcher.makers["forkserver"]
    assert isinstance(provisioner, ForkServers)
    return [process.pid for process in provisioner.servers]


class TestPreload:
    def test_the_modules_are_there_before_the_first_cell(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec]
    ) -> None:
        kernel = own_launcher.start(write_module("import os\nSERVER = os.getpid()"))
        assert kernel.execute("import sys; sys.modules['preloaded_by_test'].SERVER").value == servers(own_launcher)[0]
        assert kernel.pid != servers(own_launcher)[0]

    def test_what_the_import_sets_in_the_environment_is_there(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec]
    ) -> None:
        spec = write_module("import os\nos.environ.update(MADE='1', CHANGED='1')\nos.environ.pop('DROPPED')")
        spec = dataclasses.replace(spec, environment={"CHANGED": "0", "DROPPED": "0", "OTHER": "0"})
        look = "import os; [os.environ.get(name) for name in ('MADE', 'CHANGED', 'DROPPED', 'OTHER')]"
        assert own_launcher.start(spec).execute(look).value == ["1", "1", None, "0"]
        chosen = dataclasses.replace(spec, environment={"MADE": "2", "CHANGED": "2", "DROPPED": "2"})
        assert own_launcher.start(chosen).execute(look).value == ["2", "2", "2", None]
        assert len(servers(own_launcher)) == 1

    def test_temporary_files_go_where_the_kernel_s_own_environment_says(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec], tmp_path: Path
    ) -> None:
        spec = write_module("import tempfile\ntempfile.gettempdir()")
        look = "import tempfile; tempfile.gettempdir()"
        usual = own_launcher.start(spec).execute(look).value
        kernel = own_launcher.start(dataclasses.replace(spec, environment={"TMPDIR": str(tmp_path)}))
        assert kernel.execute(look).value == str(tmp_path) != usual
        assert len(servers(own_launcher)) == 1

    def test_locale_and_time_zone_are_those_of_the_kernel_s_own_environment(self, own_launcher: Launcher) -> None:
        look = "import sys, time; [sys.flags.utf8_mode, time.tzname[0]]"
        environment = {"LC_ALL": "C", "TZ": "XYZ-3", "PYTHONUTF8": None}
        seen = [
            own_launcher.start(KernelSpec(environment=environment, **changes)).execute(look).value
            for changes in ({"provisioner": "subprocess"}, {"provisioner": ForkServer(preload=())})
        ]
        assert seen[0] == seen[1] == [1, "XYZ"]

    def test_a_preload_that_fails_is_one_clear_line(self, own_launcher: Launcher) -> None:
        with pytest.raises(KernelStartError) as caught:
            own_launcher.start(KernelSpec(provisioner=ForkServer(preload=("no_such_module",))))
        assert str(caught.value) == (
            f"{sys.executable} can't import no_such_module: ModuleNotFoundError: No module named 'no_such_module';"
            " install it there, or name other modules with provisioner=ForkServer(preload=(...))"
        )
        assert servers(own_launcher) == []
        assert own_launcher.start(KernelSpec(provisioner=ForkServer(preload=()))).execute("1").value == 1

    def test_a_preload_that_exits_is_one_clear_line(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec]
    ) -> None:
        with pytest.raises(KernelStartError, match=r"^.* can't import preloaded_by_test: SystemExit: 3; install .*$"):
            own_launcher.start(write_module("raise SystemExit(3)"))

    def test_a_preload_that_dies_is_one_clear_line(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec]
    ) -> None:
        with pytest.raises(
            KernelStartError, match=r"^the fork server died of exit code 7 on preload; its last words: gone$"
        ):
            own_launcher.start(write_module("import os\nprint('gone', flush=True)\nos._exit(7)"))

    def test_a_preload_that_takes_too_long_is_one_clear_line(self, own_launcher: Launcher, tmp_path: Path) -> None:
        (tmp_path / "slow_module.py").write_text("import time\ntime.sleep(60)")
        with pytest.raises(KernelStartError, match=r"^the fork server did not answer for 1 s on preload$"):
            own_launcher.start(
                KernelSpec(
                    provisioner=ForkServer(preload=("slow_module",)), sys_path=(str(tmp_path),), start_timeout=0.6
                )
            )
        assert servers(own_launcher) == []


class TestSafety:
    def test_a_python_thread_refuses(self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec]) -> None:
        spec = write_module(
            "import threading\nthreading.Thread(target=threading.Event().wait, name='worker', daemon=True).start()"
        )
        with pytest.raises(
            ForkRefusedError, match=r"^.*1 Python thread\(s\) that a fork would lose: worker; preload less.*$"
        ):
            own_launcher.start(spec)

    def test_a_native_thread_refuses(self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec]) -> None:
        text = """
import ctypes
libc = ctypes.CDLL(None)
thread = ctypes.c_ulong()
libc.pthread_create(ctypes.byref(thread), None, libc.pause, None)
"""
        spec = write_module(text)
        # The threads that come with the first module are trusted: TensorFlow's are harmless.
        with pytest.raises(ForkRefusedError, match=r"started 1 thread\(s\) that a fork would lose: python"):
            own_launcher.start(dataclasses.replace(spec, provisioner=ForkServer(preload=("json", "preloaded_by_test"))))

    @pytest.mark.parametrize(
        "text",
        [
            "import tensorflow as tf\nx = tf.constant(1.0)",
            # Another way to the same threads, whose import takes as long again.
            pytest.param(
                "import tensorflow as tf\nwith tf.Graph().as_default(), tf.compat.v1.Session() as s: s.run(tf.constant(1.0))",
                marks=pytest.mark.soak,
            ),
        ],
        ids=["tensor", "session"],
    )
    def test_an_initialised_tensorflow_refuses(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec], text: str, tensorflow_python: str
    ) -> None:
        with pytest.raises(ForkRefusedError) as caught:
            own_launcher.start(write_module(text))
        assert "\n" not in str(caught.value)
        assert str(caught.value).endswith("; preload less, or use provisioner='subprocess'")
        assert "that a fork would lose" in str(caught.value) or "TensorFlow is initialised already" in str(caught.value)

    def test_random_numbers_differ_between_kernels(self, own_launcher: Launcher, tensorflow_python: str) -> None:
        spec = KernelSpec(provisioner=ForkServer(preload=("random", "numpy")), python=tensorflow_python)
        cell = "import random, numpy\n[random.random(), numpy.random.rand()]"
        one, other = (own_launcher.start(spec).execute(cell).value for _ in range(2))
        assert one[0] != other[0]
        assert one[1] != other[1]


class TestServers:
    def test_one_serves_all_kernels_of_a_kind(self, own_launcher: Launcher) -> None:
        for name in ("A", "B"):
            kernel = own_launcher.start(KernelSpec(provisioner=ForkServer(preload=()), environment={"MY_OWN": name}))
            assert kernel.execute("import os; os.environ['MY_OWN']").value == name
        assert len(servers(own_launcher)) == 1

    def test_what_is_read_at_import_needs_another(self, own_launcher: Launcher) -> None:
        own_launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        own_launcher.start(KernelSpec(provisioner=ForkServer(preload=()), environment={"TF_CPP_MIN_LOG_LEVEL": "3"}))
        own_launcher.start(KernelSpec(provisioner=ForkServer(preload=("json",))))
        assert len(servers(own_launcher)) == 3

    def test_the_one_used_longest_ago_goes_first(self, own_launcher: Launcher) -> None:
        def start(number: int) -> Kernel:
            return own_launcher.start(
                KernelSpec(provisioner=ForkServer(preload=()), environment={"TF_TEST": str(number)})
            )

        kernels = [start(number) for number in range(4)]
        first, second, *_ = servers(own_launcher)
        start(0)
        start(4)
        assert len(servers(own_launcher)) == 4
        assert first in servers(own_launcher)
        assert proc.start_time(second) is None
        # Its kernels live on, and their restart brings it back.
        assert kernels[1].execute("1").value == 1
        kernels[1].restart()
        assert kernels[1].execute("import os; os.environ['TF_TEST']").value == "1"

    def test_a_killed_server_is_replaced(self, own_launcher: Launcher, await_death: Callable[[int], None]) -> None:
        kernel = own_launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        (server,) = servers(own_launcher)
        os.kill(server, signal.SIGKILL)
        await_death(server)
        assert kernel.execute("1").value == 1
        kernel.restart()
        assert kernel.execute("2").value == 2
        assert servers(own_launcher) != [server]

    def test_a_kernel_is_not_the_child_of_its_server(self, own_launcher: Launcher) -> None:
        kernel = own_launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        stat = proc.read_stat(kernel.pid)
        assert stat is not None
        assert stat.parent == own_launcher.supervisor.pid
        assert proc.read_stat(servers(own_launcher)[0]).state != "Z"  # type: ignore[union-attr]

    def test_a_kernel_that_cannot_be_set_up_says_why(self, own_launcher: Launcher) -> None:
        own_launcher.start(KernelSpec(provisioner=ForkServer(preload=())))
        with pytest.raises(
            KernelStartError, match="did not start: .*exit code 1(.|\n)*could not be set up: .*null byte"
        ):
            own_launcher.start(KernelSpec(provisioner=ForkServer(preload=()), environment={"MY_OWN": "\0"}))

    def test_tensorflow_is_preloaded_by_default(self, launcher: Launcher, tensorflow_python: str) -> None:
        kernel = launcher.start(KernelSpec(python=tensorflow_python))
        assert kernel.execute("import sys; 'tensorflow' in sys.modules").value is True
        cell = "import tensorflow as tf\nwith tf.Graph().as_default(), tf.compat.v1.Session() as s:\n    x = s.run(tf.add(2.0, 3.0))\nx"
        assert kernel.execute(cell).value == 5.0
        kernel.inject("sigkill")
        assert kernel.post_mortems[-1].exit_status == ExitStatus(signal=signal.SIGKILL)
        kernel.shutdown()


class TestInterrupted:
    def test_who_comes_next_waits_for_the_same_preload(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec], tmp_path: Path
    ) -> None:
        begun, go = tmp_path / "begun", tmp_path / "go"
        os.mkfifo(begun)
        os.mkfifo(go)
        spec = write_module(f"open({str(begun)!r}, 'w').close()\nopen({str(go)!r}).close()")
        own_launcher.interpreter(spec.python)

        class HandlerError(Exception):
            pass

        def interrupt(*_: object) -> None:
            raise HandlerError

        def strike() -> None:
            begun.open().close()
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

        before = signal.signal(signal.SIGUSR1, interrupt)
        striking = threading.Thread(target=strike)
        striking.start()
        try:
            with pytest.raises(HandlerError):
                own_launcher.start(spec)
        finally:
            signal.signal(signal.SIGUSR1, before)
            striking.join()
        (server,) = servers(own_launcher)
        going = threading.Thread(target=lambda: go.open("w").close())
        going.start()
        kernel = own_launcher.start(spec)
        going.join()
        assert kernel.execute("import os; os.getpid()").value == kernel.pid
        assert servers(own_launcher) == [server]


class TestAnswers:
    @pytest.mark.parametrize("answer", ['{"kind": "ready"}', '{"kind": "forked", "id": 2}', '{"kind": "x", "id": 2}'])
    def test_what_the_preload_writes_to_the_channel_is_no_answer(
        self, own_launcher: Launcher, write_module: Callable[[str], KernelSpec], answer: str
    ) -> None:
        spec = write_module(f"import os, struct\nos.write(3, struct.pack('!i', {len(answer)}) + {answer.encode()!r})")
        try:
            kernel = own_launcher.start(spec)
        except KernelStartError as error:
            assert "gave an unexpected answer" in str(error)  # noqa: PT017 - it may be left out as well
        else:
            assert kernel.execute("import os; os.getpid()").value == kernel.pid


class TestThreadsFromBefore:
    @pytest.fixture
    def environment(self, tmp_path: Path) -> dict[str, str]:
        """A Python whose sitecustomize starts a thread, as a debugger does that follows child processes."""
        folder = tmp_path / "first"
        folder.mkdir()
        (folder / "sitecustomize.py").write_text(
            "import os, sys, threading, types\n"
            "if os.environ.get('FOLLOWED'): sys.modules['pydevd'] = types.ModuleType('pydevd')\n"
            "threading.Thread(target=threading.Event().wait, name='pydevd.Writer', daemon=True).start()"
        )
        return {"PYTHONPATH": str(folder)}

    @pytest.mark.parametrize(
        ("followed", "words"), [("1", "the debugger pydevd"), ("", "a sitecustomize, a .pth file or a debugger")]
    )
    def test_they_are_told_with_what_starts_them(
        self, own_launcher: Launcher, environment: dict[str, str], followed: str, words: str
    ) -> None:
        environment = {**environment, "PYTHONFOLLOWED": followed, "FOLLOWED": followed}
        with pytest.raises(ForkRefusedError) as caught:
            own_launcher.start(KernelSpec(provisioner=ForkServer(preload=()), environment=environment))
        assert words in str(caught.value)
        assert str(caught.value).endswith("pydevd.Writer; use provisioner='subprocess'")
        spec = KernelSpec(provisioner="subprocess", environment=environment)
        assert own_launcher.start(spec).execute("1").value == 1


def test_a_preload_that_crashes_shows_its_stack(
    own_launcher: Launcher, write_module: Callable[[str], KernelSpec]
) -> None:
    with pytest.raises(KernelStartError) as caught:
        own_launcher.start(
            write_module("import os, signal\ndef vector():\n    os.kill(os.getpid(), signal.SIGILL)\nvector()")
        )
    assert "died of SIGILL on preload" in str(caught.value)
    assert 'preloaded_by_test.py", line 3 in vector' in str(caught.value)
