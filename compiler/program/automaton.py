"""Deterministic finite automata: acceptors, Moore machines and Mealy machines, total or partial.

A missing transition rejects: the rest of the word is read in a sink that accepts nothing and emits nothing.
Nondeterminism and epsilon moves exist in the language only; `algebra.determinise` removes them on the way here.

>>> parity = Automaton("parity", ("0", "1"), ("even", "odd"), "even",
...     {("even", "0"): "even", ("even", "1"): "odd", ("odd", "0"): "odd", ("odd", "1"): "even"},
...     accept=frozenset({"even"}))
>>> parity.run("0110").outcome
'accepted'
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from compiler.errors import ProgramError
from compiler.program.run import Example, Outcome, Run
from compiler.program.words import check_word, parse_word, unspeakable

if TYPE_CHECKING:
    import networkx

    from compiler.program.properties import Property


@dataclass(frozen=True, slots=True)
class Automaton:
    """A deterministic automaton (Q, Sigma, delta, q0, F) with outputs on states or on transitions.

    Attributes
    ----------
    alphabet, states
        Sigma and Q, in the order of the source; that order numbers the coordinates of the compiled layer.
    start
        q0.
    transitions
        delta, partial: (state, symbol) -> state.
    accept
        F; None for a transducer that does not judge its input.
    moore
        Outputs of states, state -> symbol, or None. Every state has one.
    mealy
        Outputs of transitions, (state, symbol) -> symbol, or None. Every transition has one.
    examples
        Promises that `check` runs.
    properties
        Promises about all runs, which `check` and `verify` decide. Like examples they say nothing about what the
        automaton does, so automata that differ in them alone are equal.

    Raises
    ------
    ProgramError
        At construction, with every violation of the above.
    """

    name: str
    alphabet: tuple[str, ...]
    states: tuple[str, ...]
    start: str
    transitions: Mapping[tuple[str, str], str]
    accept: frozenset[str] | None = None
    moore: Mapping[str, str] | None = None
    mealy: Mapping[tuple[str, str], str] | None = None
    examples: tuple[Example, ...] = field(default=(), compare=False)
    properties: tuple[Property, ...] = field(default=(), compare=False)

    def __post_init__(self) -> None:
        problems = self.violations()
        if problems:
            raise ProgramError(f"automaton {self.name}: " + "; ".join(problems))

    def violations(self) -> list[str]:
        """Everything that is wrong with this value; empty for a legal automaton."""
        states, alphabet = frozenset(self.states), frozenset(self.alphabet)
        found = unspeakable(self.name)
        if not self.states:
            found.append("it has no states")
        if not self.alphabet or "" in alphabet:
            found.append("its alphabet has no symbols, or an empty one")
        if len(states) != len(self.states) or len(alphabet) != len(self.alphabet):
            found.append("a state or a symbol is declared twice")
        if self.start not in states:
            found.append(f"its start state {self.start!r} is not a state")
        if strangers := sorted((self.accept or frozenset()) - states):
            found.append(f"it accepts in {strangers[0]!r}, which is not a state")
        for (state, symbol), target in self.transitions.items():
            if state not in states or symbol not in alphabet or target not in states:
                found.append(f"the transition {state!r}, {symbol!r} -> {target!r} names an unknown state or symbol")
        if self.moore is not None and self.mealy is not None:
            found.append("it has outputs on states and on transitions; choose one")
        if self.moore is not None and set(self.moore) != states:
            found.append("in a Moore machine every state emits one symbol")
        if self.mealy is not None and set(self.mealy) != set(self.transitions):
            found.append("in a Mealy machine every transition emits one symbol")
        if self.mealy is not None and not self.mealy:
            found.append("a Mealy machine without transitions emits nothing; leave its outputs out")
        if self.accept is None and self.moore is None and self.mealy is None:
            found.append("it neither accepts nor emits: mark accepting states or give outputs")
        return found or self._misfits()

    def _misfits(self) -> list[str]:
        """Properties about symbols that no run shows."""
        strangers = {str(claim): set(claim.language.alphabet) - set(self.shown) for claim in self.properties}
        does = "emits" if self.is_transducer else "reads"
        return [
            f"its property {claim} is about {min(odd)!r}, which it never {does}"
            for claim, odd in strangers.items()
            if odd
        ]

    @property
    def kind(self) -> str:
        """The keyword of the language: ``automaton``."""
        return "automaton"

    @property
    def is_transducer(self) -> bool:
        """Whether it emits outputs."""
        return self.moore is not None or self.mealy is not None

    @property
    def outputs(self) -> tuple[str, ...]:
        """The output alphabet, in order of first use."""
        emitted: Iterable[str] = ()
        if self.moore is not None:
            emitted = (self.moore[state] for state in self.states)
        elif self.mealy is not None:
            emitted = (self.mealy[q, s] for q in self.states for s in self.alphabet if (q, s) in self.mealy)
        return tuple(dict.fromkeys(emitted))

    @property
    def shown(self) -> tuple[str, ...]:
        """What properties read: the outputs, or, where there are none, the alphabet."""
        return self.outputs if self.is_transducer else self.alphabet

    def emitted(self, state: str | None, symbol: str | None, target: str | None) -> str | None:
        """The output on entering `target` from `state` by `symbol`; with `symbol` None, on starting there."""
        if target is None:
            return None
        if self.moore is not None:
            return self.moore[target]
        if self.mealy is None or state is None or symbol is None:
            return None
        return self.mealy[state, symbol]

    def outcome(self, state: str | None) -> Outcome:
        """How a word ends that leads to `state` (None: off the automaton, by a missing transition)."""
        if state is None:
            return "rejected"
        if self.accept is None:
            return "answered"
        return "accepted" if state in self.accept else "rejected"

    def word(self, word: str | Iterable[str]) -> tuple[str, ...]:
        """`word` as symbols; a string is read by the rule of `words`. Raises WordError."""
        return parse_word(word, self.alphabet) if isinstance(word, str) else check_word(word, self.alphabet)

    def step(self, state: str | None, symbol: str) -> str | None:
        """The state after `symbol`; None where the transition is missing, and from None on."""
        return None if state is None else self.transitions.get((state, symbol))

    def path(self, word: Iterable[str]) -> list[str | None]:
        """The states on the way, n + 1 of them; None from the first missing transition on."""
        state: str | None = self.start
        visited = [state]
        for symbol in word:
            state = self.step(state, symbol)
            visited.append(state)
        return visited

    def run(self, word: str | Iterable[str]) -> Run:
        """Run the automaton on `word`: the reference interpreter. Raises WordError."""
        symbols = self.word(word)
        path = self.path(symbols)
        emitted = [self.emitted(None, None, self.start)]
        emitted += [self.emitted(*step) for step in zip(path[:-1], symbols, path[1:], strict=True)]
        output = tuple(symbol for symbol in emitted if symbol is not None)
        return Run(symbols, self.outcome(path[-1]), output, len(symbols))

    def reachable(self) -> tuple[str, ...]:
        """The states that some word leads to, breadth first, letters in the order of the alphabet."""
        found = {self.start: None}
        queue = [self.start]
        for state in queue:
            for symbol in self.alphabet:
                target = self.transitions.get((state, symbol))
                if target is not None and target not in found:
                    found[target] = None
                    queue.append(target)
        return tuple(found)

    def renamed(self, names: Mapping[str, str], *, name: str | None = None) -> Automaton:
        """The same automaton with other names for its states (injective on them) and, if given, for itself."""
        return Automaton(
            name or self.name,
            self.alphabet,
            tuple(names[q] for q in self.states),
            names[self.start],
            {(names[q], s): names[t] for (q, s), t in self.transitions.items()},
            None if self.accept is None else frozenset(names[q] for q in self.accept),
            None if self.moore is None else {names[q]: out for q, out in self.moore.items()},
            None if self.mealy is None else {(names[q], s): out for (q, s), out in self.mealy.items()},
            self.examples,
            self.properties,
        )

    def with_examples(self, examples: Iterable[Example]) -> Automaton:
        """The same automaton with these examples."""
        return replace(self, examples=tuple(examples))

    def minimised(self) -> Automaton:
        """The least automaton with the same outcomes and outputs; see `minimise`."""
        from compiler.program.minimise import minimise

        return minimise(self)

    @classmethod
    def from_networkx(cls, graph: networkx.MultiDiGraph[Any], *, name: str = "automaton") -> Automaton:
        """An automaton from a directed (multi)graph; nondeterminism is removed.

        Node attributes: ``start`` and ``accept`` (truthy), ``emits`` (Moore). Edge attributes: ``symbol`` (or
        ``label``; absent or None for an epsilon move) and ``emits`` (Mealy). Nodes become states by their `str`.

        Raises
        ------
        ProgramError
            Without exactly one start node, or with outputs on a nondeterministic graph.
        """
        from compiler.program.networks import from_networkx

        return from_networkx(graph, name=name)

    def __str__(self) -> str:
        from compiler.program.program_to_text import automaton_to_text

        return automaton_to_text(self)


def fresh(name: str, taken: Iterable[str]) -> str:
    """`name`, or `name` with the least number behind it that makes it new among `taken`."""
    used = frozenset(taken)
    if name not in used:
        return name
    return next(f"{name}{number}" for number in range(1, len(used) + 2) if f"{name}{number}" not in used)
