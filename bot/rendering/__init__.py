"""Turns the neutral card into what each platform takes, within its limits."""
