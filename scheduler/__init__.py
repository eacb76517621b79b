"""The clock did one thing; what follows."""
