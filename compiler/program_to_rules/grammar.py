"""Grammars of bounded depth to rules: the stack lives in fast-weight registers, a cell for each height.

Statement
    Let G be an LL(1) grammar with terminals T and a depth D. The rules below make one layer of linear attention that,
    fed with its own answers, parses words of every length: the last answer says accept, reject or overran as the
    predictive parser does (`program.grammar`). No stack is enumerated: everything grows linearly with D.

Coordinates
    reg; top[h,X] for a stack of h symbols, X topmost, as far as X can stand at h; empty, failed; then cell[p,X], X
    at height p below the top, fetch[p], and popped; full, for a stack that was too high; look[a] for a in T, and end;
    the outcomes accept, reject, overran. What G has no use for is left out: cells, fetch and popped where a stack never
    has two symbols, full and overran where no stack is too high.

Tokens
    start             reg + top[1,S]
    a, end of input   look[a], end
    X@h -> Y1 .. Yk   reg + top[h+k-1,Y1] + cell[h+k-2,Y2] + .. + cell[h,Yk] - top[h,X]              replaced, k >= 1
    X@h -> ""         reg + popped + fetch[h-1] - top[h,X]; at h = 1: reg + empty - top[1,X]         taken off
    Y@p on top        reg + top[p,Y] - cell[p,Y] - popped                                            fetched
    X@h rejects       reg + failed - top[h,X] + reject; likewise empty rejects; stays rejected: reject
    X@h overruns      reg + full - top[h,X] + overran; stays overran: overran
    accept            accept

    Where the next symbol a has not been read, the tokens of the third to fifth line have look[a] besides, and so ask
    again: they are named "... before a". A run is start, then each symbol of the word and its answers, then the end
    and its answers.

Rules
    Last token look[a] (or end), on {reg, top[h,X]}: the entries of the token for the parser's move on X before a.
    Last token look[a], on {reg, empty}: empty rejects; at end: accept. On {reg, failed}: reject; {reg, full}: overran.
    Last token look[a], on {reg, popped}: look[a].
    Last token fetch[p], on {reg, cell[p,Y]}: reg + top[p,Y] - cell[p,Y] - popped.

Invariant
    Call reg's entries S[reg, .]. Whenever a token has been appended, exactly one of the entries at top[.,.], empty,
    popped, failed and full is 1, the others are 0: the *top register*. While it is at top[h,X] the entries at cell[p,.]
    hold the stack below: for p < h one is 1, for the symbol at height p, the rest are 0, and all are 0 for p >= h;
    while it is at popped the same holds with the height h of the last pop. The start token makes it so. A symbol has no
    coordinate reg and changes nothing. The last token names look[a], fetch[p], both, or nothing to ask.
    * look[a] alone: the top register is not at popped, so of its rules those of one entry fire, with S = 1 and
      z[e] = 1: the answer is the token above. Appended it takes the 1 from that entry, gives it to another, and writes
      into cells h .. h+k-2, which were 0: the registers are *replaced*, and the parser's move is made.
    * fetch[p] (p = h-1): the top register is at popped; of cell[p,.] one entry is 1, say Y. The rules of fetch[p]
      answer the token "Y@p on top"; if the token has look[a] too, the only rule of look[a] that fires adds look[a].
    Everything that is read is 0 or 1, so the arithmetic is exact in any format, at any length. Entries such as
    S[reg, reg] and S[reg, look[a]] count, and no rule reads them.

Cost
    Let n be the number of pairs (h, X) that top has, at most D times the symbols that can be on a stack, c that of
    cell, at most n. d <= n + c + |T| + D + 9; at most |T| + D heads (one for each look and fetch), the same function as
    the rules on all inputs; at most n (|T| + 1) (m + 5) + 4 c + 7 (|T| + 1) rules, for alternatives of m symbols; all
    entries in {-1, 0, 1}. A move is an answer, and a pop that leaves something one more, the symbol that it uncovers.

Source
    A stack as registers: the delta rule of fast weights (arXiv 2310.16076, section 2) with differences written into the
    values, as in `automaton`. A finite automaton for the same words has a state for each of the up to |G|^D stacks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

import numpy as np

from compiler.program.grammar import Grammar, body_text
from compiler.program.prediction import END
from compiler.program.words import spell
from compiler.program_to_rules.grammar_places import Place, placed, places_of
from compiler.program_to_rules.lowered_grammar import (
    EMPTY,
    FAILED,
    FULL,
    POPPED,
    REG,
    START,
    STAYS,
    LoweredGrammar,
    before,
    cell,
    fetch,
    fetched,
    letter,
    look,
    top,
)
from compiler.program_to_rules.lowering import Asks
from compiler.program_to_rules.machine import OUTCOMES
from compiler.rules import Form
from compiler.vocabulary import Vocabulary

Vector: TypeAlias = Mapping[str, int]


def grammar_to_rules(program: Grammar) -> LoweredGrammar:
    """The construction that the module's docstring states and proves. Raises UnsupportedError where it is too large."""
    made = _Layer(program)
    for place in made.tops:
        for ahead in (*program.alphabet, END):
            made.move(place, ahead)
    made.stop()
    made.fetch()
    form = Form.of(made.coordinates(), made.rules)
    tokens = Vocabulary.named(made.tokens, form.coordinates)
    asking = tuple(name for name in form.coordinates if name.startswith(("look[", "fetch[")) or name == "end")
    asked = np.array([any(name in vector for name in asking) for vector in made.tokens.values()])
    given = {START, *map(letter, (*program.alphabet, END))}
    replies = np.array([Asks.NOTHING if name in given else Asks.APPENDED for name in tokens], dtype=np.int8)
    asks = np.where(asked, Asks.APPENDED, Asks.NOTHING).astype(np.int8)
    return LoweredGrammar(program, form, tokens, asks, replies, tuple(made.tops), tuple(made.cells), made.answers)


