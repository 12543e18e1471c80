"""Writing whole files or nothing: to a temporary file beside the target, then a rename."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from compiler.errors import FileError


def write_bytes(path: str | Path, data: bytes) -> None:
    """Put `data` at `path`; an interruption or an error leaves what was there. Raises FileError."""
    target = Path(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", dir=target.parent)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror or error}") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(_mode(target))
        temporary.replace(target)
    except OSError as error:
        raise FileError(f"{target}: cannot be written: {error.strerror or error}") from None
    finally:
        temporary.unlink(missing_ok=True)


def _mode(target: Path) -> int:
    """The permissions of the file that is replaced, or those that a new file would get."""
    if target.exists():
        return target.stat().st_mode & 0o7777
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


def read_bytes(path: str | Path, most: int) -> bytes:
    """The bytes of a file of at most `most` bytes. Raises FileError."""
    source = Path(path)
    try:
        size = source.stat().st_size
        if size > most:
            raise FileError(f"{source}: {size:,} bytes is more than the {most:,} that are read")
        return source.read_bytes()
    except OSError as error:
        if isinstance(error, FileError):
            raise
        raise FileError(f"{source}: cannot be read: {error.strerror or error}") from None
