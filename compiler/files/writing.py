"""Whole files or nothing: writing to a temporary file beside the target, then a rename; reading up to a limit."""

from __future__ import annotations

import os
import stat
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from compiler.errors import FileError


def check_target(path: str | Path, ending: str) -> None:
    """Refuse early, before long work, a path that cannot be written. Raises FileError."""
    target = Path(path)
    if not str(path).endswith(ending) or target.name == ending:
        raise FileError(f"{path}: expected a file whose name ends in {ending}")
    try:
        if target.is_dir():
            raise FileError(f"{path}: cannot be written: it is a directory")
        if not target.parent.is_dir():
            raise FileError(f"{path}: cannot be written: there is no directory {target.parent}")
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be written: {_reason(error)}") from None


def write_bytes(path: str | Path, data: bytes) -> None:
    """Put `data` at `path`, whole or not at all. Raises FileError."""
    write_stream(path, lambda stream: stream.write(data))


def write_stream(path: str | Path, fill: Callable[[BinaryIO], object]) -> None:
    """Put what `fill` writes at `path` (or where a link at `path` leads).

    An interruption or an error leaves what was there. Raises FileError.
    """
    try:
        target = Path(path).resolve()
        handle, name = tempfile.mkstemp(prefix=".attnc-", dir=target.parent)
    except (OSError, ValueError, RuntimeError) as error:
        raise FileError(f"{path}: cannot be written: {_reason(error)}") from None
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            fill(stream)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(_mode(target))
        temporary.replace(target)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {_reason(error)}") from None
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
    """The bytes of a regular file of at most `most` bytes. Raises FileError."""
    source = Path(path)
    try:
        found = source.stat()
        if stat.S_ISDIR(found.st_mode):
            raise FileError(f"{path}: cannot be read: it is a directory")
        if not stat.S_ISREG(found.st_mode):
            raise FileError(f"{path}: cannot be read: it is not a regular file")
        if found.st_size > most:
            raise FileError(f"{path}: {found.st_size:,} bytes is more than the {most:,} that are read")
        return source.read_bytes()
    except FileError:
        raise
    except (OSError, ValueError) as error:
        raise FileError(f"{path}: cannot be read: {_reason(error)}") from None


def _reason(error: Exception) -> str:
    return (isinstance(error, OSError) and error.strerror) or str(error)
