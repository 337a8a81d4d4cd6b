"""What all tests of this repository share."""

# Runs pytest on files that a test writes: how the plugin's own options are tested. The other is in tests/support.
pytest_plugins = ["pytester", "soak"]
