"""Stands in for `_child/__main__.py` where coverage is measured: starts that, and goes on as the real one.

A process under `python -I -S` has no site, and so none of coverage's own start. Its folder is called like the real one,
since processes of ours are known by it.
"""

import atexit
import os
import sys

_FOLDER, _PACKAGES = sys.path.pop(0), os.environ["TFKERNEL_TEST_COVERAGE"]

sys.path.append(_PACKAGES)
import coverage  # noqa: E402 - only now it can be found

_child = os.path.join(os.path.dirname(_FOLDER).partition("/tests/support/")[0], "pytest_tfkernel", "_child")
# No patches: what is forked here becomes something else, or is a kernel, and kernels have nothing of ours.
_measured = coverage.Coverage(
    data_suffix=True, branch=True, source_dirs=[os.path.dirname(_child)], config_file=False, messages=False
)
_measured.start()
atexit.register(lambda: (_measured.stop(), _measured.save()))
sys.path.remove(_PACKAGES)
sys.path.insert(0, _child)
with open(os.path.join(_child, "__main__.py"), "rb") as _file:
    exec(compile(_file.read(), _file.name, "exec"))
