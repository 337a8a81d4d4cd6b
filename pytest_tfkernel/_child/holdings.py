"""The folders and files that go with the supervisor, however pytest ends."""

import fcntl
import os

from . import removal


class Holdings:
    """Each is removed at the end: with its contents, or only if it is empty, as a cgroup is.

    While one is held, so is its lock, which says that it is in use.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[bool, list[int]]] = {}

    def hold(self, folder: str, descriptors: list[int], *, contents: bool) -> bool:
        """Take a folder on; by descriptors of it its locks are taken. False, and it isn't held, if another has one."""
        self.release(folder)
        for descriptor in descriptors:
            # It came over a socket, and must not go on to what we start.
            os.set_inheritable(descriptor, False)
        if not all(map(_take, descriptors)):
            _close(descriptors)
            return False
        self._held[folder] = contents, descriptors
        return True

    def release(self, folder: str) -> None:
        """Forget a folder, if it is held."""
        _close(self._held.pop(folder, (False, []))[1])

    def remove(self) -> None:
        """Remove all that are there still."""
        for folder, (contents, locks) in self._held.items():
            if contents:
                if all(_leads_to(folder, lock) for lock in locks):
                    removal.remove(folder)
                continue
            try:
                if os.path.isdir(folder):
                    os.rmdir(folder)
                else:
                    os.unlink(folder)  # a name in /dev/shm
            except OSError:
                continue  # already removed, or not ours to empty


def _leads_to(folder: str, lock: int) -> bool:
    """Whether it is the folder of a lock still: others may have removed that, and made another one of its name."""
    try:
        there, ours = os.lstat(folder), os.fstat(lock)
    except OSError:
        return False
    return (there.st_dev, there.st_ino) == (ours.st_dev, ours.st_ino)


def _take(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return True  # there are no locks here, and so nobody asks for one
    return True


def _close(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
