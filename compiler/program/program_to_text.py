"""Program values to source text that parses back to the same value: `str(program)`, and what models carry.

The text stands on its own: expressions and imports are gone, every state and transition is written out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from compiler.program.automaton import Automaton
from compiler.program.grammar import Grammar, body_text
from compiler.program.machine import Machine
from compiler.program.memory import Memory
from compiler.program.properties import Property
from compiler.program.run import Example, Item
from compiler.program.universal import UniversalAutomaton, UniversalMachine
from compiler.program.words import spell, spell_word

_MOVES = {-1: "left", 0: "stay", 1: "right"}
_STOPS = {"accepted": "accept", "rejected": "reject", "halted": "halt"}


def _listed(symbols: Iterable[str]) -> str:
    return ", ".join(spell(symbol) for symbol in symbols)


def _title(name: str) -> str:
    """The name of a program, which is quoted where it would be read as a number."""
    return f'"{name}"' if name.isascii() and name.isdigit() else spell(name)


def _block(header: str, clauses: Iterable[str]) -> str:
    return header + " {\n" + "".join(f"  {clause}\n" for clause in clauses) + "}\n"


def automaton_to_text(program: Automaton) -> str:
    """An automaton, state by state; rules with the same target and output share a line."""
    clauses = [f"alphabet {_listed(program.alphabet)}"]
    clauses += [_automaton_state(program, state) for state in program.states]
    clauses += [_property(program, claim) for claim in program.properties]
    examples = _examples(program.examples, program.alphabet, program.outputs)
    return _block(f"automaton {_title(program.name)}", clauses + examples)


def _property(program: Automaton, claim: Property) -> str:
    """A property with the states of its language."""
    language = claim.over(program.shown).language
    states = "; ".join(_automaton_state(language, state) for state in language.states)
    return f"{claim.kind} {_title(claim.language.name)} {{ {states} }}"


def _automaton_state(program: Automaton, state: str) -> str:
    marks = "start " * (state == program.start) + "accept " * (state in (program.accept or ()))
    if program.is_transducer and program.accept == frozenset() and state == program.start:
        marks += "reject "  # it judges, and accepts nothing
    emits = f" emits {spell(program.moore[state])}" if program.moore is not None else ""
    groups: dict[tuple[str, str | None], list[str]] = {}
    for symbol in program.alphabet:
        if (target := program.transitions.get((state, symbol))) is not None:
            output = None if program.mealy is None else program.mealy[state, symbol]
            groups.setdefault((target, output), []).append(symbol)
    rules = "; ".join(
        f"{_listed(symbols)} -> {spell(target)}" + (f" emits {spell(output)}" if output is not None else "")
        for (target, output), symbols in groups.items()
    )
    return f"{marks}state {spell(state)}{emits} {{ {rules} }}" if rules else f"{marks}state {spell(state)}{emits} {{ }}"


def memory_to_text(program: Memory) -> str:
    """A memory, of names or of real vectors."""
    if isinstance(program.keys, int) or isinstance(program.values, int):
        clauses = [f"keys real {program.keys}", f"values real {program.values}"]
    else:
        clauses = [f"keys {_listed(program.keys)}", f"values {_listed(program.values)}"]
    if program.dimensions is not None:
        clauses.append(f"dimensions {program.dimensions} seed {program.seed}")
    clauses.append(f"write {program.write}")
    if program.stored:
        clauses.append("store " + _items(program.stored))
    for example in program.examples:
        answers = ", ".join(symbol if symbol == "absent" else spell(symbol) for symbol in example.result)
        clauses.append(f"example {_items(example.word)} {example.verb} " + (answers or '""'))
    return _block(f"memory {_title(program.name)}", clauses)


def _items(items: Sequence[Item]) -> str:
    spelled = (spell(item) if isinstance(item, str) else f"{spell(item[0])} = {spell(item[1])}" for item in items)
    return ", ".join(spelled) or '""'


def machine_to_text(program: Machine) -> str:
    """A machine; each action in full where it differs from staying and leaving all as it is."""
    clauses = [f"blank {spell(program.blank)}"]
    if program.alphabet:
        clauses.append(f"alphabet {_listed(program.alphabet)}")
    if program.marks:
        clauses.append(f"marks {_listed(program.marks)}")
    clauses += [f"cells {program.cells}", f"head {program.head}"]
    if program.steps is not None:
        clauses.append(f"steps {program.steps}")
    for state in program.states:
        rules = "; ".join(f"{spell(symbol)} -> {_action(program, state, symbol)}" for symbol in program.symbols)
        clauses.append(f"{'start ' * (state == program.start)}state {spell(state)} {{ {rules} }}")
    return _block(
        f"machine {_title(program.name)}", clauses + _examples(program.examples, program.alphabet, program.symbols)
    )


def _action(program: Machine, state: str, symbol: str) -> str:
    action = program.actions[state, symbol]
    parts = [f"write {spell(action.write)}"] * (action.write != symbol)
    parts += [_MOVES[action.move]] * (action.move != 0)
    if action.stop is not None:
        parts.append(_STOPS[action.stop])
    elif action.target is not None and action.target != state:
        parts.append(spell(action.target))
    return ", ".join(parts) or "stay"


def grammar_to_text(program: Grammar) -> str:
    """A grammar, a line for each nonterminal."""
    clauses = [f"alphabet {_listed(program.alphabet)}", f"depth {program.depth}"]
    for left, bodies in program.rules.items():
        alternatives = " | ".join(map(body_text, bodies))
        clauses.append(f"{'start ' * (left == program.start)}{spell(left)} -> {alternatives}")
    examples = _examples(program.examples, program.alphabet, ())
    return _block(f"grammar {_title(program.name)}", clauses + examples)


def universal_to_text(program: UniversalAutomaton | UniversalMachine) -> str:
    """A universal program. Its examples name other programs, so they are left out: the text stands on its own."""
    clauses = [f"states {program.states}", f"symbols {program.symbols}"]
    if isinstance(program, UniversalMachine):
        clauses.append(f"cells {program.cells}")
    return _block(f"{program.kind} {_title(program.name)}", clauses)


def _examples(examples: Iterable[Example], alphabet: Sequence[str], output: Sequence[str]) -> list[str]:
    written = []
    for example in examples:
        word = spell_word([item for item in example.word if isinstance(item, str)], alphabet)
        result = ""
        if example.verb == "gives":
            result = " " + spell_word(example.result, output)
        written.append(f"example {word} {example.verb}{result}")
    return written
