"""What levels say no to."""

import pytest

from compiler.errors import UnsupportedError
from compiler.language.load import load
from compiler.program_to_model import compile
from verify.verify import verify


def test_decisions_are_those_of_a_program_and_a_model() -> None:
    model = compile(load("parity"))
    with pytest.raises(UnsupportedError, match="give the program"):
        verify(model, model, level="decisions")
    with pytest.raises(UnsupportedError, match="level domain"):
        verify(load("parity"), load("mod3"), level="decisions")
