"""Automata to stacks of fast-weight layers, and which there are."""
