"""The language: source text to syntax to programs, and back to text. Its definition is docs/language.md."""
