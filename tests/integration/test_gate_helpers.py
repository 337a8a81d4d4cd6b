"""The gate: what lives as long as pytest by its makers' design is nobody's leak."""

from __future__ import annotations

import re

import pytest

from gated import Run, blamed, section
from inner import Inner, counts

HELPED = """
import concurrent.futures

@pytest.mark.parametrize("method", ["forkserver", "spawn"])
def test_method(method):
    context = multiprocessing.get_context(method)
    process = context.Process(target=abs, args=(1,))
    process.start()
    process.join()

def test_tracker():
    memory = shared_memory.SharedMemory(create=True, size=100)
    memory.close()
    memory.unlink()
"""


class TestSessionLongHelpers:
    def test_are_nobodys_leak_and_told_once(self, run: Run) -> None:
        result = run(HELPED)
        assert counts(result) == {"passed": 3}
        (line,) = section(result)
        assert line.startswith("helpers that live as long as pytest, by design: ")
        assert "1 x multiprocessing's fork server" in line
        assert "1 x multiprocessing's resource tracker" in line

    def test_what_a_fork_server_forks_is_of_the_test_that_asked_for_it(self, run: Run) -> None:
        result = run("""
@pytest.fixture(scope="session")
def context():
    context = multiprocessing.get_context("forkserver")
    process = context.Process(target=abs, args=(1,))
    process.start()
    process.join()
    return context

def test_first(context): pass

def test_leaks(context):
    process = context.Process(target=time.sleep, args=(300,), daemon=True)
    process.start()
    note(process.pid)
    kept.append(process)

def test_last(context): pass
""")
        assert blamed(result) == ["test_leaks"]
        result.stdout.re_match_lines([r"left behind: process \d+ \(.*multiprocessing.forkserver.*"])

    @pytest.mark.parametrize(
        "name", ["joblib.externals.loky.backend.popen_loky_posix", "loky.backend.resource_tracker"]
    )
    def test_of_loky_are_nobodys_leak(self, run: Run, name: str) -> None:
        code = f"subprocess.Popen(['sleep', '300'], executable='/bin/sleep')  # {name}"
        result = run(f"""
def test_starts():
    kept.append(subprocess.Popen([sys.executable, "-c", "import time; time.sleep(300)", "-m", {name!r}]))

def test_ends():
    end(kept[0])
""")
        assert code
        assert counts(result) == {"passed": 2}
        assert section(result)[0].startswith("helpers that live as long as pytest, by design: 1 x loky's ")

    def test_the_socket_of_a_cuda_context_is_nobodys_leak(self, run: Run) -> None:
        # What the driver opens in a process that makes a context, and closes with it.
        result = run("""
def test_makes_a_context():
    global kept
    kept = socket.socket(socket.AF_UNIX)
    kept.bind(f"\\0cuda-uvmfd-4026531836-{os.getpid()}")
    kept.listen()

def test_listens():
    global mine
    mine = socket.socket(socket.AF_UNIX)
    mine.bind(f"\\0mine-{os.getpid()}")
    mine.listen()
""")
        assert counts(result) == {"passed": 2, "errors": 1}
        assert "1 x CUDA's socket" in result.stdout.str()
        assert "left behind: socket @mine-" in result.stdout.str()

    def test_autograph_files_of_tensorflow_are_nobodys_leak(self, run: Run, tensorflow_python: str) -> None:
        result = run("""
def test_traces():
    import tensorflow as tf
    @tf.function
    def doubled(number):
        if number > 0:
            number = number * 2
        return number
    assert doubled(tf.constant(2)) == 4
""")
        assert counts(result) == {"passed": 1}
        assert "1 x TensorFlow's autograph files" in section(result)[0]

    def test_of_the_users_own_can_be_named(self, run: Run, gated: Inner) -> None:
        gated.write(
            "pytest.ini", "[pytest]\ntfkernel_gate_known =\n    process:sleep 3*\n    temporary-file:*/mine-*\n"
        )
        result = run(
            "def test_leaks():\n    sleeper()\n    tempfile.mkdtemp(prefix='mine-')\n    os.close(tempfile.mkstemp()[0])\n"
        )
        (line,) = [line for line in result.outlines if line.startswith("left behind: ")]
        assert line.startswith("left behind: temporary-file ")
        result.stdout.fnmatch_lines(["helpers *: 1 x process sleep 3[*], 1 x temporary-file [*]/mine-[*]"])

    @pytest.mark.parametrize(
        ("line", "message"),
        [
            ("sleep", "tfkernel_gate_known = sleep: write kind:pattern, as in process:*my-daemon*"),
            ("unicorn:x", "tfkernel_gate_known = unicorn: unknown kind; choose from process, zombie, *"),
        ],
    )
    def test_that_make_no_sense_are_one_line(self, run: Run, gated: Inner, line: str, message: str) -> None:
        gated.write("pytest.ini", f"[pytest]\ntfkernel_gate_known = {line}\n")
        result = run("def test_mine(): pass\n")
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        result.stderr.fnmatch_lines([f"ERROR: {message}"])


def test_kernels_of_fixtures_are_no_leak(run: Run) -> None:
    result = run("""
@pytest.mark.tfkernel(provisioner="subprocess")
def test_kernel(tfkernel):
    assert tfkernel.execute("1 + 1").value == 2
""")
    assert counts(result) == {"passed": 1}
    assert [line for line in section(result) if not line.startswith("helpers")] == []


@pytest.mark.parametrize("arguments", [(), ("-n", "1")], ids=["alone", "worker"])
def test_what_a_module_starts_when_it_is_imported_blames_no_test(run: Run, arguments: tuple[str, ...]) -> None:
    result = run("sleeper()\n\ndef test_mine(): pass\n", *arguments)
    assert counts(result) == {"passed": 1}
    owner, *lines = section(result)
    assert owner == "outside of tests"
    # What dead processes of the tests beside this one have made is told there, too.
    (left,) = [line for line in lines if line.startswith("  left behind: process ")]
    assert re.fullmatch(r"  left behind: process \d+ \(sleep 300, .*\) - it appeared outside of tests", left)
