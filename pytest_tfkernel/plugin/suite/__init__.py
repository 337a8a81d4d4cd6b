"""The suite as items of pytest."""
