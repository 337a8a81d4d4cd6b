"""A desktop with Spyder on it: a real X server without a screen, the real IDE, real keys."""

from __future__ import annotations

import contextlib
import importlib.metadata
import importlib.util
import json
import os
import select
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
SCREEN = (1280, 900)
# What takes seconds on an idle machine has two minutes on a busy one.
SECONDS = 120.0

_FIGURES = pytest.StashKey[dict[str, float]]()


@dataclass(frozen=True)
class Look:
    """What `eye.py` says, which tells of each field."""

    at: float
    text: str
    seen: str
    file: str | None
    dialogs: list[str]
    window: int
    picture: str | None


@dataclass
class Ide:
    """Spyder, as the person before it has it: eyes and a keyboard."""

    warden: subprocess.Popen[bytes]
    environment: dict[str, str]
    folder: Path
    eye: socket.socket
    figures: dict[str, float]
    look: Look
    _unread: bytes = b""

    def wait(self, what: str, condition: Callable[[Look], object]) -> Look:
        """The first look, from the last one on, that `condition` holds of."""
        end = time.monotonic() + SECONDS
        while not condition(self.look):
            if not self._read(end):
                self._ask_for_picture("ide-failed")
                self._read(time.monotonic() + SECONDS)
                pytest.fail(f"{what}: not seen in {SECONDS:.0f} s, but {self.look}; Spyder said: {self._output()}")
        return self.look

    def _read(self, end: float) -> bool:
        while b"\n" not in self._unread:
            self.eye.settimeout(max(0.001, end - time.monotonic()))
            try:
                received = self.eye.recv(1 << 20)
            except TimeoutError:
                return False
            assert received, f"Spyder has ended: {self._output()}"
            self._unread += received
        line, self._unread = self._unread.split(b"\n", 1)
        self.look = Look(**json.loads(line))
        assert not self.look.dialogs, f"Spyder asks: {self.look.dialogs}"
        return True

    def _output(self) -> str:
        return (self.folder / "output").read_text(encoding="utf-8")

    def hear(self) -> dict[str, Any]:
        """What the warden says next."""
        assert self.warden.stdout is not None
        # Longer than it waits itself.
        assert select.select([self.warden.stdout], [], [], 2 * SECONDS)[0], f"Spyder does not end: {self._output()}"
        line = self.warden.stdout.readline()
        assert line, self._output()
        said: dict[str, Any] = json.loads(line)
        return said

    def wait_for_prompt(self, number: int) -> Look:
        """Until the console has answered, and waits for input `number`."""
        return self.wait(f"prompt {number}", lambda look: look.text.endswith(f"\nIn [{number}]: "))

    def press(self, *keys: str) -> None:
        """Press and let go each key, such as `F5` or `ctrl+l`."""
        self._xdotool("key", *keys)

    def type(self, text: str) -> None:
        """Type into what has the focus."""
        self._xdotool("type", text)

    def resize(self) -> None:
        """Make the window as large as the screen."""
        window = str(self.look.window)
        self._xdotool("windowmove", window, "0", "0", "windowsize", "--sync", window, *map(str, SCREEN))

    def _xdotool(self, *arguments: str) -> None:
        subprocess.run(["xdotool", *arguments], env=self.environment, check=True, timeout=SECONDS)

    def take_picture(self, name: str) -> None:
        """Save what is on the screen."""
        path = self._ask_for_picture(name)
        self.wait(path, lambda look: look.picture == path)

    def _ask_for_picture(self, name: str) -> str:
        folder = Path(os.environ.get("TFKERNEL_IDE_IMAGES", self.folder)).absolute()
        self.eye.sendall(f"{folder / name}.png\n".encode())
        return str(folder / f"{name}.png")


@pytest.fixture(scope="session")
def needs_ide() -> None:
    """Skip, with the reason, where there is no Spyder or no X server to show it on."""
    modules = {"spyder==6.1.*": _has_spyder(), "tensorflow-cpu": importlib.util.find_spec("tensorflow")}
    commands = {"xvfb": shutil.which("Xvfb"), "xdotool": shutil.which("xdotool")}
    wanted = {
        "pip": [package for package, found in modules.items() if not found],
        "apt-get": [package for package, found in commands.items() if not found],
    }
    advice = [f"`{tool} install {' '.join(packages)}`" for tool, packages in wanted.items() if packages]
    if advice:
        give_up = pytest.fail if os.environ.get("TFKERNEL_REQUIRE_IDE") else pytest.skip
        give_up(f"no IDE to test: {' and '.join(advice)} (see `tox -e ide`)")


