"""Functions sent to a kernel by cloudpickle."""

import base64
import importlib.util
import os
import sys
from types import ModuleType
from typing import Any, Dict

from . import library
from .frames import MAX_FRAME, Message


def run(request: Message) -> Dict[str, Any]:
    """Call the function in a request of kind `call`; the result is pickled."""
    cloudpickle = _cloudpickle(request["cloudpickle"])
    function, arguments, keywords = cloudpickle.loads(base64.b64decode(request["payload"]))
    result = function(*arguments, **keywords)
    pickled = base64.b64encode(cloudpickle.dumps(result)).decode("ascii")
    if len(pickled) > MAX_FRAME // 2:
        raise ValueError("its result is %d bytes: return less, or the name of a file that holds it" % len(pickled))
    return {"pickled": pickled}


def _cloudpickle(folder: str) -> ModuleType:
    """The cloudpickle in `folder`, which is pytest's, unless the kernel has imported its own.

    Pickles name functions of cloudpickle that older ones lack, and it has to be importable here.
    """
    imported = sys.modules.get("cloudpickle")
    if imported is not None:
        return imported
    spec = importlib.util.spec_from_file_location(
        "cloudpickle", os.path.join(folder, "__init__.py"), submodule_search_locations=[folder]
    )
    if spec is None or spec.loader is None:
        raise ImportError("no cloudpickle in %s" % folder)
    cloudpickle = importlib.util.module_from_spec(spec)
    sys.modules["cloudpickle"] = cloudpickle
    # A `pickle.py` of the folder of a test is not what it asks for.
    with library.first():
        spec.loader.exec_module(cloudpickle)
    return cloudpickle
