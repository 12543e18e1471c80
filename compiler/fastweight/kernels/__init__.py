"""Layers over a vocabulary, compiled, in arithmetic of a given precision."""
