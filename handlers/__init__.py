"""A person did one thing; what follows."""
