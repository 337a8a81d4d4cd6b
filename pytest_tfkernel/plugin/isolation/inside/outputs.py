"""What plugins leave for pytest's own process when a process of tests ends, as in a worker of pytest-xdist.

They put it into `config.workeroutput`. It is kept in a file, which is empty from the first test on until the end: what
isn't complete is seen.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Generator
from typing import Any

import pytest

from pytest_tfkernel.plugin.isolation import codec

# As it is before a test replaces it.
_as_json = json.JSONEncoder().encode

# Some plugins ask the environment whether they are in a worker; it must look like the name of one.
_VARIABLE, _NAME = "PYTEST_XDIST_WORKER", "gw0"


class Outputs:
    """Keeps what this process leaves in a file of the folder."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._path: str | None = None
        self._pid = 0

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self) -> Generator[None, Any, Any]:
        """From now on there is something to wait for."""
        if self._path is None:
            self._pid = os.getpid()
            self._path = os.path.join(self._folder, f"{time.time_ns():020d}-{self._pid}")  # noqa: PTH118 - as below
            _write(self._path, "")
        return (yield)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> Generator[None, Any, Any]:
        """Let plugins end as in a worker: tests have not seen that this is one."""
        earlier = os.environ.get(_VARIABLE)
        os.environ[_VARIABLE] = earlier or _NAME
        try:
            result = yield
        finally:
            if earlier is None:
                os.environ.pop(_VARIABLE, None)
        if self._path is not None and self._pid == os.getpid():
            output = session.config.workeroutput  # type: ignore[attr-defined]
            _write(self._path, _as_json(codec.encode(output)))
        return result


def _write(path: str, text: str) -> None:
    # pathlib may be a fake. Without it, what plugins sum up is not complete, and they aren't told.
    try:
        with open(path, "w", encoding="utf-8", errors="surrogatepass") as file:  # noqa: PTH123
            file.write(text)
    except OSError:
        return
