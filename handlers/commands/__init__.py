"""What people type: one function a command, listed in ``handlers/routes.py``."""
