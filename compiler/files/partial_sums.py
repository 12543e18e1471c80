"""Sums that are not finished, kept beside their target, so that work that was killed can go on from there."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from time import monotonic

from compiler.errors import AttncError, FileError
from compiler.files.arrays import MAX_BYTES
from compiler.files.moments_file import load_moments, save_moments
from compiler.learning.sums.data_moments import DataMoments

EVERY = 5.0
"""Seconds between two savings, at least."""
SHARE = 20
"""A saving may take one part in so many of the time."""


class PartialSums:
    """The file ``TARGET.partial``: moments of the sequences that are done, of the same data and the same shard.

    Attributes
    ----------
    path
        Where it is.
    say
        Told in a sentence where a sum goes on, and why one does not.
    """

    def __init__(self, target: str | Path, say: Callable[[str], None]) -> None:
        self.path = Path(f"{target}.partial")
        self.say = say
        self.next = monotonic() + EVERY

    def kept(self, empty: DataMoments, ends: Iterable[int]) -> DataMoments:
        """The sum that was kept for the same data and shard, up to one of `ends`; else `empty`."""
        if empty.size > MAX_BYTES:
            raise FileError(f"the moments take {empty.size:,} bytes, more than the {MAX_BYTES:,} that files hold")
        if not self.path.exists():
            return empty
        try:
            found = load_moments(self.path)
        except AttncError as problem:
            self.say(f"beginning anew: {problem}")
            return empty
        begin, end, _ = found.sequences
        same = found.digest == empty.digest and found.shard == empty.shard and begin == empty.sequences[0]
        if not same or end not in ends or found.sums.frame() != empty.sums.frame():
            self.say(f"beginning anew: {self.path} is of other data or of another shard")
            return empty
        self.say(f"going on after sequence {end:,}, from {self.path}")
        return found

    def keep(self, partial: DataMoments) -> None:
        """Save a sum so far, unless that was done a moment ago."""
        began = monotonic()
        if began >= self.next:
            save_moments(partial, self.path)
            self.next = monotonic() + max(EVERY, SHARE * (monotonic() - began))

    def done(self) -> None:
        """The sum is finished, and saved elsewhere."""
        self.path.unlink(missing_ok=True)
