"""What this machine can check, who holds its GPUs, and what to change: for people and for hooks of runners."""
