"""`python describe.py`: write one line of JSON that says what this interpreter is to descriptor 3.

Whatever begins and ends with the interpreter (a `sitecustomize`, a `.pth`, a wrapper) may print what it likes.
Parses on Python 2.7 too, so that an interpreter which is too old can say so itself. Keys: `executable`, `version`
(three numbers), `tensorflow` (a version, "unknown", or null), `packages` (versions of those that hosts need, and of
those that decide what a TensorFlow does, by the name of their module), `cuda` (the version of CUDA for which
TensorFlow was built, or null).
"""

import os
import sys

# Where an import would look, but for this folder.
_FOLDER = os.path.dirname(os.path.abspath(__file__))
_SEARCHED = [folder for folder in sys.path if folder != _FOLDER]
# And where we do: what PYTHONPATH names is looked at, and none of it is run.
_LIBRARY = os.path.dirname(os.path.abspath(os.__file__))
sys.path[:] = sorted(_SEARCHED, key=lambda folder: not folder.startswith(_LIBRARY))

import json  # noqa: E402 - see above
import re  # noqa: E402 - see above

ANSWER = 3

# Distributions whose import name is `tensorflow`; the version is read, not imported (that takes seconds).
_DISTRIBUTIONS = (
    "tensorflow",
    "tensorflow_cpu",
    "tensorflow_gpu",
    "tensorflow_cpu_aws",
    "tensorflow_rocm",
    "intel_tensorflow",
    "tf_nightly",
    "tf_nightly_cpu",
)


# Those in which, or with which, others run kernels, and what TensorFlow works with; each is a distribution of its own.
_PACKAGES = ("ipykernel", "spyder_kernels", "multiprocess", "numpy", "keras")

_CUDA = re.compile(r"cuda_version(?:_number)?[\"']?\s*[:=,]\s*[\"']([0-9][0-9.]*)")


def version_of(module, distributions):
    """The version of the module that an import would find, or None."""
    for folder in _SEARCHED:
        if not os.path.isfile(os.path.join(folder, module, "__init__.py")):
            continue
        for entry in sorted(os.listdir(folder)):
            name, dash, rest = entry.partition("-")
            if dash and name.lower() in distributions and rest.endswith(".dist-info"):
                return rest[: -len(".dist-info")]
        return "unknown"
    return None


def cuda_version():
    """The CUDA for which the TensorFlow that an import would find was built, or None."""
    for folder in _SEARCHED:
        for module in ("tensorflow", "tensorflow_core"):
            path = os.path.join(folder, module, "python", "platform", "build_info.py")
            if os.path.isfile(path):
                with open(path) as file:
                    found = _CUDA.search(file.read())
                return found.group(1) if found else None
    return None


if __name__ == "__main__":
    found = [(module, version_of(module, (module,))) for module in _PACKAGES]
    packages = {module: version for module, version in found if version is not None}
    facts = {
        "executable": sys.executable,
        "version": list(sys.version_info[:3]),
        "tensorflow": version_of("tensorflow", _DISTRIBUTIONS),
        "packages": packages,
        "cuda": cuda_version(),
    }
    os.write(ANSWER, (json.dumps(facts) + "\n").encode("ascii"))
