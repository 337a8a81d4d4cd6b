"""How a folder of ours is removed: whatever is in it, and nothing beyond it.

Not by shutil.rmtree, which before Python 3.13 goes as deep as Python's own stack, leaves folders that may not be
written to, and empties what is mounted in it.
"""

import os
import stat

from . import system

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
# What may not be read can be had like this.
_PLACE = os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW
# The folder for temporary files may be a link.
_ABOVE = os.O_PATH | os.O_DIRECTORY
_PRIVATE = 0o700


def remove(path: str) -> bool:
    """Remove a folder and all that is in it; whether it is gone.

    A symbolic link is none, and stays; so does a folder of somebody else, who has taken the name of ours, and what is
    mounted on it or in it, as it is, and the folder then.
    """
    try:
        root = _open(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    try:
        _Emptying(root).run()
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    finally:
        os.close(root)
    return True


def _open(path: str) -> int:
    """A folder of ours. Raises OSError for what is none, and for what is mounted there."""
    place = os.open(path, _PLACE)
    try:
        if os.fstat(place).st_uid != os.geteuid():
            raise PermissionError("%s belongs to somebody else" % path)
        parent = os.open(os.path.dirname(path) or ".", _ABOVE)
        try:
            _check_mount(place, _mount_of(parent))
        finally:
            os.close(parent)
        _open_up(place)
        return os.open("/proc/self/fd/%d" % place, os.O_RDONLY | os.O_DIRECTORY)
    finally:
        os.close(place)


def _mount_of(place: int) -> bytes:
    """Which mount a descriptor leads to: a bind mount has the device of what it shows."""
    for line in system.read("/proc/self/fdinfo/%d" % place).splitlines():
        if line.startswith(b"mnt_id:"):
            return line.split()[1]
    raise OSError("this Linux kernel doesn't say where anything is mounted")


def _check_mount(place: int, mount: bytes) -> None:
    """Raise OSError where a descriptor leads to another mount."""
    if _mount_of(place) != mount:
        raise OSError("something is mounted there")


def _open_up(place: int) -> None:
    """Have a folder read, searched and written to; by its descriptor, since a name may be a link by now."""
    if os.fstat(place).st_mode & _PRIVATE != _PRIVATE:
        os.chmod("/proc/self/fd/%d" % place, _PRIVATE)


class _Emptying:
    """Folders are moved up until each is directly in the root: no depth is too much for that, and no path too long."""

    def __init__(self, root: int) -> None:
        self._root = root
        self._mount = _mount_of(root)
        self._stuck: set[str] = set()

    def run(self) -> None:
        """Until there is nothing more that can be removed."""
        while True:
            names = set(os.listdir(self._root)) - self._stuck
            if not names:
                return
            for name in names:
                try:
                    if self._is_folder(name, self._root):
                        self._remove(self._lift(name, self._root))
                    else:
                        os.unlink(name, dir_fd=self._root)
                except FileNotFoundError:
                    continue
                except OSError:
                    self._stuck.add(name)

    def _remove(self, name: str) -> None:
        """Remove a folder of the root, whose own folders move to the root."""
        try:
            folder = os.open(name, _FOLDER, dir_fd=self._root)
            try:
                for inner in os.listdir(folder):
                    self._clear(inner, folder)
            finally:
                os.close(folder)
            os.rmdir(name, dir_fd=self._root)
        except OSError:
            self._stuck.add(name)

    def _clear(self, inner: str, folder: int) -> None:
        try:
            if self._is_folder(inner, folder):
                self._lift(inner, folder)
            else:
                os.unlink(inner, dir_fd=folder)
        except OSError:
            return  # what holds it can't be removed then, and is told

    def _lift(self, name: str, parent: int) -> str:
        """Move a folder to the root; its name there. Raises OSError for a mount point, which can't be moved."""
        lifted = os.urandom(16).hex()
        os.rename(name, lifted, src_dir_fd=parent, dst_dir_fd=self._root)
        return lifted

    def _is_folder(self, name: str, parent: int) -> bool:
        """Whether it is one, which then can be read, emptied and moved."""
        found = os.lstat(name, dir_fd=parent)
        if not stat.S_ISDIR(found.st_mode):
            return False
        if found.st_mode & _PRIVATE != _PRIVATE:
            place = os.open(name, _PLACE, dir_fd=parent)
            try:
                # It will not be moved, and has the mode that somebody else gave it.
                _check_mount(place, self._mount)
                _open_up(place)
            finally:
                os.close(place)
        return True
