"""The folder of a session: in use as long as its lock is held, and nobody else's."""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from accounts import NOBODY
from pytest_tfkernel.kernels.kernel import Kernel
from pytest_tfkernel.kernels.launcher import Launcher
from pytest_tfkernel.model.kernels import KernelSpec
from pytest_tfkernel.model.provisioners import ForkServer
from pytest_tfkernel.processes import scratch
from pytest_tfkernel.processes.scratch import Scratch

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def base() -> Iterator[Path]:
    """A TMPDIR. Not pytest's folder, which may be too long for the sockets that people make in ours."""
    with tempfile.TemporaryDirectory(prefix="b-") as name:
        yield Path(name)


class Holder:
    """Stands for a supervisor: holds the locks of folders until it is closed."""

    def __init__(self) -> None:
        self.locks: list[int] = []

    def __call__(self, _: Path, descriptor: int) -> bool:
        # Another description of the same folder, as that of another process is.
        self.locks.append(os.open(".", os.O_RDONLY, dir_fd=descriptor))
        try:
            fcntl.flock(self.locks[-1], fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def close(self) -> None:
        while self.locks:
            os.close(self.locks.pop())


@pytest.fixture
def holder() -> Iterator[Holder]:
    holder = Holder()
    yield holder
    holder.close()


@pytest.fixture
def make(base: Path, holder: Holder) -> Iterator[Callable[[], Scratch]]:
    """Make one in the base; it is in use until the holder is closed."""
    made: list[Scratch] = []

    def make() -> Scratch:
        made.append(scratch.make(holder, base))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def made(make: Callable[[], Scratch]) -> Scratch:
    return make()


def leave(base: Path, *, closed: bool = True) -> Scratch:
    """One that nobody uses any more."""
    holder = Holder()
    left = scratch.make(holder, base)
    holder.close()
    if closed:
        left.close()
    return left


def age(path: Path) -> None:
    """As if it had been made long ago."""
    os.utime(path, (0, 0))


def test_it_is_for_us_alone(made: Scratch) -> None:
    assert stat.S_IMODE(made.path.stat().st_mode) == 0o700
    assert stat.S_IMODE(made.make("1").stat().st_mode) == 0o700


def test_what_is_in_use_stays_however_old(made: Scratch, base: Path) -> None:
    age(made.path)
    scratch.sweep(base)
    assert made.is_there()


@pytest.mark.parametrize("is_reused", [False, True])
def test_a_descriptor_that_somebody_has_closed_is_left_alone(base: Path, tmp_path: Path, *, is_reused: bool) -> None:
    made = leave(base, closed=False)
    number = made.descriptor.number
    os.close(number)
    theirs = os.open(tmp_path, os.O_RDONLY)
    if is_reused and theirs != number:
        os.dup2(theirs, number)
    elif not is_reused and theirs == number:
        theirs = os.dup(theirs)
        os.close(number)
    assert not made.is_there()
    made.close()
    if is_reused:
        os.fstat(number)
        os.close(number)
    if theirs != number:
        os.close(theirs)


def test_kernels_go_on_when_a_test_has_closed_the_descriptor(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(base))
    with Launcher() as launcher:
        first = launcher.temporary
        for place in Path("/proc/self/fd").iterdir():
            # One that another thread has open may be closed in between.
            with contextlib.suppress(FileNotFoundError):
                if place.samefile(first):
                    os.close(int(place.name))
        assert launcher.start(KernelSpec(provisioner="subprocess")).execute("1 + 1").value == 2
        assert launcher.temporary != first
    assert list(base.iterdir()) == []


def test_what_nobody_uses_is_removed(made: Scratch, base: Path) -> None:
    (made.path / "inner").mkdir()
    leave(base)
    scratch.sweep(base)
    assert [*base.iterdir()] == [made.path]


def test_a_session_that_begins_removes_it(base: Path, make: Callable[[], Scratch]) -> None:
    leave(base)
    made = make()
    assert [*base.iterdir()] == [made.path]


# Everybody in it has other pids than outside, and doesn't see those there.
ELSEWHERE = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"]


def test_a_session_in_another_container_is_one(made: Scratch, base: Path) -> None:
    if subprocess.run([*ELSEWHERE, "true"], check=False, capture_output=True).returncode:
        pytest.skip("no pid namespace can be made here")
    age(made.path)
    code = (
        f"from pathlib import Path; from pytest_tfkernel.processes import scratch; scratch.sweep(Path({str(base)!r}))"
    )
    environment = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
    subprocess.run([*ELSEWHERE, sys.executable, "-c", code], check=True, env=environment)
    assert made.is_there()


@pytest.mark.parametrize("kind", ["nfs4", "fuse.sshfs", ""])
def test_where_locks_say_nothing_everything_stays(base: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    other = leave(base)
    monkeypatch.setattr(scratch, "_type_of", lambda _: kind)
    scratch.sweep(base)
    scratch.remove_of(os.getpid(), base)
    assert other.path.is_dir()


def test_the_file_system_of_a_folder_is_told() -> None:
    assert scratch._type_of(Path("/dev/shm")) == "tmpfs"
    assert scratch._type_of(Path("/proc/self")) == "proc"


def test_where_there_are_no_locks_nothing_is_removed(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(95, "Operation not supported")

    other = leave(base)
    monkeypatch.setattr(fcntl, "flock", refuse)
    scratch.sweep(base)
    assert other.path.is_dir()


def test_folders_and_files_of_other_names_and_users_stay(base: Path) -> None:
    kept = [base / name for name in ("tfk-1-0123456", "tfk-x-01234567", "tfk-1-01234567-more", "tfk-2-01234567")]
    for path in kept[:3]:
        path.mkdir()
    kept[3].symlink_to(base / "elsewhere")
    if os.geteuid() == 0:
        theirs = base / "tfk-3-01234567"
        theirs.mkdir()
        os.chown(theirs, NOBODY, NOBODY)
        kept.append(theirs)
    scratch.sweep(base)
    assert sorted(base.iterdir()) == sorted(kept)


def test_a_name_that_another_session_finds_before_it_is_locked_is_given_up(base: Path, holder: Holder) -> None:
    found: list[Path] = []

    def hold(path: Path, descriptor: int) -> bool:
        if not found:
            found.append(path)
            assert holder(path, descriptor)
        return holder(path, descriptor)

    made = scratch.make(hold, base)
    assert made.is_there()
    assert made.path not in found
    made.close()


def test_a_name_that_another_session_has_removed_is_given_up(base: Path) -> None:
    found: list[Path] = []

    def hold(path: Path, _: int) -> bool:
        if not found:
            found.append(path)
            path.rmdir()
        return True

    made = scratch.make(hold, base)
    assert made.is_there()
    assert made.path not in found
    made.close()


@pytest.mark.parametrize("before", ["open", "reopen"])
def test_a_name_that_goes_before_it_is_open_is_given_up(
    base: Path, monkeypatch: pytest.MonkeyPatch, before: str
) -> None:
    real = getattr(Scratch, before)
    names = iter(["first"])

    def late(one: Path | Scratch) -> Scratch | int:
        path = one if isinstance(one, Path) else one.path
        if next(names, None):
            path.rmdir()
        found: Scratch | int = real(one)
        return found

    monkeypatch.setattr(Scratch, before, staticmethod(late) if before == "open" else late)
    made = scratch.make(lambda *_: True, base)
    made.close()
    assert list(base.iterdir()) == [made.path]


def test_nothing_is_left_where_nobody_holds_it(base: Path) -> None:
    def hold(*_: object) -> bool:
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError):
        scratch.make(hold, base)
    assert [*base.iterdir()] == []


@pytest.fixture
def own(base: Path, monkeypatch: pytest.MonkeyPatch, forked_hosts: None) -> Iterator[Launcher]:
    monkeypatch.setenv("TMPDIR", str(base))
    monkeypatch.setattr("tempfile.tempdir", None)
    with Launcher() as launcher:
        yield launcher


PROVISIONERS = ["forkserver", "subprocess", "multiprocess-forkserver", "jupyter"]


def spec(provisioner: str) -> KernelSpec:
    return KernelSpec(provisioner=ForkServer(preload=()) if provisioner == "forkserver" else provisioner)


@pytest.mark.parametrize("provisioner", PROVISIONERS)
def test_a_folder_that_was_removed_is_made_anew_and_private(own: Launcher, provisioner: str) -> None:
    own.start(spec(provisioner)).shutdown()
    gone = own.temporary
    shutil.rmtree(gone)
    kernel = own.start(spec(provisioner))
    folder = Path(kernel.execute("import tempfile; tempfile.mkdtemp()").value).parent
    assert own.temporary != gone
    assert folder.is_relative_to(own.temporary)
    for place in (own.temporary, kernel.life.temporary):
        assert stat.S_IMODE(place.stat().st_mode) == 0o700


@pytest.mark.parametrize("provisioner", PROVISIONERS)
def test_what_somebody_else_has_put_in_its_place_is_not_used(own: Launcher, provisioner: str) -> None:
    place = own.temporary
    shutil.rmtree(place)
    place.mkdir(mode=0o777)
    place.chmod(0o777)
    (place / "theirs").write_text("kept")
    if os.geteuid() == 0:
        os.chown(place, NOBODY, NOBODY)
    kernel = own.start(spec(provisioner))
    assert own.temporary != place
    kernel.execute("import tempfile; tempfile.mkdtemp()")
    kernel.restart()
    own.close()
    assert [path.name for path in place.iterdir()] == ["theirs"]


def test_it_is_held_by_the_supervisor(own: Launcher) -> None:
    scratch.sweep(own.temporary.parent)
    assert own._scratch.is_there()
    assert not scratch._take(own._scratch)
    own.supervisor.release(own.temporary)
    assert scratch._take(own._scratch)


def test_no_kernel_inherits_the_lock(start: Callable[..., Kernel], launcher: Launcher) -> None:
    for provisioner in ("subprocess", "forkserver"):
        kernel = start(provisioner=provisioner)
        links = "import os; [os.readlink(f'/proc/self/fd/{name}') for name in os.listdir('/proc/self/fd')[:-1]]"
        assert str(launcher.temporary) not in kernel.execute(links).value


DEEP = """
import os, tempfile
inner = os.open(tempfile.gettempdir(), os.O_RDONLY)
for _ in range(1500):
    os.mkdir("deeper", dir_fd=inner)
    inner, outer = os.open("deeper", os.O_RDONLY, dir_fd=inner), inner
    os.close(outer)
os.close(inner)
"""


@pytest.mark.parametrize("provisioner", ["forkserver", "jupyter"])
def test_deep_folders_of_a_kernel_go_with_it(own: Launcher, provisioner: str) -> None:
    kernel = own.start(spec(provisioner))
    kernel.execute(DEEP)
    folder = kernel.life.temporary
    kernel.restart()
    assert not folder.exists()
    assert kernel.execute("'back'").value == "back"


def test_deep_folders_of_a_killed_session_go_with_the_next(base: Path, make: Callable[[], Scratch]) -> None:
    holder = Holder()
    killed = scratch.make(holder, base)
    subprocess.run([sys.executable, "-c", DEEP], env={**os.environ, "TMPDIR": str(killed.path)}, check=True)
    killed.close()
    holder.close()
    made = make()
    assert [*base.iterdir()] == [made.path]
