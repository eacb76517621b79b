"""The rules of selling: plain Python, no I/O, nothing but the standard library."""
