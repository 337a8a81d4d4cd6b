"""Pytests under test, and commands, that are forked from a process in which pytest and the package are imported already.

A test of an option or of a report looks at what a run does, and not at how its interpreter begins; importing takes
longer than such a run. Where that matters, the pytest is a fresh one: see `Inner.run`.

`python warm.py DESCRIPTOR` is that process. It reads requests, lines of JSON: `code`, which is null for a pytest,
`arguments`, `folder`, `environment`, and the paths of files for `stdout` and `stderr`; it answers each with its exit
status, as `waitpid` has it.
"""

from __future__ import annotations

import atexit
import contextlib
import importlib
import io
import json
import os
import pkgutil
import runpy
import socket
import subprocess
import sys
import tempfile
import threading
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import huge_pages
import warm_configs
import warm_plugins
import warm_workers
from pytest_tfkernel._child import garbage

# What begins when it is imported, and what runs in other processes.
_ELSEWHERE = {"__main__", "_child", "hosts"}
# An interpreter reads them when it begins, but for these, which are the same for all of them or done here.
_KNOWN = {"PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "PYTHONUNBUFFERED"}
# What pages are drawn with.
_DRAWS = ("matplotlib",)
# What a run imports when it needs it, and nobody rewrites.
_LATE = ("execnet", "getpass", "importlib.readers", "psutil", "tomllib")
# Installed for the tests that are about them: what they print and listen on is in the way of all others, and what
# pyfakefs imports takes as long as all the rest of pytest.
BY_REQUEST = ("asyncio", "fakefs", "isolated", "rerunfailures")
# Plugins that every pytest under test has, and of which nothing stays where they have been.
_PLAIN = {"platformdirs", "timeout", "xdist", "xdist.looponfail"}
# What one of them imports in a session that has workers.
_WITH_WORKERS = ("xdist.dsession", "xdist.report", "xdist.scheduler", "xdist.workermanage")


class Warm:
    """The process, seen from a test."""

    def __init__(self, environment: dict[str, str]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            # Not in a folder of a test, and with nothing of ours but that.
            command = [sys.executable, __file__, str(theirs.fileno())]
            self._process = subprocess.Popen(command, env=environment, cwd="/", pass_fds=[theirs.fileno()])
        self._socket, self._lines = ours, ours.makefile("r", encoding="utf-8")
        self._environment = environment

    def can_run(self, environment: dict[str, str], *, loads: bool = True) -> bool:
        """Whether an interpreter with this environment would begin as this one did; it may load no library by itself."""
        read = ("PYTHON", "LD_") if loads else "PYTHON"
        names = {name for name in environment.keys() | self._environment.keys() if name.startswith(read)} - _KNOWN
        return all(environment.get(name) == self._environment.get(name) for name in names)

    def run(
        self,
        arguments: list[str],
        folder: Path,
        environment: dict[str, str],
        seconds: float,
        code: str | None = None,
    ) -> tuple[int, str, str]:
        """Run pytest, or this code as `python -c` does. As subprocess.run says it: return code, stdout and stderr."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            request = {"code": code, "arguments": arguments, "folder": str(folder), "environment": environment}
            for name, file in (("stdout", out), ("stderr", err)):
                request[name] = f"/proc/{os.getpid()}/fd/{file.fileno()}"
            self._socket.sendall(json.dumps(request).encode() + b"\n")
            self._socket.settimeout(seconds)
            answer = self._lines.readline()
            assert answer, "what pytests are forked from has died"
            status = os.waitstatus_to_exitcode(int(answer))
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode())
        return status, said[0], said[1]

    def close(self) -> None:
        """End it, and what it runs."""
        self._lines.close()
        self._socket.close()
        self._process.wait(60)


def _import_all() -> None:
    import _pytest
    import pytest  # noqa: F401

    import pytest_tfkernel

    # A plugin of others, which pytest wants to import itself; and so it will what needs it. And what takes half of the
    # memory, of which each fork has a copy: those that draw are forked from another process.
    kept_away = ("xdist", *_DRAWS)
    sys.modules.update(dict.fromkeys(kept_away))  # type: ignore[arg-type]
    for package in (_pytest, pytest_tfkernel):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}.", onerror=lambda _: None):
            if not _ELSEWHERE & set(module.name.split(".")):
                with contextlib.suppress(ImportError):
                    importlib.import_module(module.name)
    for name in kept_away:
        del sys.modules[name]
    for name in _LATE:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)
    # Each pytest tells it.
    import pluggy

    assert pluggy.__version__
    _forbid_rewriting()


def _forbid_rewriting() -> None:
    for name, loaded in sys.modules.items():
        # Else pytest warns that it can't rewrite them any more; nothing in them is a test.
        if name.partition(".")[0] == "pytest_tfkernel" and "PYTEST_DONT_REWRITE" not in (loaded.__doc__ or ""):
            loaded.__doc__ = f"{loaded.__doc__ or ''}\nPYTEST_DONT_REWRITE"


def _rehearse() -> None:
    """What a first run of pytest looks up, compiles and rewrites, later ones find; it is one without most plugins."""
    import pytest

    others = {point.name for point in entry_points(group="pytest11")} - _PLAIN
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(io.StringIO()):
        # No file above that folder has a say.
        words = ["-p", "no:cacheprovider", "-c", os.devnull, f"--rootdir={folder}", folder]
        pytest.main([*without(*others), *words], plugins=[_ImportsMore()])


class _ImportsMore:
    """While pytest rewrites what is imported."""

    def pytest_configure(self) -> None:
        for name in _WITH_WORKERS:
            with contextlib.suppress(ImportError):
                importlib.import_module(name)


def _become(request: dict[str, Any]) -> None:
    """Everything that a pytest in that folder, with that environment, would find."""
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environment"])
    for number, name in ((1, "stdout"), (2, "stderr")):
        descriptor = os.open(request[name], os.O_WRONLY | os.O_APPEND)
        os.dup2(descriptor, number)
        os.close(descriptor)
    tempfile.tempdir = None
    sys.argv = ["pytest" if request["code"] is None else "-c", *request["arguments"]]
    first = [request["folder"], *filter(None, request["environment"].get("PYTHONPATH", "").split(os.pathsep))]
    sys.path[:] = [*first, *(one for one in sys.path if one not in first)]
    # What it was when that one was imported, its workers have, too.
    with contextlib.suppress(KeyError, AttributeError):
        sys.modules["xdist.plugin"]._sys_path[:] = sys.path


def main(descriptor: int) -> int:
    """See the module."""
    with garbage.uncollected():
        _import_all()
    warm_plugins.settle()
    _rehearse()
    warm_configs.prepare([point.name for point in entry_points(group="pytest11")])
    importlib.import_module("warm_supervisors").import_all()
    del sys.path[0]
    # What is there is there for all: no collection of a child touches it.
    garbage.freeze()
    huge_pages.gather()
    request = _serve(socket.socket(fileno=descriptor), draws=False)
    if request is None:
        return 0
    _become(request)
    import warm_supervisors

    arguments = request["arguments"]
    warm_workers.prepare(warm_workers.asked_for(arguments), lambda source: _work(source, arguments))
    warm_supervisors.prepare(arguments)
    try:
        if request["code"] is None:
            runpy.run_module("pytest", run_name="__main__", alter_sys=True)
        else:
            exec(request["code"], sys.modules["__main__"].__dict__)
            _end(0)
    except SystemExit as end:
        _end(end.code)
        raise
    return 0


def _serve(channel: socket.socket, *, draws: bool) -> dict[str, Any] | None:
    """Fork a process for each request, which is what this returns there; None when there are no more."""
    drawing: tuple[int, socket.socket] | None = None
    with channel, channel.makefile("r", encoding="utf-8") as lines:
        while line := lines.readline():
            request: dict[str, Any] = json.loads(line)
            if draws or not any(word.endswith(".html") for word in request["arguments"]):
                pid = os.fork()
                if pid == 0:
                    if drawing is not None:
                        drawing[1].close()
                    return request
                channel.sendall(b"%d\n" % os.waitpid(pid, 0)[1])
                continue
            if drawing is None:
                ours, theirs = socket.socketpair()
                drawing = os.fork(), ours
                if drawing[0] == 0:
                    ours.close()
                    channel.close()
                    return _draw(theirs)
                theirs.close()
            drawing[1].sendall(line.encode())
            answer = b""
            while not answer.endswith(b"\n"):
                answer += drawing[1].recv(64) or b"1\n"
            channel.sendall(answer)
    if drawing is not None:
        drawing[1].close()
        os.waitpid(drawing[0], 0)
    return None


def _draw(channel: socket.socket) -> dict[str, Any] | None:
    """In a process that lives as long as the one it was forked from."""
    with contextlib.suppress(ImportError), garbage.uncollected():
        importlib.import_module("matplotlib.backends.backend_svg")
        importlib.import_module("pytest_tfkernel.report.history.plots")
        templates = importlib.import_module("pytest_tfkernel.report.page.render").templates()
        for name in templates.list_templates():
            templates.get_template(name)
    _forbid_rewriting()
    garbage.freeze()
    huge_pages.gather()
    return _serve(channel, draws=True)


def _work(source: str, arguments: list[str]) -> None:
    import warm_supervisors

    warm_supervisors.prepare(arguments)
    exec(source, sys.modules["__main__"].__dict__)
    _end(0)


def without(*plugins: str) -> list[str]:
    """The words of a command line that keep these away."""
    return [word for name in plugins for word in ("-p", f"no:{name}")]


def _end(code: object) -> None:
    """End as an interpreter does, but for its last step: taking apart what was imported takes as long as a short run."""
    if isinstance(code, int):
        threading._shutdown()  # type: ignore[attr-defined]
        atexit._run_exitfuncs()
        with contextlib.suppress(OSError, ValueError):
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code & 0xFF)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
