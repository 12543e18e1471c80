"""Whether a stored certificate is one of these data for this program: its premises are made anew, its proof checked."""

from __future__ import annotations

from dataclasses import replace

from compiler.domain.premises import premises_of
from compiler.files.certificate_file import Stored, certificate_to_bytes, text_digest
from compiler.program import Program
from compiler.traces.data_set import DataSet
from compiler.traces.fitting import fitting
from verify.check_certificate import check


def check_certificate(stored: Stored, data: DataSet, program: Program) -> str | None:
    """None where `stored` proves that `data` determine the answers of `program`; else why it does not.

    Raises
    ------
    DataError
        For data that are not over the program's coordinates.
    UnsupportedError
        For programs whose certificates cannot be stored.
    """
    if stored.program != text_digest(str(program)):
        return "it is for another program"
    own = replace(stored, premises=premises_of(fitting(data.integral(), program)))
    if certificate_to_bytes(own) != certificate_to_bytes(stored):
        return "what it says of the program is not so"
    return check(stored, data.integral())
