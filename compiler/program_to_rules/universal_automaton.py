"""Universal automata to rules: the transition table in the prompt, one set of weights for every automaton.

Statement
    Let Q states and A symbols be the bounds. The rules below make one layer of linear attention that, fed with its own
    answers, runs every acceptor within the bounds on words of any length: the acceptor is given in the prompt, and the
    weights depend on the bounds alone.

Coordinates
    reg; state[q] and value[q] for q < Q; symbol[s] for s < A; key[q,s]; accept.  d = 2 + 2 Q + A + Q A.

Tokens
    q,s -> r, q,s -> r accept     key[q,s] + value[r], and accept where r accepts     the prompt, one for each q and s
    state 0, state r accept ...   reg + state[r], and accept where r accepts          the start, and the answers
    symbol s                      symbol[s]                                           an input symbol
    at q,s                        key[q,s] + reg - state[q]                           between the two

Rules
    last has symbol[s]:  {reg, state[q]}: key[q,s] += 1, reg += 1, state[q] -= 1                  read, and empty
    last has key[q,s]:   {key[q,s], value[r]}: state[r] += 1, reg += 1;  {key[q,s], accept}: accept += 1      look up

Invariant
    When an input symbol is the last token, S[reg, state] is the one-hot current state q, and S[key q,s, value r] is the
    table: 1 where q goes to r on s. The prompt makes it so. The first answer is `at q,s`: of the pairs that are read it
    changes S[reg, state q] alone, by (1)(-1), to 0; it has neither value nor accept. It asks again, and since it alone
    names q and s, the second answer is the entry of the table, which writes r into the register by (1)(1). The pairs
    {key, value} and {key, accept} stand in the prompt only. So everything that is read is 0 or 1, at every length.

Cost
    H = A + 1 heads: one for each symbol, one that looks up; the same function as the rules on all inputs. Two answers
    a symbol. d is Q A - 1 less than with pointers at[q,s] that are coordinates of their own and no acceptance
    (1 + 2 Q + A + 2 Q A): a pointer may be its key, since no token of the prompt is a question.
    `universal_automaton_narrow` has Q dimensions less and one head more, `universal_automaton_few_heads` one head less
    and Q A + 1 dimensions more; bounds from below are in `lowered_universal_automaton`.

    One answer a symbol is impossible. From the symbol alone the answer is linear in S, so the answers for two tables
    and two current states would satisfy y(M, q) + y(M', q') = y(M, q') + y(M', q); take Q = 2, M the identity on s and
    M' the exchange, q = 0 and q' = 1: both enter state 0 on the left, and both state 1 on the right.

Programs within the bounds
    States are numbered with the start state first, symbols in the order of the alphabet; a partial automaton gets its
    sink. What is left of the table is filled with q,s -> q: those states and symbols are never met.

Source
    Time-indexed rows, the style of arXiv 2410.10101 (section 4), need about L + Q heads for words of length L.
    Registers and the delta rule: arXiv 2310.16076, section 2.
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
from compiler.rules import Form


@dataclass(frozen=True, slots=True)
class LoweredRegisterAutomaton(LoweredUniversalAutomaton):
    """A universal automaton by the construction of this module."""

    @staticmethod
    def value(r: int) -> str:
        """See `LoweredUniversalAutomaton.value`."""
        return f"value[{r}]"

    @staticmethod
    def accepting() -> str:
        """See `LoweredUniversalAutomaton.accepting`."""
        return ACCEPT

    @staticmethod
    def entered(q: int, r: int, accepts: bool) -> str:
        """From wherever."""
        del q
        return state_token(r, accepts)

    @property
    def heads(self) -> tuple[Head, ...]:
        """One head for each symbol, and one that looks up: the rules, on all inputs."""
        bounds, names = self.program, self.coordinates
        states, symbols = range(bounds.states), range(bounds.symbols)
        heads = []
        for s in symbols:
            read = [(key_name(q, s), f"state[{q}]", 1) for q in states]
            kept = [(REGISTER, f"state[{q}]", 1) for q in states]
            emptied = [(f"state[{q}]", f"state[{q}]", -1) for q in states]
            query = sparse(names, [(REGISTER, f"symbol[{s}]", 1)])
            heads.append(Head(f"read symbol {s}", sparse(names, [*read, *kept, *emptied]), query))
        entered = [(row, f"value[{r}]", 1) for r in states for row in (f"state[{r}]", REGISTER)]
        keys = [(key_name(q, s), key_name(q, s), 1) for q in states for s in symbols]
        return (*heads, Head("look up", sparse(names, [*entered, (ACCEPT, ACCEPT, 1)]), sparse(names, keys)))


def universal_automaton_to_rules(program: UniversalAutomaton) -> LoweredRegisterAutomaton:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    check_size(program)

    def ends(said: dict[str, int], accepts: bool) -> Tokens:
        return {state_token(r, accepts): {REGISTER: 1, f"state[{r}]": 1} | said for r in range(program.states)}

    def pointer(q: int, s: int) -> dict[str, int]:
        return {key_name(q, s): 1, REGISTER: 1, f"state[{q}]": -1}

    form = Form.of(register_coordinates(program), _rules(program))
    return assembled(LoweredRegisterAutomaton, program, form, ends, pointer)


def register_coordinates(program: UniversalAutomaton) -> tuple[str, ...]:
    """The names of the coordinates, in order."""
    states, symbols = range(program.states), range(program.symbols)
    return (
        REGISTER,
        *(f"state[{q}]" for q in states),
        *(f"value[{q}]" for q in states),
        *(f"symbol[{s}]" for s in symbols),
        *(key_name(q, s) for q in states for s in symbols),
        ACCEPT,
    )


def _rules(program: UniversalAutomaton) -> Iterator[tuple[str, str, str, str, int]]:
    """The rules (a, b, c, e, weight) by names."""
    for q in range(program.states):
        for s in range(program.symbols):
            key, read = key_name(q, s), (REGISTER, f"state[{q}]", f"symbol[{s}]")
            yield from ((key, *read, 1), (REGISTER, *read, 1), (f"state[{q}]", *read, -1))
            for r in range(program.states):
                found = (key, f"value[{r}]", key)
                yield from ((f"state[{r}]", *found, 1), (REGISTER, *found, 1))
            yield ACCEPT, key, ACCEPT, key, 1
