"""What this machine has: capabilities and GPUs."""
