"""`python tests/cgroup2/boot.py VMLINUZ [PYTEST_ARGUMENT ...]`: run guest.py on a Linux of its own with cgroup v2.

Few machines have both versions of cgroups, and none lets a test change who may do what in them. So
QEMU boots VMLINUZ, a Linux kernel for this architecture such as a distribution's /boot/vmlinuz-*,
with a file system in memory that is made of the running interpreter, what guest.py needs, and
nothing else. There init.py runs guest.py in one place of the cgroup tree after another, with the
PYTEST_ARGUMENTs. What it prints is printed here; the exit code is 0 when all tests passed.

Needs `qemu-system-*` and up to 2 GiB of memory, and no rights of any kind: QEMU emulates the
processor, which takes some minutes (`--accel kvm` is faster, where it is allowed).
`tox -e cgroup2 -- VMLINUZ` does the same.
"""

from __future__ import annotations

import argparse
import contextlib
import gzip
import importlib.metadata
import importlib.util
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

HERE = Path(__file__).parent
# What guest.py imports, with what that imports; the second kind isn't there for every version of Python.
_PACKAGES = (
    "pytest_tfkernel", "cloudpickle", "psutil",
    "pytest", "_pytest", "iniconfig", "packaging", "pluggy", "pygments",
)  # fmt: skip
_BACKPORTS = ("py", "exceptiongroup", "tomli", "typing_extensions")
# The remedy that a message names is typed into a shell.
_COMMANDS = ("sh", "echo", "mkdir", "xargs", "sleep")
_NOT_NEEDED = {"site-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"}
# It ends the output of init.py.
_RESULT = re.compile(r"^guest: exit code (\d+)\r?$", re.MULTILINE)
_CONSOLES = {"x86_64": "ttyS0", "aarch64": "ttyAMA0"}


class Archive:
    """A file system for the Linux kernel's initramfs: cpio, format `newc` (its buffer-format.rst)."""

    def __init__(self) -> None:
        self._entries: dict[str, tuple[int, int, bytes]] = {}

    def folder(self, path: Path, mode: int = 0o755) -> None:
        """Add a folder, and those above it."""
        for above in reversed(path.parents):
            self._entries.setdefault(str(above), (stat.S_IFDIR | 0o755, 0, b""))
        self._entries.setdefault(str(path), (stat.S_IFDIR | mode, 0, b""))

    def data(self, path: Path, data: bytes, mode: int = 0o755, mtime: float = 0) -> None:
        """Add a file; everyone may read and run it."""
        self.folder(path.parent)
        # Byte code is compared with the times of its source.
        self._entries[str(path)] = (stat.S_IFREG | mode, int(mtime), data)

    def file(self, path: Path, at: Path | None = None) -> None:
        """Add a file of this machine's; links are followed."""
        self.data(at or path, path.read_bytes(), mtime=path.stat().st_mtime)

    def program(self, path: Path, at: Path | None = None) -> None:
        """Add a program or a shared library, and all libraries that it needs."""
        self.file(path, at)
        libraries = subprocess.run(["ldd", path], capture_output=True, text=True, check=False).stdout
        for library in re.findall(r"(/\S+) \(0x", libraries):
            if library not in self._entries:
                self.file(Path(library))

    def tree(self, folder: Path, at: Path) -> None:
        """Add a folder of Python modules."""
        for path in sorted(folder.rglob("*")):
            inner = path.relative_to(folder)
            if not _NOT_NEEDED.isdisjoint(inner.parts) or not path.is_file():
                continue
            if ".so" in path.suffixes:
                self.program(path, at / inner)
            elif path.suffix in {".py", ".pyc"}:
                self.file(path, at / inner)

    def encode(self) -> Iterator[bytes]:
        """The archive, in pieces."""
        entries = [*self._entries.items(), ("/TRAILER!!!", (0, 0, b""))]
        for number, (path, (mode, mtime, data)) in enumerate(entries, 1):
            name = os.fsencode(path.removeprefix("/") or ".") + b"\0"
            fields = (number, mode, 0, 0, 1, mtime, len(data), 0, 0, 0, 0, len(name), 0)
            header = b"070701" + b"".join(b"%08x" % field for field in fields) + name
            yield header + bytes(-len(header) % 4) + data + bytes(-len(data) % 4)


