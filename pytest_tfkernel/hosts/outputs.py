"""What a cell shows, in a file: a line of JSON for each message, {"kind": ..., "content": ...}, as it comes.

Such a file holds what no message of ours could: an output may have any size.
"""

from __future__ import annotations

import contextlib
import json
import os
from typing import Any

from pytest_tfkernel._child.ipython import CALL_MIME, MIME

KINDS = frozenset({"stream", "display_data", "execute_result", "error", "clear_output", "update_display_data"})


class OutputFile:
    """Of one cell. What can't be written is left out: a full disk is nothing that the kernel should die of."""

    def __init__(self, path: str) -> None:
        self._descriptor: int | None = None
        with contextlib.suppress(OSError):
            self._descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Write one down, if it is an output."""
        if kind not in KINDS or self._descriptor is None:
            return
        if "data" in content:
            # The form of a value that is for us alone.
            forms = {name: form for name, form in content["data"].items() if name not in (MIME, CALL_MIME)}
            content = {**content, "data": forms}
        data = json.dumps({"kind": kind, "content": content}, default=str).encode("ascii") + b"\n"
        with contextlib.suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]

    def close(self) -> None:
        """Free it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None
