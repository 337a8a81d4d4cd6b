"""A kernel of a real Jupyter server, and one of the real Spyder, crash: the log and the next kernel say why."""

from __future__ import annotations

import contextlib
import json
import os
import select
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_tfkernel._child import deaths

if TYPE_CHECKING:
    from tests.ide.conftest import Ide

pytestmark = pytest.mark.ide

SECONDS = 120.0
CRASH = "import ctypes; ctypes.string_at(0)"
SAID = "of SIGSEGV (cause: signal; killed by: the kernel itself)"


@dataclass
class Server:
    """A Jupyter server: what it logs, and where its kernels are."""

    process: subprocess.Popen[bytes]
    folder: Path
    log: str = ""

    def wait_for(self, words: str) -> str:
        """What it has logged by the time that these words are in it."""
        end = time.monotonic() + SECONDS
        assert self.process.stderr is not None
        while words not in self.log:
            ready = select.select([self.process.stderr], [], [], max(0.0, end - time.monotonic()))[0]
            data = os.read(self.process.stderr.fileno(), 1 << 16) if ready else b""
            assert data, f"{words!r} was not logged in {SECONDS:.0f} s, but: {self.log}"
            self.log += data.decode("utf-8", "replace")
        return self.log

    def ask(self, method: str, path: str) -> Any:
        """What its REST interface answers."""
        about = next((self.folder / "runtime").glob("jpserver-*.json"))
        told = json.loads(about.read_text(encoding="utf-8"))
        request = urllib.request.Request(f"{told['url']}{path}", method=method)
        request.add_header("Authorization", f"token {told['token']}")
        with urllib.request.urlopen(request, timeout=SECONDS) as answer:
            return json.loads(answer.read() or b"null")


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    pytest.importorskip("jupyter_server")
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "XDG_STATE_HOME": str(tmp_path / "state"),
        "JUPYTER_RUNTIME_DIR": str(tmp_path / "runtime"),
        "JUPYTER_DEFAULT_PROVISIONER_NAME": "tfkernel",
        "TMPDIR": str(tmp_path),
    }
    options = ["--no-browser", "--port=0", "--allow-root", f"--ServerApp.root_dir={tmp_path}"]
    # The client of the next process is that of the first.
    options.append("--AsyncIOLoopKernelRestarter.random_ports_until_alive=False")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_server", *options], env=environment, cwd=tmp_path, stderr=subprocess.PIPE
    )
    server = Server(process, tmp_path)
    try:
        server.wait_for("is running at")
        yield server
    finally:
        # As Ctrl-C twice: it ends its kernels, and asks nobody.
        process.send_signal(signal.SIGTERM)
        process.wait(SECONDS)
        assert process.stderr is not None
        process.stderr.close()


def test_the_log_of_a_jupyter_server_and_its_next_kernel_say_why(server: Server) -> None:
    from jupyter_client.blocking.client import BlockingKernelClient

    kernel = server.ask("POST", "api/kernels")["id"]
    client = BlockingKernelClient(connection_file=str(server.folder / "runtime" / f"kernel-{kernel}.json"))
    client.load_connection_file()
    # Its heart is no sign of life: it stands still while a busy machine starts a process.
    client.start_channels(hb=False)
    with contextlib.ExitStack() as stack:
        stack.callback(client.context.term)
        stack.callback(client.stop_channels)
        client.wait_for_ready(timeout=SECONDS)
        client.execute_interactive("x = 1", timeout=SECONDS)
        client.execute(CRASH)
        log = server.wait_for("AsyncIOLoopKernelRestarter: restarting kernel")
        assert f"{SAID}; it ran cell 2" in log
        # The server's own format indents what follows the first line.
        lines = [line.strip() for line in log.splitlines()]
        told = lines[lines.index("--- last cell") :]
        assert told[:4] == ["--- last cell", CRASH, "--- stack", "Fatal Python error: Segmentation fault"]
        assert "--- stderr: empty" in told
        client.wait_for_ready(timeout=SECONDS)
        heard: list[str] = []
        client.execute_interactive(
            "%last_death", timeout=SECONDS, output_hook=lambda one: heard.append(one["content"].get("text", ""))
        )
        assert f"{SAID}; it ran cell 2" in "".join(heard)
    (record,) = deaths.records(deaths.folder({"XDG_STATE_HOME": str(server.folder / "state")}), 9)
    assert (record["kernel"], record["last_cell"]) == (kernel, CRASH)


@pytest.mark.parametrize("variables", [{"JUPYTER_DEFAULT_PROVISIONER_NAME": "tfkernel"}], indirect=True)
def test_spyder_says_it_on_its_stderr_and_the_next_console_shows_it(ide: Ide) -> None:
    ide.press("ctrl+shift+i")
    ide.type(CRASH)
    ide.press("Return")
    ide.wait("the message", lambda look: "The kernel died, restarting..." in look.text)
    ide.wait_for_prompt(1)
    ide.press("ctrl+shift+i", "ctrl+l")
    ide.wait("an empty console", lambda look: look.text.strip() == "In [2]:")
    ide.type("%last_death")
    ide.press("Return")
    ide.wait_for_prompt(3)
    ide.take_picture("ide-last-death")
    assert f"{SAID}; it ran cell 1" in ide.look.text
    assert "in string_at" in ide.look.text
    assert f"--- last cell\n{CRASH}\n--- stack\nFatal Python error" in (ide.folder / "output").read_text(
        encoding="utf-8"
    )
