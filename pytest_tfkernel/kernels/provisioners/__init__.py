"""How a kernel's process comes to be: one provisioner a file."""
