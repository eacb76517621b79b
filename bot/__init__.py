"""The process: the only async code and the only network code."""
