"""What faces pytest: options, fixtures, and the suite as items.

PYTEST_DONT_REWRITE
"""
