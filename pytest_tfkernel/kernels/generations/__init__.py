"""Generations: how one kernel process after another comes to be for the same spec, and goes."""
