"""Writes what it prints where nobody reads it."""

import os
import sys

sys.stdout = open(os.devnull, "w")
