"""The gate: a process is its test's by the number that it wears, by its parents, or by its session."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable

import pytest

from gated import Run, blamed, section, told
from inner import Inner, counts

# Each sheds the number; the first word is the program that must be there.
SHEDDING = {
    "prlimit": "starts(['prlimit', '--locks=7:', 'sleep', '300'])",
    "prlimit_below": "starts(['sh', '-c', 'prlimit --locks=7: sleep 300; true'])",
    "prlimit_unlimited": "starts(['prlimit', '--locks=unlimited', 'sleep', '300'])",
    "runuser": "starts(['runuser', '-u', 'nobody', '--', 'sleep', '300'])",
    "su": "starts(['su', '-s', '/bin/sh', 'nobody', '-c', 'sleep 300'])",
    "sh": "starts(['sh', '-c', 'ulimit -S -x 5; sleep 300; true'])",
    "setsid": "starts(['setsid', 'sh', '-c', 'ulimit -S -x 5; sleep 300 & sleep 300; true'])",
}
NEIGHBOURS = """
def starts(command):
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL)
    kept.append(process)
    note(process.pid)
    # Until all that it starts is there, by name: only then has it shed what it sheds.
    while "sleep" not in below(process.pid): time.sleep(0.01)

def below(pid):
    found = [Path(f"/proc/{pid}/comm").read_text().strip()]
    for task in Path("/proc").glob("[0-9]*"):
        try:
            fields = (task / "stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            note(int(task.name))
            found += below(int(task.name))
    return found

def test_before_NAME(): pass

def test_leaks_NAME():
    CODE

def test_after_NAME(): subprocess.run(["true"], check=True)

def test_ends_NAME():
    import signal
    for one in kept: one.kill(), one.wait()
    kept.clear()
"""


IN_SESSION = """
def sleeping(session, seconds):
    "Waits until a process of that session sleeps so long."
    while True:
        for task in Path("/proc").glob("[0-9]*"):
            try:
                words = (task / "cmdline").read_bytes().split(bytes(1))
                fields = (task / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if words[:2] == [b"sleep", seconds.encode()] and fields[3] == str(session):
                return note(int(task.name))
        time.sleep(0.01)
"""


def _missing(name: str) -> str:
    """Why that program can't be started here, or nothing."""
    program = name.partition("_")[0]
    if shutil.which(program) is None:
        return f"there is no {program} here"
    works = {
        "su": ["su", "-s", "/bin/sh", "nobody", "-c", "true"],
        "runuser": ["runuser", "-u", "nobody", "--", "true"],
    }
    command = works.get(program, ["true"])
    if subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=False).returncode:
        return f"{program} can't be used here"
    return ""


def _needs(name: str) -> None:
    if reason := _missing(name):
        pytest.skip(reason)


@pytest.fixture(scope="module")
def shed(run_together: Callable[..., pytest.RunResult]) -> pytest.RunResult:
    """All that can be started here, each between tests that leave nothing."""
    codes = {name: code for name, code in SHEDDING.items() if not _missing(name)}
    return run_together({name: NEIGHBOURS.replace("NAME", name).replace("CODE", codes[name]) for name in codes})


@pytest.mark.parametrize("name", SHEDDING)
def test_a_process_that_sheds_its_number_is_its_tests(shed: pytest.RunResult, name: str) -> None:
    _needs(name)
    left = told(shed)[f"test_{name}.py::test_leaks_{name}"]
    assert [line for line in left if not line.startswith("left behind: process ")] == []
    assert any("sleep 300" in line for line in left)


def test_and_no_other_ones(shed: pytest.RunResult) -> None:
    found = [name for name in SHEDDING if not _missing(name)]
    assert sorted(blamed(shed)) == sorted(f"test_leaks_{name}" for name in found)
    assert counts(shed) == {"passed": 4 * len(found), "errors": len(found)}


def test_a_process_that_sheds_number_and_parents_is_found_by_its_session(run: Run) -> None:
    # A living process of that session is the witness.
    _needs("prlimit")
    result = run(
        IN_SESSION
        + """
def test_before(): pass

def test_leaks():
    command = ["sh", "-c", "(prlimit --locks=7: sleep 300 &); exec sleep 299"]
    kept.append(subprocess.Popen(command, start_new_session=True))
    note(kept[-1].pid)
    sleeping(kept[-1].pid, "299"), sleeping(kept[-1].pid, "300")

def test_after(): pass
"""
    )
    assert blamed(result) == ["test_leaks"]
    assert counts(result) == {"passed": 3, "errors": 1}
    lines = [line for line in result.outlines if line.startswith("left behind: process ")]
    assert sorted(line.split("(")[1].split(",")[0] for line in lines) == ["sleep 299", "sleep 300"]


def test_a_gate_within_the_gate_is_its_tests(run: Run, gated: Inner) -> None:
    gated.write(
        "inner_gate/within.py",
        "import pathlib, time\n"
        "def test_inner():\n    pathlib.Path(__file__).with_name('ready').touch()\n    time.sleep(300)\n",
    )
    result = run("""
def test_leaks():
    folder = Path(__file__).parent / "inner_gate"
    command = [sys.executable, "-m", "pytest", "--tfkernel-gate", "-c", "/dev/null", "--rootdir", str(folder), str(folder / "within.py")]
    kept.append(subprocess.Popen(command, stdout=subprocess.DEVNULL))
    note(kept[-1].pid)
    while not (folder / "ready").exists(): time.sleep(0.01)

def test_after(): pass
""")
    assert blamed(result) == ["test_leaks"]


WIDE = """
@pytest.fixture(scope="session")
def server():
    kept.append(subprocess.Popen(["prlimit", "--locks=7:", "sleep", "300"]))
    note(kept[-1].pid)
    yield
    end(kept.pop())

def test_one(server): pass
def test_two(server): pass
"""


def test_a_fixture_may_hold_what_sheds_its_number(run: Run) -> None:
    _needs("prlimit")
    result = run(WIDE)
    assert counts(result) == {"passed": 2}
    assert section(result) == []


def test_what_a_left_process_starts_later_is_not_the_next_tests(run: Run) -> None:
    # It wears the number of a test that was told of it, or none of ours.
    _needs("prlimit")
    result = run(
        IN_SESSION
        + """
import signal

CODE = "trap 'sleep 300 & sleep 299' USR1; echo; read line; sleep 298"

@pytest.mark.parametrize("command", [["sh", "-c", CODE], ["prlimit", "--locks=7:", "sh", "-c", CODE]])
def test_leaks(command):
    kept.append(subprocess.Popen(command, stdin=-1, stdout=-1, start_new_session=True))
    note(kept[-1].pid)
    kept[-1].stdout.readline()

def test_innocent():
    for one in kept:
        os.kill(one.pid, signal.SIGUSR1)
        one.stdin.close()
        sleeping(one.pid, "300"), sleeping(one.pid, "299")
"""
    )
    assert blamed(result) == ["test_leaks[command0]", "test_leaks[command1]"]
    assert counts(result) == {"passed": 3, "errors": 2}
    assert len([line for line in section(result) if "left behind" in line]) == 2


def test_processes_of_others_in_the_session_of_pytest_are_nobodys(run: Run, gated: Inner) -> None:
    here = gated.folder.parent / "here"
    (here / "go").touch()
    script = """
while [ ! -s "$1/go" ]; do sleep 0.02; done
sleep 30 & touch "$1/started"
wait
"""
    # The session of the tests is that of pytest's, too.
    # In a group of its own, so that it can be ended.
    command = [
        "prlimit",
        "--locks=7:",
        sys.executable,
        "-c",
        "import os, sys; os.setpgrp(); os.execvp('sh', sys.argv[1:])",
    ]
    with subprocess.Popen([*command, "sh", "-c", script, "sh", str(here)]) as stranger:
        result = run("""
def test_leaks():
    sleeper()
    Path(os.environ["HERE"], "go").write_text("go")
    while not Path(os.environ["HERE"], "started").exists(): time.sleep(0.01)
""")
        os.killpg(stranger.pid, signal.SIGKILL)
    assert len([line for line in result.outlines if line.startswith("left behind: ")]) == 1


SMALL = "import resource\nresource.setrlimit(10, (5, 5))\n"


class TestSmallLimit:
    def test_children_are_found_and_what_cannot_be_seen_is_told(self, run: Run, gated: Inner) -> None:
        gated.write("limited.py", SMALL)
        result = run("def test_before(): pass\ndef test_leaks(): sleeper()\ndef test_after(): pass\n", "-p", "limited")
        assert blamed(result) == ["test_leaks"]
        words = "the hard limit on file locks is 5: raise it (ulimit -H -x unlimited)"
        assert section(result)[-1] == f"not looked at, 1 x: processes whose parents have ended: {words}"

    def test_processes_of_others_are_nobodys(self, run: Run, gated: Inner) -> None:
        # All wear the limit that everybody has: it is the number of no account.
        gated.write("limited.py", SMALL)
        others = "".join(
            f"""
def test_{number}():
    open(os.environ["HERE"] + "/go", "a").write("x")
    while len(os.listdir(os.environ["HERE"] + "/started")) <= {number}: time.sleep(0.01)
"""
            for number in range(9)
        )
        here = gated.folder.parent / "here"
        (here / "started").mkdir()
        (here / "go").touch()
        script = """
number=0
while [ $number -lt 9 ]; do
    if [ $(wc -c < "$1/go") -gt $number ]; then sleep 30 & touch "$1/started/$number"; number=$((number + 1)); fi
    sleep 0.02
done
exec sleep 30
"""
        command = ["prlimit", "--locks=5:5", "setsid", "sh", "-c", script, "sh", str(here)]
        with subprocess.Popen(command) as stranger:
            result = run(others, "-p", "limited")
            os.killpg(stranger.pid, signal.SIGKILL)
        assert counts(result) == {"passed": 9}

    def test_that_a_test_lowers_is_told(self, run: Run) -> None:
        # An ordinary user can't raise it again.
        result = run(
            """
import resource
set_limit = resource.setrlimit

def test_lowers():
    import pytest_tfkernel.gate.leases as leases
    def refuse(*_): raise ValueError("not allowed to raise maximum limit")
    leases._Kept.setrlimit = staticmethod(refuse)

def test_clean(): pass
def test_leaks(): sleeper()
def test_after(): pass
"""
        )
        assert blamed(result) == ["test_leaks"]
        assert any("a test has lowered the hard limit on file locks" in line for line in section(result))


IN_A_CONTAINER = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]
ORPHANS = """
def test_double_fork():
    # Whoever reads hears of its end, for nobody else has the other end of the pipe.
    subprocess.run(["bash", "-c", "( (sleep 0.05) & ) ; exit 0"], stdout=subprocess.PIPE, check=True)

def test_after(): pass
"""


