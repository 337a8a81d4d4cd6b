"""`python describe.py`: print one line of JSON that says what this interpreter is.

Parses on Python 2.7 too, so that an interpreter which is too old can say so itself.
Keys: `executable`, `version` (three numbers), `tensorflow` (a version, "unknown", or null).
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


def tensorflow_version():
    """The version of the TensorFlow that an import would find, or None."""
    for folder in sys.path:
        if not os.path.isfile(os.path.join(folder, "tensorflow", "__init__.py")):
            continue
        for entry in sorted(os.listdir(folder)):
            name, dash, rest = entry.partition("-")
            if dash and name.lower() in _DISTRIBUTIONS and rest.endswith(".dist-info"):
                return rest[: -len(".dist-info")]
        return "unknown"
    return None


if __name__ == "__main__":
    sys.path.pop(0)
    facts = {
        "executable": sys.executable,
        "version": list(sys.version_info[:3]),
        "tensorflow": tensorflow_version(),
    }
    sys.stdout.write(json.dumps(facts) + "\n")
