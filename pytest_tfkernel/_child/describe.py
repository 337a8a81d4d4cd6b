"""`python describe.py`: print one line of JSON that says what this interpreter is.

Parses on Python 2.7 too, so that an interpreter which is too old can say so itself.
Keys: `executable`, `version` (three numbers), `tensorflow` (a version, "unknown", or null), `packages` (versions
of those that hosts need, by the name of their module).
"""

import json
import os
import sys

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


# Those in which, or with which, others run kernels; each is a distribution of its own.
_HOSTS = ("ipykernel", "spyder_kernels", "multiprocess")


def version_of(module, distributions):
    """The version of the module that an import would find, or None."""
    for folder in sys.path:
        if not os.path.isfile(os.path.join(folder, module, "__init__.py")):
            continue
        for entry in sorted(os.listdir(folder)):
            name, dash, rest = entry.partition("-")
            if dash and name.lower() in distributions and rest.endswith(".dist-info"):
                return rest[: -len(".dist-info")]
        return "unknown"
    return None


if __name__ == "__main__":
    sys.path.pop(0)
    found = [(module, version_of(module, (module,))) for module in _HOSTS]
    packages = {module: version for module, version in found if version is not None}
    facts = {
        "executable": sys.executable,
        "version": list(sys.version_info[:3]),
        "tensorflow": version_of("tensorflow", _DISTRIBUTIONS),
        "packages": packages,
    }
    sys.stdout.write(json.dumps(facts) + "\n")