class TestProcessOne:
    @pytest.fixture
    def warm(self) -> None:
        """A process of its own."""

    @pytest.fixture
    def container(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Runs pytest as process 1."""
        if subprocess.run([*IN_A_CONTAINER, "true"], capture_output=True, check=False).returncode:
            pytest.skip("no pid namespace can be made here")
        run = subprocess.run
        monkeypatch.setattr(subprocess, "run", lambda command, **options: run([*IN_A_CONTAINER, *command], **options))

    def test_orphans_blame_nobody_and_an_init_is_wanted(self, run: Run, container: None) -> None:
        result = run(ORPHANS)
        assert counts(result) == {"passed": 2}
        (line,) = [line for line in section(result) if not line.startswith("helpers")]
        assert line.startswith("1 zombie that nobody waits for: pytest is process 1 of its container")
        assert line.endswith("(docker run --init)")

    def test_a_child_that_an_object_is_to_wait_for_is_its_tests(self, run: Run, container: None) -> None:
        result = run(ORPHANS + "def test_leaks(): kept.append(subprocess.Popen(['true'])); time.sleep(0.2)\n")
        assert blamed(result) == ["test_leaks"]
        assert any("left behind: zombie " in line for line in result.outlines)

    def test_what_lives_is_its_tests_and_what_is_adopted_is_nobodys(self, run: Run, container: None) -> None:
        result = run("""
def test_leaks(): daemon()

def test_adopts():
    # It has shed its number before its parent ended.
    subprocess.run(["prlimit", "--locks=7:", "sh", "-c", "setsid sleep 300 & exit 0"], check=True)
""")
        assert blamed(result) == ["test_leaks"]
        told = [line for line in result.outlines if line.endswith("; running at the time: test_mine.py::test_adopts")]
        assert [line.split()[0] for line in told] == ["process"]

    def test_another_init_needs_no_advice(self, run: Run) -> None:
        assert section(run(ORPHANS)) == []


def test_a_subreaper_blames_nobody_for_orphans(run: Run, gated: Inner) -> None:
    gated.write("reaper.py", "from pytest_tfkernel._child import process\nprocess.become_subreaper()\n")
    result = run(
        ORPHANS + "def test_leaks(): kept.append(subprocess.Popen(['true'])); time.sleep(0.2)\n", "-p", "reaper"
    )
    assert blamed(result) == ["test_leaks"]
    assert any("pytest's process a subreaper" in line for line in section(result))
