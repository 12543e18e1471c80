"""The version of attnc, and of the language that it reads."""

__version__ = "0.1.0"
