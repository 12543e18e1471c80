"""Training data: runs of programs as token sequences with supervised positions."""
