"""What a verdict says: whether, in which sense, for which inputs, under which assumptions, and the counterexample."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal, NamedTuple, TypeAlias

Answer: TypeAlias = Literal["proved", "refuted", "undecided"]
Level: TypeAlias = Literal["everywhere", "domain", "decisions", "tested"]

LEVELS: dict[Level, str] = {
    "everywhere": "the same function on all real inputs of every length",
    "domain": "the same answers on every configuration that the program can reach, at every length",
    "decisions": "the nearest token is the program's, and is fed back",
    "tested": "the same tokens on the words that were tried",
}

EXACT = "arithmetic: the exact real function of the stored weights; a float stands for the rational that it is"
INDUCTION = (
    "next-token answers on the program's own configurations; by induction, runs that feed back their answers agree too"
)
RULES = "the rules are those that the program compiles to"
SPANNED = "model and program answer alike on what spans all that the program can reach"
TOKENS = (
    "lengths are tokens of a run: a sound bound, not the horizon, from the longest difference that a token can make"
)
OWN = "tokens are embedded as the model embeds them; those that it does not embed, as the program does"
BY_NAME = "outcome and output are those of the token that an answer is decoded to, which is known by its name"


@dataclass(frozen=True, slots=True)
class Counterexample:
    """An input on which two things part, replayed before it is shown.

    At levels domain and decisions it is the least: of least length, then first in the order of the alphabet; of a
    universal program (whose inputs are programs too) the assumptions of the verdict say whether it is. At level
    everywhere it has one token or two, and at level tested it is as short as hypothesis could shrink it.

    Attributes
    ----------
    input
        A word (symbols); or, where real inputs are compared, the tokens as rows of numbers.
    expected, got
        What the first and the second thing answer at the end of the input.
    at
        The token at which they part: its name and its place among the tokens of the run, from 0.
    blame
        For a wrong decision the rule, other than the program's, that speaks most for it; a hint, computed in floats.
    repeated
        For a word of more than 100,000 symbols (begin, end, times): input[begin:end] stands there so many times, not
        once. It is then of the least length, but maybe not the first of these.
    """

    input: tuple[Any, ...]
    expected: str
    got: str
    at: str
    blame: str | None = None
    repeated: tuple[int, int, int] | None = None


@dataclass(frozen=True, slots=True)
class PropertyVerdict:
    """Whether a property of the program holds of the model's runs.

    Attributes
    ----------
    clause
        The property, as in the program's text.
    verdict, lengths
        proved, refuted or undecided; for which words it is proved: "all", or those of up to so many symbols; else None.
    word
        For a refutation the least word on whose run the property fails, by length, then in the order of the alphabet.
    because
        What the answer rests on, or why there is none.
    """

    clause: str
    verdict: Answer
    lengths: Literal["all"] | int | None
    word: tuple[str, ...] | None
    because: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The result of `verify`.

    Attributes
    ----------
    verdict, level
        proved, refuted or undecided, and in which sense; see `LEVELS`.
    lengths
        "all", or the greatest length for which the claim is proved (refuted decisions: the horizon, up to which every
        decision on every word is right) or, at level tested, was tried; None for other refutations.
    counterexample
        For a refutation; else None.
    assumptions
        What the verdict rests on.
    program, model
        The digests of the first and the second thing that were compared.
    witness
        For models that are equal up to the symmetries of the weights: how. For two automata that are the same: which
        states stand for each other. For a model that does not name its
        coordinates: in which order or basis it was read, or that it was left in its own.
    seconds
        The time it took.
    properties
        What holds of the model's runs, for each property of the program. The other fields do not depend on it.
    tolerance
        So far may an answer be moved for a decision to be right still (level decisions).
    """

    verdict: Answer
    level: Level
    lengths: Literal["all"] | int | None
    counterexample: Counterexample | None
    assumptions: tuple[str, ...]
    program: str
    model: str
    witness: tuple[str, ...] = ()
    seconds: float = 0.0
    properties: tuple[PropertyVerdict, ...] = ()
    tolerance: Fraction = Fraction(0)

    def __bool__(self) -> bool:
        return self.verdict == "proved"


class Judged(NamedTuple):
    """The answer, its level, a counterexample for a refutation, what the answer rests on, and the replayed tokens."""

    verdict: Answer
    level: Level
    counterexample: Counterexample | None
    assumptions: tuple[str, ...]
    tokens: int | None = None
