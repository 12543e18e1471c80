"""Universal automata to rules, in fewer dimensions: a state has one coordinate, in the table and in the register.

Statement
    That of `universal_automaton`, with Q dimensions less and one head more.

Coordinates
    reg; state[q] for q < Q; symbol[s] for s < A; key[q,s]; accept.  d = 2 + Q + A + Q A.

Tokens
    q,s -> r, q,s -> r accept     key[q,s] + state[r], and accept where r accepts            the prompt, and
    state 0, state 0 accept       reg + state[0], and accept where 0 accepts                 the start
    symbol s                      symbol[s]                                                  an input symbol
    at q,s                        key[q,s]                                                   a pointer
    q -> r, q -> r accept         reg + state[r] - state[q], and accept where r accepts      enters r from q
    stay, stay accept             reg, and accept where q accepts                            the same for r = q

Rules
    last has symbol[s]:  {reg, state[q]}: key[q,s] += 1                                      read
    last has key[q,s]:   {key[q,s], state[r]}: state[r] += 1, reg += 1;  {key[q,s], accept}: accept += 1     look up
                         {reg, state[p]}: state[p] -= 1, for every p                         leave

Invariant
    Whenever a symbol or a pointer is the last token, S[reg, state] is the one-hot current state q, and S[key q,s, state
    r] is the table. Of the tokens only the start and those that enter have reg: they make the former, since (1)(1) is
    added at r and (1)(-1) at q, and nothing where r = q. Only entries of the prompt have key and state, or key and
    accept: a pointer is its key alone, and no other token has a key. So everything that is read is 0 or 1, at every
    length. The answer to a symbol is then key[q,s]. That to the pointer is state[r] + reg, and accept where r accepts,
    less state[q]: the pointer has no reg, so while it is the last token the register still holds q.

Cost
    H = A + 2 heads: one for each symbol, one that looks up, one that leaves; the same function as the rules on all
    inputs. Two answers a symbol. d is Q less than that of `universal_automaton`; where A >= 2 and Q >= 2 it is at most
    Q + 2 more than the least of any layer that runs in this way (`lowered_universal_automaton`).
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
    suffix,
)
from compiler.rules import Form


@dataclass(frozen=True, slots=True)
class LoweredNarrowAutomaton(LoweredUniversalAutomaton):
    """A universal automaton by the construction of this module."""

    @staticmethod
    def value(r: int) -> str:
        """See `LoweredUniversalAutomaton.value`."""
        return f"state[{r}]"

    @staticmethod
    def accepting() -> str:
        """See `LoweredUniversalAutomaton.accepting`."""
        return ACCEPT

    @staticmethod
    def entered(q: int, r: int, accepts: bool) -> str:
        """See `LoweredUniversalAutomaton.entered`."""
        return f"stay{suffix(accepts)}" if q == r else f"{q} -> {r}{suffix(accepts)}"

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head for each symbol, one that looks up, one that leaves: the rules, on all inputs."""
        names, states, symbols = self.coordinates, range(self.program.states), range(self.program.symbols)
        heads = []
        for s in symbols:
            read = sparse(names, [(key_name(q, s), f"state[{q}]", 1) for q in states])
            heads.append(Head(f"read symbol {s}", read, sparse(names, [(REGISTER, f"symbol[{s}]", 1)])))
        found = [(row, f"state[{r}]", 1) for r in states for row in (f"state[{r}]", REGISTER)]
        keys = [key_name(q, s) for q in states for s in symbols]
        look_up = sparse(names, [*found, (ACCEPT, ACCEPT, 1)]), sparse(names, [(key, key, 1) for key in keys])
        left = sparse(names, [(f"state[{q}]", f"state[{q}]", -1) for q in states])
        leave = left, sparse(names, [(REGISTER, key, 1) for key in keys])
        return (*heads, Head("look up", *look_up), Head("leave", *leave))


def universal_automaton_narrow(program: UniversalAutomaton) -> LoweredNarrowAutomaton:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    check_size(program)

    def ends(said: dict[str, int], accepts: bool) -> Tokens:
        tokens: Tokens = {state_token(0, accepts): {REGISTER: 1, "state[0]": 1} | said}
        for q in range(program.states):
            for r in range(program.states):
                moved = {} if q == r else {f"state[{r}]": 1, f"state[{q}]": -1}
                tokens[LoweredNarrowAutomaton.entered(q, r, accepts)] = {REGISTER: 1} | moved | said
        return tokens

    def pointer(q: int, s: int) -> dict[str, int]:
        return {key_name(q, s): 1}

    form = Form.of(narrow_coordinates(program), _rules(program))
    return assembled(LoweredNarrowAutomaton, program, form, ends, pointer)


def narrow_coordinates(program: UniversalAutomaton) -> tuple[str, ...]:
    """The names of the coordinates, in order."""
    states, symbols = range(program.states), range(program.symbols)
    return (
        REGISTER,
        *(f"state[{q}]" for q in states),
        *(f"symbol[{s}]" for s in symbols),
        *(key_name(q, s) for q in states for s in symbols),
        ACCEPT,
    )


def _rules(program: UniversalAutomaton) -> Iterator[tuple[str, str, str, str, int]]:
    """The rules (a, b, c, e, weight) by names."""
    for q in range(program.states):
        for s in range(program.symbols):
            key = key_name(q, s)
            yield key, REGISTER, f"state[{q}]", f"symbol[{s}]", 1
            for r in range(program.states):
                state = f"state[{r}]"
                yield from ((state, key, state, key, 1), (REGISTER, key, state, key, 1))
                yield state, REGISTER, state, key, -1
            yield ACCEPT, key, ACCEPT, key, 1
