"""Models back to programs, one file for each family."""
