"""A person runs a file in Spyder, its kernel is killed, Spyder says so and restarts it, the person runs the file again.

Everything is the real thing: the command `spyder` in a process of its own on an X server of its own
(Xvfb), keys that go through that X server (xdotool), a kernel that Spyder starts, SIGKILL. Only the eyes
are ours. The text of a console can be read from outside by copying it, which moves the focus and the
selection, or over the accessibility bus, which needs a session bus; so a small plugin (`eye.py`,
which Spyder finds by an entry point as it finds any other) tells what has been painted and when, and
takes the pictures. It changes nothing and presses nothing. Its word is an event: nothing here sleeps.

The panes that are web pages are switched off (`--no-web-widgets`): they are a browser, which root may not run.
"""

from __future__ import annotations

import os
import re
import signal
import time
from typing import TYPE_CHECKING

import pytest

from pytest_tfkernel._child import proc

if TYPE_CHECKING:
    from tests.ide.conftest import Ide, Look

pytestmark = pytest.mark.ide

MESSAGE = "The kernel died, restarting..."
# What the file prints: process, operations that were there, first value, second value.
RUN = re.compile(r"^process: (\d+)\n.*: (\d+)\nmy_variable: (\S+)\nmy_variable: (\S+)$", re.MULTILINE)


def _kernels(ide: Ide) -> set[int]:
    # There is a spare one, too: Spyder starts the kernel of the next console before it is asked for.
    below = {one["pid"] for one in proc.descendants(ide.warden.pid)}
    return {pid for pid in below if " -m spyder_kernels.console " in proc.command_line(pid)}


def _runs(look: Look) -> list[tuple[int, int, float, float]]:
    return [(int(pid), int(count), float(one), float(two)) for pid, count, one, two in RUN.findall(look.text)]


def _ask(ide: Ide, number: int) -> str:
    """What the console answers to `my_variable`, typed at prompt `number`."""
    ide.press("ctrl+shift+i")
    ide.type("my_variable")
    ide.press("Return")
    return ide.wait_for_prompt(number + 1).text.split(f"\nIn [{number}]: my_variable\n")[-1]


def test_killed_kernel_is_restarted_by_spyder_and_the_variable_starts_anew(ide: Ide) -> None:
    # Shows the values in its pane of variables.
    ide.press("ctrl+shift+v", "F5")
    ((pid, *seen),) = _runs(ide.wait_for_prompt(2))
    assert seen == [0, 1.0, 2.0]

    # Makes room: Spyder doesn't scroll to its message, and what is out of view isn't seen.
    ide.press("ctrl+shift+i", "ctrl+l")
    ide.wait("an empty console", lambda look: look.text.strip() == "In [3]:")

    # As long as the process lives, so does its graph: a second run adds to it.
    ide.press("F5")
    ((same, operations, *seen),) = _runs(ide.wait_for_prompt(4))
    assert same == pid
    assert operations > 0
    assert seen == [1.0, 2.0]
    assert "<tf.Variable 'my_variable_1:0'" in _ask(ide, 4)
    ide.take_picture("ide-before")

    kernels = _kernels(ide)
    assert pid in kernels
    pidfd = os.pidfd_open(pid)
    killed = time.monotonic()
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
    said = ide.wait("the message", lambda look: MESSAGE in look.seen)
    ide.take_picture("ide-at-death")
    restarted = ide.wait_for_prompt(1)
    assert "NameError: name 'my_variable' is not defined" in _ask(ide, 1)

    ide.press("F5")
    again = ide.wait_for_prompt(3)
    ide.take_picture("ide-after")
    _, (new, *seen) = _runs(again)
    assert seen == [0, 1.0, 2.0]
    assert new not in kernels
    assert new in _kernels(ide)
    assert pid not in _kernels(ide)
    ide.figures |= {
        "SIGKILL to the message": said.at - killed,
        "SIGKILL to the next prompt": restarted.at - killed,
        "SIGKILL to 2.0 again": again.at - killed,
    }
