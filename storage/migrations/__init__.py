"""How the tables came to be as they are.  Forward only; ``runner`` is the way in."""
