"""What another TensorFlow changes: environments, runs in them, and what differs. Starts pytest and pip as processes."""