def build(archive: Path, places: Sequence[str], arguments: Sequence[str]) -> None:
    """Write the file system of a guest that runs guest.py in these places, or in all."""
    files = Archive()
    python = Path(sys.executable).resolve()
    files.program(python)
    standard = Path(sysconfig.get_path("stdlib")).resolve()
    files.tree(standard, standard)
    for name in _PACKAGES + _BACKPORTS:
        spec = importlib.util.find_spec(name)
        if spec is None and name in _PACKAGES:
            raise SystemExit(f"boot.py: there is no `{name}` here: run it in an environment with this project")
        if spec is not None and spec.submodule_search_locations:
            files.tree(Path(spec.submodule_search_locations[0]), Path("/packages", name))
        elif spec is not None and spec.origin:
            files.file(Path(spec.origin), Path("/packages", Path(spec.origin).name))
        with contextlib.suppress(importlib.metadata.PackageNotFoundError):
            # Some ask for their own version.
            about = importlib.metadata.distribution(name).read_text("METADATA") or ""
            files.data(Path("/packages", f"{name}.dist-info", "METADATA"), about.encode())
    for command in _COMMANDS:
        found = shutil.which(command)
        if found is None:
            raise SystemExit(f"boot.py: there is no `{command}` on PATH")
        files.program(Path(found).resolve(), Path("/bin", command))
    cache = Path("/etc/ld.so.cache")
    if cache.exists():
        files.file(cache)
    for mount in ("/proc", "/sys", "/dev"):
        files.folder(Path(mount))
    files.folder(Path("/tmp"), 0o1777)
    files.file(HERE / "guest.py", Path("/guest/guest.py"))
    files.data(Path("/guest/request.json"), json.dumps([list(places), list(arguments)]).encode())
    files.data(Path("/init"), f"#!{python} -u\n".encode() + (HERE / "init.py").read_bytes())
    with gzip.open(archive, "wb", compresslevel=1) as file:
        file.writelines(files.encode())


def boot(linux: Path, archive: Path, accelerator: str, seconds: float) -> int:
    """Run the guest to its end, printing what it prints; its exit code."""
    machine = platform.machine()
    qemu = [
        f"qemu-system-{machine}",
        *(["-machine", "virt"] if machine == "aarch64" else []),
        *("-accel", accelerator, "-cpu", "max", "-smp", "1", "-m", "2G", "-nodefaults", "-no-reboot"),
        *("-display", "none", "-serial", "stdio", "-kernel", str(linux), "-initrd", str(archive)),
        *("-append", f"console={_CONSOLES.get(machine, 'ttyS0')} panic=-1 loglevel=3 cgroup_no_v1=all"),
    ]
    seen = ""
    with subprocess.Popen(qemu, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        watchdog = subprocess.Popen(
            [sys.executable, "-c", f"import os, time; time.sleep({seconds}); os.kill({process.pid}, 9)"]
        )
        try:
            for line in process.stdout:
                text = line.decode("utf-8", "replace").rstrip("\r\n")
                print(text, flush=True)
                seen = f"{seen[-1000:]}\n{text}"
        finally:
            watchdog.kill()
            watchdog.wait()
            process.kill()
    result = _RESULT.search(seen)
    if result is None:
        print(f"boot.py: the guest did not come to its end within {seconds:g} s, or not at all", file=sys.stderr)
        return 2
    return int(result[1])


def main() -> int:
    """Build and boot; the exit code."""
    parser = argparse.ArgumentParser(description="Run guest.py on a Linux with cgroup v2.")
    parser.add_argument("linux", metavar="VMLINUZ", type=Path, help="a Linux kernel for this architecture")
    parser.add_argument("arguments", metavar="PYTEST_ARGUMENT", nargs="*", help="for instance `-k limit`")
    parser.add_argument("--place", action="append", default=[], help="one of init.py's, or several (default: all)")
    parser.add_argument("--accel", default="tcg", help="QEMU's accelerator, for instance kvm (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=1800, help="how long it may take (default: %(default)g)")
    options, unknown = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder, "initramfs.gz")
        build(archive, options.place, [*options.arguments, *unknown])
        return boot(options.linux, archive, options.accel, options.seconds)


if __name__ == "__main__":
    sys.exit(main())
