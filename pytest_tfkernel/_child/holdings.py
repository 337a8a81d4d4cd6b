"""The folders and files that go with the supervisor, however pytest ends."""

import os

from . import removal


class Holdings:
    """Each is removed at the end: with its contents, or only if it is empty, as a cgroup is.

    While one is held, so are the descriptors whose locks say that it is in use.
    """

    def __init__(self) -> None:
        self._held: dict[str, tuple[bool, list[int]]] = {}

    def hold(self, folder: str, locks: list[int], *, contents: bool) -> None:
        """Take a folder on."""
        self.release(folder)
        for lock in locks:
            # It came over a socket, and must not go on to what we start.
            os.set_inheritable(lock, False)
        self._held[folder] = contents, locks

    def release(self, folder: str) -> None:
        """Forget a folder, if it is held."""
        _, locks = self._held.pop(folder, (False, []))
        for lock in locks:
            os.close(lock)

    def remove(self) -> None:
        """Remove all that are there still."""
        for folder, (contents, _) in self._held.items():
            if contents:
                removal.remove(folder)
                continue
            try:
                if os.path.isdir(folder):
                    os.rmdir(folder)
                else:
                    os.unlink(folder)  # a name in /dev/shm
            except OSError:
                continue  # already removed, or not ours to empty
