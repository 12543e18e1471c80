"""Files: models and data sets, reading and writing, nothing else. The formats are in docs/files.md."""
