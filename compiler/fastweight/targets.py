"""Programs compiled to members of the fast-weight family, and the reasons where one cannot express them.

`linear`            linear Transformers: fast weights that are only added to
`delta`             DeltaNet, rates from 0 to 1
`deltaproduct`      gated DeltaProduct, rates from 0 to 2 and several steps a token
`recurrent-delta`   the Recurrent Delta network
`srwm`              self-referential weight matrices

One token for each letter (real time), nothing fed back, position-wise decoding after each layer. What is said of a
target holds for any number of its layers.
"""

from __future__ import annotations

from dataclasses import dataclass

from compiler.errors import TooLargeError, UnsupportedError
from compiler.fastweight.automata.additive import additive_stack
from compiler.fastweight.automata.cascade import Cascade, check_cascade
from compiler.fastweight.automata.cascade_to_stack import cascade_to_stack
from compiler.fastweight.automata.holonomy_to_cascade import holonomy_cascade
from compiler.fastweight.automata.periodic_words import periodic_word
from compiler.fastweight.automata.potentials import not_told_apart
from compiler.fastweight.automata.quotients_to_cascade import permutes, quotient_cascade
from compiler.fastweight.automata.table_to_stack import recurrent_delta_stack, self_referential_stack
from compiler.fastweight.automata.transitions import Shown, Transitions, transitions
from compiler.fastweight.counters.memory_to_counts import Counts, counting, real_memory_layer
from compiler.fastweight.linear_transformer import LinearTransformer
from compiler.fastweight.memory_to_stack import memory_stack
from compiler.fastweight.recurrent_model import RecurrentModel
from compiler.fastweight.stack import Stack
from compiler.fastweight.target import TARGETS, Target
from compiler.program import Automaton, Memory, Program


class NotExpressibleError(UnsupportedError):
    """A target cannot express a program, or it is not known, or too large for this version; the message says which."""


@dataclass(frozen=True, slots=True)
class Explanation:
    """Whether a target can express a program.

    Attributes
    ----------
    expressible
        None where this version has neither a construction nor a proof.
    reason
        Why, or how large it becomes.
    word
        Symbols that show why not, where there are such; None where it can be expressed.
    """

    expressible: bool | None
    reason: str
    word: tuple[str, ...] | None = None


def compile_to(program: Program, target: Target) -> RecurrentModel:
    """The program as a stack of layers of the target.

    Raises
    ------
    NotExpressibleError
        With the reason that `explain` gives.
    UnsupportedError
        For programs that are neither automata nor memories, and unknown targets.
    """
    made = _compiled(program, target)
    if isinstance(made, Explanation):
        said = "this version does not compile {} to {}" if made.expressible is None else "{1} cannot express {0}"
        raise NotExpressibleError(f"{said.format(program.name, target)}: {made.reason}")
    return made


def explain(program: Program, target: Target) -> Explanation:
    """Whether a target can express a program, and why. Raises UnsupportedError as `compile_to` does."""
    made = _compiled(program, target)
    return made if isinstance(made, Explanation) else Explanation(True, _in_words(made))


def _in_words(made: RecurrentModel) -> str:
    """How large it is."""
    layers, tokens = len(made.sizes), sum(size.tokens for size in made.sizes)
    if not layers:
        return "no layer: what is shown follows from the letter"
    if isinstance(made.core, LinearTransformer):
        return f"1 layer, which reads {made.core.inputs} numbers at a time: key, value and query"
    steps = max(size.steps for size in made.sizes)
    many = f", up to {steps} steps a token" if steps > 1 else ""
    bits = made.core.bits if isinstance(made.core, Counts) else 0
    room = f", counts below 2^{bits - 2}" if bits else ""
    return f"{layers} layer{'s' * (layers > 1)}{many}, {tokens} tokens in all{room}"


def _compiled(program: Program, target: Target) -> RecurrentModel | Explanation:
    if target not in TARGETS:
        raise UnsupportedError(f"there is no target {target!r}; the targets are {', '.join(TARGETS)}")
    if not isinstance(program, Automaton | Memory):
        kinds = "automata and memories are compiled to the fast-weight family"
        raise UnsupportedError(f"{program.name} is a {program.kind}; {kinds}")
    try:
        made = _memory(program, target) if isinstance(program, Memory) else _automaton(program, target)
    except TooLargeError as problem:
        return Explanation(None, f"too large: {problem}")
    return made if isinstance(made, Explanation) else RecurrentModel(program, target, made)


