"""`pytest-tfkernel run`, from outside: a script finds what plain Python gives it, and its end is ours."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pytest_tfkernel.processes.cgroups import MEMORY

SCRIPT = [sys.executable, "-c", "import sys; from pytest_tfkernel.__main__ import script; sys.exit(script())"]
MODULE = [sys.executable, "-I", "-m", "pytest_tfkernel"]
LOOK = """
import json, os, resource, signal, sys, threading
import beside
print(json.dumps({
    "argv": sys.argv, "path": sys.path, "flags": str(sys.flags), "executable": os.path.realpath(sys.executable),
    "globals": sorted(globals()), "file": __file__, "name": __name__, "spec": str(__spec__), "cached": __cached__,
    "loader": type(__loader__).__name__, "main": sys.modules["__main__"].__dict__ is globals(),
    "folder": os.getcwd(), "stdin": sys.stdin.read(), "encodings": [sys.stdin.encoding, sys.stdout.encoding],
    "handlers": {one.name: str(signal.getsignal(one)) for one in signal.Signals if one.name != "SIGRTMIN"},
    "mask": str(signal.pthread_sigmask(signal.SIG_BLOCK, [])), "umask": os.umask(0),
    "environment": {name: text for name, text in os.environ.items()
                    if name not in {"_", "SHLVL", "PYTHONUNBUFFERED", "PYTEST_TFKERNEL_LEASE"}},
    "limits": [resource.getrlimit(number) for number in range(16) if number != 10],
    "threads": [one.name for one in threading.enumerate()],
}))
"""


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where deaths are kept."""
    state = tmp_path_factory.mktemp("state")
    monkeypatch.setenv("XDG_STATE_HOME", str(state))
    return state


def _run(*words: str | Path, begin: list[str] = MODULE, stdin: str = "", **places: Any) -> tuple[int, str, str]:
    done = subprocess.run(
        [*begin, *map(str, words)], input=stdin, capture_output=True, text=True, timeout=120, check=False, **places
    )
    return done.returncode, done.stdout, done.stderr


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Here lies the script, another one is the working folder, and a link leads to it."""
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "look.py").write_text(LOOK, encoding="utf-8")
    (tmp_path / "src" / "beside.py").write_text("", encoding="utf-8")
    (tmp_path / "link.py").symlink_to("src/look.py")
    return tmp_path


@pytest.mark.uncovered
@pytest.mark.parametrize("begin", [SCRIPT, MODULE], ids=["script", "isolated"])
@pytest.mark.parametrize("name", ["src/look.py", "link.py"])
def test_a_script_finds_what_python_gives_it(folder: Path, begin: list[str], name: str) -> None:
    inherited = {name: text for name, text in os.environ.items() if not name.startswith("PYTEST_")}
    environment = {**inherited, "PYTHONPATH": str(folder / "elsewhere"), "TMPDIR": str(folder)}
    words, places = (name, "--", "--x", "y"), {"cwd": folder, "env": environment}
    plain = _run(*words, begin=[sys.executable], stdin="asked", **places)
    ours = _run("run", *words, begin=begin, stdin="asked", **places)
    assert plain[0] == ours[0] == 0, ours
    assert json.loads(ours[1]) == json.loads(plain[1])
    assert ours[2] == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["none.py"], "none.py isn't there"),
        (["src"], "src is a folder"),
        (["--provisioner=unicorn", "link.py"], "provisioner='unicorn' is unknown"),
        (["--python=none", "link.py"], "python='none'"),
    ],
)
def test_what_cannot_begin_is_one_line(folder: Path, words: list[str], said: str) -> None:
    code, out, err = _run("run", *words, cwd=folder)
    assert (code, out, err.count("\n")) == (2, "", 1), err
    assert err.startswith(f"run: {said}")


@pytest.mark.parametrize("word", ["--memory=much", "--timeout=0", "--timeout=nan"])
def test_a_mistake_on_the_command_line_says_what_to_write(word: str) -> None:
    code, out, err = _run("run", word, "x.py")
    assert (code, out) == (2, "")
    assert word.partition("=")[2] in err


def test_a_run_inside_a_run_and_nothing_is_left(tmp_path: Path) -> None:
    inner, outer = tmp_path / "inner.py", tmp_path / "outer.py"
    inner.write_text("import os\nprint('inside', flush=True)\nos.abort()", encoding="utf-8")
    command = [*MODULE, "run", str(inner)]
    outer.write_text(f"import subprocess, sys\nsys.exit(subprocess.run({command!r}).returncode)", encoding="utf-8")
    code, out, err = _run("run", outer)
    assert (code, out) == (128 + signal.SIGABRT, "inside\n")
    assert f"{inner}: kernel " in err
    assert f"{outer} ended with exit code 134" in err
    assert "left behind:" not in err
    assert "--- left behind\nnothing\n" in err
    # An exit is none.
    listed = _run("deaths")[1]
    assert ("SIGABRT" in listed, "inner.py" in listed, listed.count("\n")) == (True, True, 2)


def test_one_that_ends_its_parent_is_a_line(tmp_path: Path) -> None:
    (tmp_path / "kill.py").write_text("import os, time\nos.kill(os.getppid(), 9)\ntime.sleep(62)", encoding="utf-8")
    code, out, err = _run("run", "kill.py", cwd=tmp_path)
    assert (code, out) == (2, "")
    assert err == "run: how kill.py has ended isn't known: its parent process, which watches it, was ended\n"


def test_the_oom_killer_is_named_with_the_limit(tmp_path: Path, needs_cgroup: Callable[[str], None]) -> None:
    needs_cgroup(MEMORY)
    (tmp_path / "grow.py").write_text(
        "held = []\nwhile True: held.append(bytearray(b'x') * (1 << 20))", encoding="utf-8"
    )
    code, _, err = _run("run", "--memory=64M", tmp_path / "grow.py")
    assert code == 128 + signal.SIGKILL
    assert "(cause: oom-kill; killed by: the OOM killer)" in err
    assert "limit: 64 MiB" in err


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_a_stream_that_is_closed_is_no_file_of_ours(tmp_path: Path, closed: str) -> None:
    (tmp_path / "talk.py").write_text(
        "import sys\nprint('said', repr(sys.stdin.read()))\nsys.exit(5)", encoding="utf-8"
    )
    command = f'"$0" -I -m pytest_tfkernel run talk.py {closed}'
    done = subprocess.run(
        ["bash", "-c", command, sys.executable],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 5
    assert done.stdout in {b"said ''\n", b""}
    assert (done.stdout == b"") == (">&- " in f"{closed} " and closed != "2>&-")


def test_a_terminal_of_another_encoding_is_told_in_its_own(tmp_path: Path) -> None:
    (tmp_path / "kill.py").write_text("import os; os.kill(os.getpid(), 9)", encoding="utf-8")
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    code, _, err = _run("run", "kill.py", begin=SCRIPT, cwd=tmp_path, env=environment)
    assert (code, err.isascii(), "\\u2588" in err) == (137, True, True)


def test_a_name_of_any_bytes(tmp_path: Path) -> None:
    name = os.fsdecode(b"a \xff\nb.py")
    (tmp_path / name).write_text("import sys\nprint(ascii(sys.argv))\n[][1]", encoding="utf-8")
    code, out, err = _run("run", name, name, cwd=tmp_path)
    assert (code, out) == (1, f"{[name, name]!a}\n")
    assert err.splitlines()[-1] == "pytest-tfkernel: a \\udcff\\nb.py ended with exit code 1"
