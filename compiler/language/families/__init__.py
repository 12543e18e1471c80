"""Syntax to programs, one file for each family."""
