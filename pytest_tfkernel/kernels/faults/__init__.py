"""Faults: what injures a kernel, and what must follow."""