def _automaton(program: Automaton, target: Target) -> Stack[Shown] | Explanation:
    given = transitions(program)
    if target == "linear":
        return additive_stack(given) or _beyond_additions(given)
    if target == "srwm":
        return self_referential_stack(given)
    if target == "recurrent-delta":
        return recurrent_delta_stack(given)
    word = periodic_word(given) if target == "delta" else None
    return cascade_to_stack(_cascade(given)) if word is None else _circles(given, word)


def _cascade(given: Transitions) -> Cascade:
    if given.size < 2 or not permutes(given):
        return holonomy_cascade(given)
    made = quotient_cascade(given)
    check_cascade(made, given)
    return made


def _circles(given: Transitions, word: tuple[int, ...]) -> Explanation:
    """Why rates up to 1 are not enough; the argument is in docs/fastweight.md."""
    circle = next(c for c in (_circle(given, state, word) for state in range(given.size)) if len(c) > 1)
    return Explanation(
        False,
        f"repeating {given.spelled(word)} takes it around in a circle of {len(circle)}. With rates from 0 to 1 the "
        "factors I - b k k^T shrink all that they do not leave alone, so fast weights that read a word again and again "
        "settle, and so do their digits (in exact arithmetic, with answers whose limits are no thresholds)",
        _names(given, word),
    )


def _circle(given: Transitions, state: int, word: tuple[int, ...]) -> list[int]:
    """The states that repeating a word leads through and back to `state`; empty if it does not lead back."""
    found = [state]
    while (state := given.after(state, word)) not in found:
        found.append(state)
    return found if state == found[0] else []


def _beyond_additions(given: Transitions) -> Explanation:
    """Why sums are not enough; the proof is in `compiler.fastweight.automata.potentials`."""
    try:
        word = periodic_word(given)
    except TooLargeError:  # there is another reason
        word = None
    if word is not None:
        return Explanation(
            False,
            f"repeating {given.spelled(word)} takes it around in a circle. Sums only drift one way as a word is read "
            "again and again, so their digits settle",
            _names(given, word),
        )
    one, other, told = not_told_apart(given)
    return Explanation(
        False,
        f"after {given.spelled(one)} and after {given.spelled(other)} all sums that can follow it agree, and no others "
        f"help (proof: docs/fastweight.md); yet {given.spelled(told)} then shows different things",
        _names(given, (*other, *told)),
    )


def _names(given: Transitions, word: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(given.letters[letter] for letter in word)


def _memory(memory: Memory, target: Target) -> Stack[str | None] | Counts | LinearTransformer | Explanation:
    if not isinstance(memory.keys, tuple) or not isinstance(memory.values, tuple):
        return real_memory_layer(memory) if target == "linear" else _too_fast(target)
    if memory.write == "sum":
        return _adds_up(target) if target == "delta" else counting(memory, target)
    if target == "linear" and memory.write == "latest" and len(memory.values) > 1:
        key, (one, other) = memory.keys[0], memory.values[:2]
        return Explanation(
            False,
            f"{key} = {one} and {key} = {other} replace each other again and again. Sums only drift one way as this is "
            "repeated, so none of their digits keeps which came last (proof: docs/fastweight.md)",
            (f"{key} = {one}", f"{key} = {other}", key),
        )
    return memory_stack(memory, target)


def _too_fast(target: Target) -> Explanation:
    """Why products of what is read are not enough; the argument is in docs/fastweight.md."""
    grown = "are at most three times what they were" if target == "srwm" else "grow no faster than t"
    return Explanation(
        False,
        "after a write of t k and t v the answer to a fixed query is t^2 <q, k> v. But where tokens are read linearly, "
        f"and keys have at most length 1, fast weights after one write {grown}",
    )


def _adds_up(target: Target) -> Explanation:
    if target == "delta":
        return Explanation(
            False,
            "it adds up without bound, and fast weights that are corrected with rates from 0 to 1, for finitely many "
            "keys, stay bounded (Meany 1969, on products of projections)",
        )
    return Explanation(None, f"it adds up without bound; this version has no construction for {target}, and no proof")
