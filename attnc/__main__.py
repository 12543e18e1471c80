"""``python -m attnc``: the command line."""

from attnc.cli import main

if __name__ == "__main__":
    main()
