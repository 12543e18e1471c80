"""The domain of a program: the configurations (S, last token) that it can reach, one file for each family."""