def _has_spyder() -> bool:
    # Looks at its metadata: an import takes seconds.
    try:
        return int(importlib.metadata.version("spyder").split(".")[0]) >= 6
    except importlib.metadata.PackageNotFoundError:
        return False


@pytest.fixture
def variables(request: pytest.FixtureRequest) -> dict[str, str]:
    """What Spyder's environment has beside what it needs."""
    return dict(getattr(request, "param", {}))


@pytest.fixture
def ide(
    needs_ide: None,
    variables: dict[str, str],
    tmp_path_factory: pytest.TempPathFactory,
    pytestconfig: pytest.Config,
) -> Iterator[Ide]:
    """Spyder with `variable_assign.py` in its editor and a console that waits; ended as a person ends it."""
    # Its name is seen in the pictures.
    folder = tmp_path_factory.mktemp("spyder")
    with contextlib.ExitStack() as stack:
        ide = _start(stack, folder, pytestconfig.stash.setdefault(_FIGURES, {}), variables)
        ide.wait("the file in the editor", lambda look: look.file == str(folder / "variable_assign.py"))
        ide.wait("the banner of IPython", lambda look: "\nIPython " in look.text)
        ide.wait_for_prompt(1)
        ide.resize()
        yield ide
        ide.press("ctrl+q")
        assert ide.hear() == {"status": 0, "left": []}


def _environment(folder: Path) -> dict[str, str]:
    # Nothing of the person who runs the tests: neither settings nor a session bus.
    for name in ("home", "tmp", "runtime"):
        (folder / name).mkdir(mode=0o700)
    return {
        "PATH": os.environ["PATH"],
        "LANG": "C.UTF-8",
        "HOME": str(folder / "home"),
        "TMPDIR": str(folder / "tmp"),
        "XDG_RUNTIME_DIR": str(folder / "runtime"),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={folder / 'none'}",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def _start(stack: contextlib.ExitStack, folder: Path, figures: dict[str, float], variables: dict[str, str]) -> Ide:
    shutil.copy(HERE / "variable_assign.py", folder)
    _install_eye(folder / "plugins")
    environment = _environment(folder) | variables
    ours, theirs = socket.socketpair()
    stack.enter_context(ours)
    options = ["--conf-dir", str(folder / "conf"), "--new-instance", "--no-web-widgets", "--workdir", str(folder)]
    command = [str(HERE / "start.py"), str(folder / "plugins"), *options, str(folder / "variable_assign.py")]
    with theirs, (folder / "output").open("wb") as output:
        warden = subprocess.Popen(
            [sys.executable, str(HERE / "warden.py"), "x".join(map(str, SCREEN)), sys.executable, *command],
            cwd=folder,
            env=environment | {"TFKERNEL_EYE": str(theirs.fileno())},
            pass_fds=[theirs.fileno()],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=output,
            # Ctrl-C is for pytest.
            start_new_session=True,
        )
    # Closes its stdin, which ends all of it, and waits.
    stack.enter_context(warden)
    ide = Ide(warden, environment, folder, ours, figures, Look(0, "", "", None, [], 0, None))
    environment["DISPLAY"] = ide.hear()["display"]
    return ide


def _install_eye(folder: Path) -> None:
    about = folder / "tfkernel_eye-0.dist-info"
    about.mkdir(parents=True)
    shutil.copy(HERE / "eye.py", folder / "tfkernel_eye.py")
    (about / "METADATA").write_text("Metadata-Version: 2.1\nName: tfkernel-eye\nVersion: 0\n", encoding="utf-8")
    (about / "entry_points.txt").write_text("[spyder.plugins]\ntfkernel_eye = tfkernel_eye:Eye\n", encoding="utf-8")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The figures, in seconds."""
    figures = config.stash.get(_FIGURES, {})
    if figures:
        terminalreporter.section("ide figures")
    for name, seconds in figures.items():
        terminalreporter.line(f"{name}: {seconds:.2f} s")
