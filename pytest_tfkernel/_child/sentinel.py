"""A process that holds a CUDA context and memory on request: what a look at the GPU must be able to see.

Started as `python -u FOLDER sentinel` with its channel at descriptor 3. Each request has an `id`, and so has
its answer:

    {"op": "devices"}                      {"kind": "devices", "devices": [{"uuid", "name"}, ...]}
    {"op": "hold", "ordinal", "bytes"}     {"kind": "holding", "free", "total"}

or {"kind": "failed", "error": "..."}. Devices are those that CUDA_VISIBLE_DEVICES lets it see.
"""

import os
from typing import Any, Dict, List

from . import cuda, frames

CHANNEL = 3


def main(_: List[str]) -> None:
    """Answer requests until the channel closes."""
    os.set_inheritable(CHANNEL, False)
    port = frames.Port(CHANNEL)
    sentinel = Sentinel()
    while True:
        try:
            request = port.receive()
        except (EOFError, OSError):
            return
        try:
            answer = sentinel.answer(request)
        except Exception as error:
            answer = {"kind": "failed", "error": "%s: %s" % (type(error).__name__, error)}
        port.send(dict(answer, id=request["id"]))


class Sentinel:
    """What it holds so far."""

    def __init__(self) -> None:
        self._driver: Any = None

    def answer(self, request: Dict[str, Any]) -> Dict[str, Any]:
        """See above. Raises what the driver raises."""
        if self._driver is None:
            try:
                self._driver = cuda.Driver()
            except cuda.CudaError as error:
                # CUDA_VISIBLE_DEVICES may hide all of them.
                if error.code != cuda.NO_DEVICE or request["op"] != "devices":
                    raise
                return {"kind": "devices", "devices": []}
        if request["op"] == "devices":
            return {"kind": "devices", "devices": self._driver.devices()}
        context = cuda.Context(self._driver, request["ordinal"])
        context.allocate(request["bytes"])
        return dict(context.memory(), kind="holding")
