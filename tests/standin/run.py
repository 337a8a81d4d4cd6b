"""Run a command on a stand-in for an NVIDIA driver and its GPU: `python tests/standin/run.py COMMAND...`.

Wants a C compiler and TensorFlow's GPU build, and `unshare` and `mount` of util-linux: the "devices" are in a mount
namespace of the command. Ends with the code of the command, or with 1 when it has called what isn't stood in for.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

from driver_stub import GIB, DriverStub, build, device
from toolkit_stub import build_toolkit

_WITH_DEVICES = Path(__file__).with_name("with_devices.sh")
_DEVICES = 1


def main(command: list[str]) -> int:
    """The exit code."""
    with tempfile.TemporaryDirectory(prefix="standin-") as name:
        folder = Path(name)
        libraries = build(folder / "lib")
        build_toolkit(libraries)
        stub = DriverStub(libraries, folder)
        stub.write(device(name="NVIDIA H200", total=141 * GIB), "handles /dev")
        # Whoever isn't root becomes it in a namespace of users, where mounting is allowed.
        room = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
        done = subprocess.run(
            [*room, "sh", str(_WITH_DEVICES), str(_DEVICES), *command], env=os.environ | stub.environment, check=False
        )
        unknown = folder / "unknown"
        if unknown.exists():
            called = ", ".join(sorted(set(unknown.read_text(encoding="utf-8").splitlines())))
            print(f"The stand-in was asked for what it hasn't: {called}", file=sys.stderr)
            return done.returncode or 1
        return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
