"""Makes its draws repeatable, as many a notebook does in its first cell."""

import random

import numpy as np

random.seed(7)
np.random.seed(7)  # noqa: NPY002 - the global state is the point
