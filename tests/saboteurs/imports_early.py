"""Is not as cold as it says: TensorFlow is imported before anything is asked."""

import tensorflow as tf  # noqa: F401 - the import is the point
