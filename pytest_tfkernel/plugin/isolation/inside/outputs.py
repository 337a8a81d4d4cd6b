"""What plugins leave for pytest's own process when a session of tests ends, as in a worker of pytest-xdist."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator
from typing import Any

import pytest

from pytest_tfkernel._child.frames import Message
from pytest_tfkernel.plugin.isolation import codec

# Some plugins ask the environment whether they are in a worker; it must look like the name of one.
_VARIABLE, _NAME = "PYTEST_XDIST_WORKER", "gw0"


class Outputs:
    """Sends what they have put into `config.workeroutput`; of a session that fails at its end, nothing."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send

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
        self._send({"kind": "left", "output": codec.encode(session.config.workeroutput)})  # type: ignore[attr-defined]
        return result
