"""Universal automata to rules, in fewer heads: the head that reads the first symbol looks up as well.

Statement
    That of `universal_automaton`, with one head less and Q A + 1 dimensions more.

Coordinates
    Those of `universal_automaton`; at[q,s]; accepting.  d = 3 + 2 Q + A + 2 Q A.

Tokens
    q,s -> r, q,s -> r accept     key[q,s] + value[r], and accepting where r accepts    the prompt
    state 0, state r accept ...   reg + state[r], and accept where r accepts            the start, and the answers
    symbol s                      symbol[s]                                             an input symbol
    at q,s                        at[q,s] + reg - state[q]                              between the two

Rules
    last has symbol[s]:  {reg, state[q]}: at[q,s] += 1, reg += 1, state[q] -= 1                  read, and empty
    last has at[q,s]:    {key[q,s], value[r]}: state[r] += 1, reg += 1;  {key[q,s], accepting}: accept += 1      look up

Invariant
    That of `universal_automaton`: S[reg, state] is the one-hot current state whenever a symbol is the last token, and
    the pointer, which alone has at[q,s], empties it.

Cost
    H = A heads. For s > 0 V_s maps state[q] to at[q,s] + reg - state[q], and Q_s maps symbol[s] to reg. V_0 does so for
    symbol 0, and maps value[r] to state[r] + reg and accepting to accept; Q_0 maps symbol[0] to reg, and at[q,s] to
    key[q,s]. So head 0 also reads S[value r, reg] and S[accepting, reg] at symbol 0, and S[state p, key q,s] at `at
    q,s`: only entries of the prompt have value, accepting or key, and they have neither reg nor state, so these are 0.
    The heads are the rules on the domain. Two answers a symbol.

    Where 2 <= A < Q no layer that runs in this way has fewer heads (`lowered_universal_automaton`); for A = 1 there is
    one, and none would not answer. Where A >= Q >= 2 the bound is A (Q - 1) / Q, rounded up, and what is least is open.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from compiler.attention import Head
from compiler.program.universal import UniversalAutomaton
from compiler.program_to_rules.automaton import ACCEPT, REGISTER
from compiler.program_to_rules.lowered_universal_automaton import (
    LoweredUniversalAutomaton,
    Tokens,
    assembled,
    check_size,
    key_name,
    sparse,
    state_token,
)
from compiler.program_to_rules.universal_automaton import register_coordinates
from compiler.rules import Form

ACCEPTING = "accepting"


@dataclass(frozen=True, slots=True)
class LoweredFewHeadsAutomaton(LoweredUniversalAutomaton):
    """A universal automaton by the construction of this module."""

    @staticmethod
    def value(r: int) -> str:
        """See `LoweredUniversalAutomaton.value`."""
        return f"value[{r}]"

    @staticmethod
    def accepting() -> str:
        """See `LoweredUniversalAutomaton.accepting`."""
        return ACCEPTING

    @staticmethod
    def entered(q: int, r: int, accepts: bool) -> str:
        """From wherever."""
        del q
        return state_token(r, accepts)

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head for each symbol, of which the first looks up; the rules, on the domain."""
        names, states, symbols = self.coordinates, range(self.program.states), range(self.program.symbols)
        heads = []
        for s in symbols:
            value = [(pointer_name(q, s), f"state[{q}]", 1) for q in states]
            value += [(REGISTER, f"state[{q}]", 1) for q in states]
            value += [(f"state[{q}]", f"state[{q}]", -1) for q in states]
            query = [(REGISTER, f"symbol[{s}]", 1)]
            if s == 0:
                value += [(row, f"value[{r}]", 1) for r in states for row in (f"state[{r}]", REGISTER)]
                value.append((ACCEPT, ACCEPTING, 1))
                query += [(key_name(q, t), pointer_name(q, t), 1) for q in states for t in symbols]
            role = "read symbol 0, look up" if s == 0 else f"read symbol {s}"
            heads.append(Head(role, sparse(names, value), sparse(names, query)))
        return tuple(heads)


def pointer_name(q: int, s: int) -> str:
    """The coordinate of a pointer."""
    return f"at[{q},{s}]"


def universal_automaton_few_heads(program: UniversalAutomaton) -> LoweredFewHeadsAutomaton:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    check_size(program)

    def ends(said: dict[str, int], accepts: bool) -> Tokens:
        return {state_token(r, accepts): {REGISTER: 1, f"state[{r}]": 1} | said for r in range(program.states)}

    def pointer(q: int, s: int) -> dict[str, int]:
        return {pointer_name(q, s): 1, REGISTER: 1, f"state[{q}]": -1}

    form = Form.of(few_heads_coordinates(program), _rules(program))
    return assembled(LoweredFewHeadsAutomaton, program, form, ends, pointer)


def few_heads_coordinates(program: UniversalAutomaton) -> tuple[str, ...]:
    """The names of the coordinates, in order."""
    pointers = (pointer_name(q, s) for q in range(program.states) for s in range(program.symbols))
    return (*register_coordinates(program), *pointers, ACCEPTING)


def _rules(program: UniversalAutomaton) -> Iterator[tuple[str, str, str, str, int]]:
    """The rules (a, b, c, e, weight) by names."""
    for q in range(program.states):
        for s in range(program.symbols):
            at, key, read = pointer_name(q, s), key_name(q, s), (REGISTER, f"state[{q}]", f"symbol[{s}]")
            yield from ((at, *read, 1), (REGISTER, *read, 1), (f"state[{q}]", *read, -1))
            for r in range(program.states):
                found = (key, f"value[{r}]", at)
                yield from ((f"state[{r}]", *found, 1), (REGISTER, *found, 1))
            yield ACCEPT, key, ACCEPTING, at, 1
