"""A made-up company, so that every page and card has something to show."""
