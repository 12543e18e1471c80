"""The ladder: everywhere, domain, decisions, tested. `verify` climbs it to the strongest level that holds."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from fractions import Fraction
from math import inf
from time import perf_counter

from compiler.errors import UnsupportedError
from compiler.model import Model
from compiler.program import Automaton, Program
from compiler.reading import read_alike, read_to_judge
from verify.program_and_model import decided, program_and_model
from verify.same_runs import described as described_run
from verify.same_runs import same_runs
from verify.same_states import same_states
from verify.two_models import two_models
from verify.verdict import LEVELS, Counterexample, Level, Verdict

CLAIMS = "the model claims to be another program: with the tokens of that one its decisions may be others"


def verify(
    a: Program | Model,
    b: Program | Model,
    *,
    level: Level | None = None,
    up_to: int | None = None,
    tolerance: Fraction | float = 0,
) -> Verdict:
    """Decide whether two things are the same: a program and a model, two models, or two programs.

    Parameters
    ----------
    a, b
        What is expected, and what is judged. A model first and a program second are exchanged.
    level
        Decide just this level; without it the strongest that holds is found. ``everywhere``: all real inputs, every
        length. ``domain``: every configuration that the program can reach, every length. ``decisions`` (a program and
        a model): the nearest token is the program's, at every length or up to the horizon, for memories and machines
        up to a bound on the tokens of a run.
        ``tested``: words tried by hypothesis, which proves nothing.
    up_to
        Only words of up to this length count: for ``decisions``, or ``tested``, which tries no longer ones.
    tolerance
        A decision has to stay right however the answer is moved by up to this Euclidean distance, at least 0; a float
        stands for the rational that it is. Other than 0 it means level ``decisions``.

    Returns
    -------
    Verdict
        With the shortest counterexample, by length and then in the order of the alphabet, for a refutation; for a
        program with properties and a model, with what holds of each on the model's runs.

    Raises
    ------
    ModelError
        For a model that is not over the program's coordinates, or two models over different ones. A model that names
        none (x[0], x[1], ...) is read as `compiler.reading` says, and `witness` says how.
    ProgramError, UnsupportedError
        For programs over different alphabets, families without a construction, levels that do not apply.

    >>> from compiler.language.load import load
    >>> from compiler.program_to_model import compile
    >>> verify(load("parity"), compile(load("parity"))).level
    'everywhere'
    """
    began = perf_counter()
    _check(a, b, level, up_to)
    room = _room(a, b, level, tolerance)
    level = "decisions" if room else level
    if isinstance(a, Model) and not isinstance(b, Model):
        a, b = b, a
    if isinstance(a, Model):
        assert isinstance(b, Model)
        (left, how_left), (right, how_right) = read_alike(a, b)
        found = two_models(left, right, level)
        found = replace(found, witness=(*how_left, *how_right, *found.witness))
    elif isinstance(b, Model):
        read, how = read_to_judge(b, a, to_scale=bool(room))
        found = program_and_model(a, read, level, up_to, room)
        claims = found.level == "decisions" and b.program is not None and b.program != a
        assumptions = (*found.assumptions, CLAIMS) if claims else found.assumptions
        found = replace(found, witness=(*how, *found.witness), assumptions=assumptions)
    else:
        found = _programs(a, b, level)
    return replace(found, program=digest(a), model=digest(b), seconds=perf_counter() - began, tolerance=room)


def _check(a: object, b: object, level: object, up_to: object) -> None:
    for thing in (a, b):
        if not isinstance(thing, Model | Program):
            hint = "; give its .model" if hasattr(thing, "model") else ""
            raise UnsupportedError(f"verify compares programs and models, not a {type(thing).__name__}{hint}")
    if level is not None and level not in LEVELS:
        raise UnsupportedError(f"there is no level {level!r}; the levels are {', '.join(LEVELS)}")
    if up_to is not None and (level in ("everywhere", "domain") or not isinstance(up_to, int) or up_to < 1):
        raise UnsupportedError(
            f"up_to={up_to!r}: a length of at least 1, and not for levels that speak of every length"
        )


def _room(a: object, b: object, level: object, tolerance: object) -> Fraction:
    """The tolerance, exactly."""
    if not isinstance(tolerance, int | float | Fraction) or not 0 <= tolerance < inf:
        raise UnsupportedError(f"tolerance={tolerance!r}: a finite distance of at least 0")
    if tolerance and (level not in (None, "decisions") or isinstance(a, Model) == isinstance(b, Model)):
        raise UnsupportedError("a tolerance is for the decisions of a model that is to be a program")
    return Fraction(tolerance)


def digest(thing: Program | Model) -> str:
    """SHA-256 of a program's text, or of a model's coordinates, weights and embeddings."""
    return thing.digest() if isinstance(thing, Model) else hashlib.sha256(str(thing).encode()).hexdigest()


def _programs(a: Program, b: Program, level: Level | None) -> Verdict:
    if a == b and level in (None, "domain"):
        return decided(True, "domain", None, "they are the same program")
    if not isinstance(a, Automaton) or not isinstance(b, Automaton):
        raise UnsupportedError(f"this version compares automata with each other, not a {a.kind} and a {b.kind}")
    if level not in (None, "domain"):
        raise UnsupportedError(f"two programs are compared on all words (level domain), not at level {level}")
    word, pairs = same_runs(a, b)
    if word is None:
        same = decided(True, "domain", None, "outcome and output on every word, at every length")
        return replace(same, witness=same_states(a, b, pairs))
    shown = Counterexample(word, described_run(a.run(word)), described_run(b.run(word)), "the end of the word")
    return decided(False, "domain", shown, "outcome and output of the reference interpreter")
