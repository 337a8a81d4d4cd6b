"""How much of the suite a run plays; each size holds the smaller ones."""

from __future__ import annotations

SMOKE, STANDARD, FULL = SIZES = ("smoke", "standard", "full")
