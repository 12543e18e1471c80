"""Executions of a layer: recurrent, and as a run of its program."""