class _Layer:
    """The tokens and rules of a grammar as they are found."""

    def __init__(self, program: Grammar) -> None:
        self.program = program
        self.tops, self.cells = places_of(program)
        self.tokens: dict[str, Vector] = {START: {REG: 1, top((1, program.start)): 1}}
        self.tokens |= {letter(ahead): {look(ahead): 1} for ahead in (*program.alphabet, END)}
        self.answers: dict[tuple[Place | str, str], str] = {}
        self.rules: list[tuple[str, str, str, str, int]] = []
        self.uncovered: dict[int, set[str | None]] = {}
        """Height -> before which symbols it is fetched; None: after one was read."""

    def coordinates(self) -> tuple[str, ...]:
        """All coordinates, in order."""
        full = any(FULL in vector for vector in self.tokens.values())
        return (
            REG,
            *map(top, self.tops),
            EMPTY,
            FAILED,
            *map(cell, self.cells),
            *map(fetch, sorted(self.uncovered)),
            *[POPPED] * bool(self.uncovered),
            *[FULL] * full,
            *map(look, (*self.program.alphabet, END)),
            *(OUTCOMES[outcome] for outcome in OUTCOMES if outcome in ("accepted", "rejected")),
            *[OUTCOMES["overran"]] * full,
        )

    def _answer(self, value: Place | str, ahead: str, name: str, vector: Vector) -> None:
        self.tokens.setdefault(name, vector)
        self.answers[value, ahead] = name
        self._read(value if isinstance(value, str) else top(value), look(ahead), vector)

    def _read(self, value: str, last: str, vector: Vector) -> None:
        self.rules += [(coordinate, REG, value, last, weight) for coordinate, weight in vector.items()]

    def move(self, place: Place, ahead: str) -> None:
        """The answer to `ahead` where the stack's topmost symbol is at `place`."""
        (h, symbol), gone = place, {REG: 1, top(place): -1}
        shown = f"{spell(symbol)}@{h}"
        move = self.program.move(symbol, ahead)
        if move is None:
            self._answer(place, ahead, f"{shown} rejects", gone | {FAILED: 1, OUTCOMES["rejected"]: 1})
            return
        height = h - 1 + len(move.pushed)
        if height > self.program.depth:
            self._answer(place, ahead, f"{shown} overruns", gone | {FULL: 1, OUTCOMES["overran"]: 1})
            return
        name, still = f"{shown} -> {body_text(move.pushed)}", None if move.reads else ahead
        if move.pushed == (symbol,):
            name, vector = "stay", {REG: 1}
        elif move.pushed:
            first, *rest = placed(move.pushed, height)
            vector = gone | {top(first): 1} | {cell(each): 1 for each in rest}
        elif h > 1:
            self.uncovered.setdefault(h - 1, set()).add(still)
            vector = gone | {POPPED: 1, fetch(h - 1): 1}
        else:
            vector = gone | {EMPTY: 1}
        self._answer(place, ahead, before(name, still), vector | ({} if move.reads else {look(ahead): 1}))

    def stop(self) -> None:
        """The answers where the stack is empty or the word is decided."""
        rejects = {REG: 1, EMPTY: -1, FAILED: 1, OUTCOMES["rejected"]: 1}
        full = any(FULL in vector for vector in self.tokens.values())
        for ahead in (*self.program.alphabet, END):
            if ahead == END:
                self._answer(EMPTY, ahead, "accept", {OUTCOMES["accepted"]: 1})
            else:
                self._answer(EMPTY, ahead, "empty rejects", rejects)
            self._answer(FAILED, ahead, STAYS[FAILED], {OUTCOMES["rejected"]: 1})
            if full:
                self._answer(FULL, ahead, STAYS[FULL], {OUTCOMES["overran"]: 1})

    def fetch(self) -> None:
        """What a pop uncovers is put on top."""
        for place in self.cells:
            vector = {REG: 1, top(place): 1, cell(place): -1, POPPED: -1}
            kept = self.uncovered.get(place[0], set())
            for ahead in (None, *self.program.alphabet, END):
                if ahead in kept:
                    self.tokens[fetched(place, ahead)] = vector | ({} if ahead is None else {look(ahead): 1})
            if kept:
                self._read(cell(place), fetch(place[0]), vector)
        for ahead in (*self.program.alphabet, END):
            if any(ahead in kept for kept in self.uncovered.values()):
                self._read(POPPED, look(ahead), {look(ahead): 1})
