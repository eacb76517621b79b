"""Fuzz the readers of language: ``python -m tools.fuzz_language``."""
