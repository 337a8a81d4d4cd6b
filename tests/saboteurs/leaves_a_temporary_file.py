"""Makes a temporary file that it never removes."""

import tempfile

tempfile.mkstemp(prefix="saboteur-")
