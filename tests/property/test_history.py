"""Histories against the interpreters and against registers: every word up to the bound, and what they cost."""

import doctest
import json
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

from attnc.cli import cli
from compiler.errors import ModelError, UnsupportedError, WordError
from compiler.files.model_file import load_model, model_from_bytes, model_to_bytes, save_model
from compiler.heads_to_rules import live_rules
from compiler.language.load import load
from compiler.model import Model
from compiler.model_for_program import model_for_program, reordered
from compiler.program import Automaton, Machine, Program
from compiler.program.run import Run
from compiler.program.words import spell
from compiler.program_to_model import compile
from compiler.program_to_rules.history import MOST_COORDINATES, MOST_TOKENS
from compiler.program_to_rules.history_automaton import AutomatonHistory, automaton_history, automaton_width
from compiler.program_to_rules.history_machine import MachineHistory, machine_history
from compiler.program_to_rules.history_tape import machine_width
from compiler.program_to_rules.lower import lower, lowering_for
from compiler.program_to_rules.lowering import Lowering
from compiler.rules import Form
from compiler.runtime.stream import Stream
from verify.strategies import automata, machines

PAGE = Path(__file__).parents[2] / "docs" / "constructions.md"
BOUNDS = st.integers(1, 4)


drawn_machines = machines(max_cells=4, max_steps=8).filter(lambda machine: machine.steps != 0) | machines(
    max_cells=4, max_steps=None
)


def words_up_to(program: Automaton | Machine, longest: int) -> list[tuple[str, ...]]:
    return [word for length in range(longest + 1) for word in product(program.alphabet, repeat=length)]


def same(run: Run, expected: Run) -> bool:
    return run.agrees_with(expected) and run.steps == expected.steps


def answers_are_tokens(run: Run, lowering: Lowering) -> bool:
    """Whether the raw answers, in order, are exactly the vectors of the last tokens of the run."""
    assert run.answers is not None
    fed = run.tokens[len(run.tokens) - len(run.answers) :]
    return all(np.array_equal(answer, lowering.tokens[name]) for answer, name in zip(run.answers, fed, strict=True))


def legal(lowering: Lowering) -> bool:
    """Distinct tokens and rules over {-1, 0, 1}, and heads that are the rules on all pairs that tokens have."""
    vectors = [tuple(vector.tolist()) for vector in lowering.tokens.values()]
    model = Model(lowering.coordinates, lowering.heads, lowering.tokens, lowering.program)
    return (
        lowering.form.violations() == []
        and set(lowering.form.weights.tolist()) <= {-1, 1}
        and set(model.entries().tolist()) <= {-1, 1}
        and len(set(vectors)) == len(vectors)
        and {entry for vector in vectors for entry in vector} <= {0, 1}
        and len({head.name for head in model.heads}) == len(model.heads)
        and live_rules(model.heads, model.coordinates, lowering.tokens.pairs()) == lowering.form
    )


@given(automata(), BOUNDS)
def test_an_automaton_runs_on_all_words_up_to_its_bound(program: Automaton, bound: int) -> None:
    lowering, model = lower(program, "history", bound), compile(program, construction="history", bound=bound)
    stream = Stream(model)
    for word in words_up_to(program, bound)[:130]:
        run, expected = model.run(word), program.run(word)
        assert same(run, expected)
        assert list(run.tokens) == lowering.trace(word)
        assert len(run.tokens) == 2 * len(word) + 1
        assert answers_are_tokens(run, lowering)
        assert same(model.run(word, decode="raw"), expected)
        assert stream.run(word)[:3] == (expected.outcome, expected.output, expected.steps)


@given(automata(), BOUNDS)
def test_an_automaton_costs_what_is_said(program: Automaton, bound: int) -> None:
    lowering = automaton_history(program, bound)
    registers = lower(program)
    states, letters = len(lowering.states), len(program.alphabet)
    outputs = registers.form.d - 1 - states - letters
    d = (bound + 1) * states + bound * letters + bound + outputs + (program.moore is not None)
    assert lowering.form.d == d == automaton_width(program, bound)
    assert len(lowering.heads) <= states + (len(program.outputs) if program.mealy is not None else 0)
    assert lowering.longest == lowering.most_answers == bound
    assert legal(lowering)


@given(automata(), BOUNDS)
def test_the_rules_of_an_automaton_are_those_that_are_stated(program: Automaton, bound: int) -> None:
    lowering, registers = automaton_history(program, bound), lower(program)
    rules = []
    for (q, a), i in product(product(lowering.states, program.alphabet), range(1, bound + 1)):
        target = registers.next_state(q, a)
        vector = registers.tokens[registers.answers[q, a]]
        said = [name for n, name in enumerate(registers.coordinates) if vector[n] and name.startswith(("e", "a", "d"))]
        read = (f"position[{i}]", f"word[{spell(a)},{i}]", f"state[{spell(q)},{i}]")
        rules += [(answer, *read, 1) for answer in (f"state[{spell(target)},{i - 1}]", *said)]
    assert lowering.form == Form.of(lowering.coordinates, rules)


@settings(max_examples=60)
@given(drawn_machines, st.integers(1, 6))
def test_a_machine_runs_on_all_inputs(program: Machine, bound: int) -> None:
    lowering, model = lower(program, "history", bound), compile(program, construction="history", bound=bound)
    stream = Stream(model)
    for word in words_up_to(program, min(3, program.cells - program.head)):
        run, expected = model.run(word), program.run(word, steps=bound)
        assert same(run, expected)
        assert list(run.tokens) == lowering.trace(word)
        assert len(run.tokens) == program.cells + 1 + (expected.steps - 1) * (program.cells + 1) + 1
        assert answers_are_tokens(run, lowering)
        assert same(model.run(word, decode="raw"), expected)
        assert stream.run(word)[:3] == (expected.outcome, expected.output, expected.steps)


@given(drawn_machines, st.integers(1, 6))
def test_a_machine_costs_what_is_said(program: Machine, bound: int) -> None:
    lowering = machine_history(program, bound)
    most = min(bound, program.steps or bound)
    n, symbols, states = program.cells, len(program.symbols), len(program.states)
    outcomes = lower(program).form.d - n * (states + symbols + 1)
    d = n * ((most + 1) * (symbols + 1) + most * states + (most - 1) * (states + symbols)) + outcomes
    assert lowering.form.d == d == machine_width(program, most)
    assert len(lowering.heads) == states + (2 if most > 1 else 0)
    assert lowering.most_answers == (most - 1) * (n + 1) + 1
    assert legal(lowering)


@given(drawn_machines, st.integers(1, 4))
def test_the_rules_of_a_machine_are_those_that_are_stated(program: Machine, bound: int) -> None:
    lowering = machine_history(program, bound)
    most, n, names = lowering.bound, program.cells, [spell(symbol) for symbol in program.symbols]
    rules = []
    back = set()
    for i, p, g in product(range(most), range(n), program.symbols):
        held = (f"cell[{p},{i}]", f"symbol[{p},{spell(g)},{i}]")
        for q in program.states:
            vector = lowering.tokens[lowering.writes[q, g, p, i]]
            written = [each for each, entry in zip(lowering.coordinates, vector.tolist(), strict=True) if entry]
            rules += [(each, *held, f"conf[{q},{p},{i}]", 1) for each in written]
            kept = [each for each in written if each.startswith(("old", "next"))]
            back |= {(f"cell[{p},{i + 1}]", each, f"cell[{(p - 1) % n},{i + 1}]") for each in kept}
        if i + 1 < most:
            copied = (f"cell[{p},{i + 1}]", f"symbol[{p},{spell(g)},{i + 1}]")
            rules += [(each, *held, f"cell[{(p - 1) % n},{i + 1}]", 1) for each in copied]
    for cell, each, last in back:
        if each.startswith("next"):
            rules.append((each.replace("next", "conf"), cell, each, last, 1))
        else:
            rules += [(taken, cell, each, last, -1) for taken in (cell, each.replace("old", "symbol"))]
    assert lowering.form == Form.of(lowering.coordinates, rules)
    assert all(f"old[0,{name},1]" in lowering.coordinates for name in names) == (most > 1)


@given(automata(), drawn_machines, BOUNDS)
def test_files_hold_histories(automaton: Automaton, machine: Machine, bound: int) -> None:
    for program in (automaton, machine):
        model = compile(program, construction="history", bound=bound)
        read = model_from_bytes(model_to_bytes(model))
        assert read.digest() == model.digest()
        word = program.alphabet[:1] if isinstance(program, Automaton) or program.cells > program.head else ()
        assert read.run(word) == model.run(word)


@given(automata(), drawn_machines, BOUNDS, st.randoms(use_true_random=False))
def test_histories_are_known_by_their_coordinates(automaton: Automaton, machine: Machine, bound: int, random) -> None:
    for program, kind in ((automaton, AutomatonHistory), (machine, MachineHistory)):
        model = compile(program, construction="history", bound=bound)
        order = list(model.coordinates)
        random.shuffle(order)
        fitted = model_for_program(replace(reordered(model, tuple(order)), tokens={}), program)
        assert fitted.coordinates == model.coordinates
        assert fitted.digest() == model.digest()
        assert isinstance(lowering_for(program, order), kind)
        assert not isinstance(lowering_for(program, lower(program).coordinates), kind)
        assert not isinstance(lowering_for(program, order[1:]), kind)


def test_a_saved_history_runs(tmp_path: Path) -> None:
    increment = replace(load("increment"), cells=8, examples=())
    save_model(compile(increment, construction="history", bound=20), tmp_path / "m.safetensors")
    run = load_model(tmp_path / "m.safetensors").run("0111")
    assert (run.outcome, "".join(run.output), run.steps, len(run.tokens)) == ("halted", "1000", 9, 82)


def test_the_command_line_makes_and_runs_histories(tmp_path: Path) -> None:
    target = str(tmp_path / "m.safetensors")
    options = ["--construction", "history", "--bound", "20", "--cells", "8", "-o", target, "--json"]
    made = CliRunner().invoke(cli, ["compile", "increment", *options])
    assert (made.exit_code, json.loads(made.stdout)["dimension"]) == (0, 1754)
    assert load_model(target).program == replace(load("increment"), cells=8, examples=())
    run = CliRunner().invoke(cli, ["run", "increment", "0111", "--cells", "8", "--model", target, "--json"])
    assert run.exit_code == 0, run.output
    shown = json.loads(run.stdout)["runs"][0]
    assert (shown["outcome"], shown["output"], shown["steps"], shown["tokens"]) == ("halted", list("1000"), 9, 82)


def test_a_bound_ends_a_machine_unfinished() -> None:
    beaver = load("busy_beaver_2")
    for bound in range(1, 8):
        model, expected = compile(beaver, construction="history", bound=bound), beaver.run("", steps=bound)
        assert same(model.run(""), expected)
        assert expected.outcome == ("halted" if bound > 5 else "unfinished")
    bounded = replace(beaver, steps=4)
    assert compile(bounded, construction="history").d == compile(beaver, construction="history", bound=4).d
    assert compile(bounded, construction="history", bound=9).d == compile(bounded, construction="history").d
    assert compile(bounded, construction="history", bound=9).run("").steps == 4


def test_a_run_may_be_cut_anywhere() -> None:
    """While it copies, the tape is that of the step whose write has been answered."""
    increment = replace(load("increment"), cells=6, examples=())
    model = compile(increment, construction="history", bound=10)
    stream = Stream(model)
    for most in range(7, 50):
        run, expected = model.run("011", max_tokens=most), increment.run("011", steps=(most - 1) // 7)
        assert run.outcome == "unfinished"
        assert same(run, expected)
        assert stream.run("011", max_tokens=most)[:3] == ("unfinished", expected.output, expected.steps)


def test_moore_machines_say_the_start_on_every_length() -> None:
    light = load("traffic_light")
    model = compile(light, construction="history", bound=3)
    assert model.run(()).output == ("go",)
    assert model.run(("tick",)).output == ("go", "slow")
    assert model.run(("tick",)).tokens == ("1=tick", "start green@1", "amber@0")


def test_names_that_look_alike_stay_apart() -> None:
    odd = Automaton(
        "odd", ("0", "1@1", "a,1"), ("1", "0,1", "start"), "1", {("1", "0"): "0,1"}, accept=frozenset({"0,1"})
    )
    model = compile(odd, construction="history", bound=2)
    assert all(same(model.run(word), odd.run(word)) for word in words_up_to(odd, 2))


@pytest.mark.parametrize("bound", [0, -1, 2.5, None])
def test_bounds_that_are_none(bound: int | None) -> None:
    for name in ("parity", "increment"):
        with pytest.raises(UnsupportedError, match="bound"):
            compile(load(name), construction="history", bound=bound)


def test_refusals() -> None:
    parity, beaver = load("parity"), load("busy_beaver_4")
    with pytest.raises(UnsupportedError, match="neither"):
        compile(load("capitals"), construction="history", bound=3)
    with pytest.raises(UnsupportedError, match="registers run without a bound"):
        compile(parity, bound=3)
    with pytest.raises(UnsupportedError, match="no construction 'prose'"):
        compile(parity, construction="prose", bound=3)  # type: ignore[arg-type]
    with pytest.raises(UnsupportedError, match=r"would have 25,003 coordinates, more than 20,000"):
        compile(parity, construction="history", bound=5_000)
    with pytest.raises(UnsupportedError, match=r"up to the bound 1,000 would have [\d,]+ coordinates"):
        compile(beaver, construction="history", bound=1_000)
    with pytest.raises(UnsupportedError, match="bound"):
        compile(replace(beaver, steps=0), construction="history", bound=3)
    with pytest.raises(WordError, match=r"21 symbols.*bounded by 20"):
        compile(parity, construction="history", bound=20).run("0" * 21)


def test_too_many_tokens_are_refused() -> None:
    states, letters = (tuple(f"{kind}{n}" for n in range(40)) for kind in "qa")
    moves = {(q, a): states[(n + m) % 40] for n, q in enumerate(states) for m, a in enumerate(letters)}
    wide = Automaton("wide", letters, states, "q0", moves, accept=frozenset({"q1"}))
    assert automaton_width(wide, 140) < MOST_COORDINATES
    with pytest.raises(UnsupportedError, match=f"tokens, more than {MOST_TOKENS:,}"):
        compile(wide, construction="history", bound=140)


def test_models_of_another_bound_or_program_are_no_histories_of_it() -> None:
    model = compile(load("parity"), construction="history", bound=4)
    with pytest.raises(ModelError, match="not over the coordinates"):
        model_for_program(model, load("mod3"))
    renamed = replace(
        model, coordinates=tuple(name.replace("position[4]", "position[9]") for name in model.coordinates)
    )
    with pytest.raises(ModelError, match="not those of automaton parity"):
        renamed.run("0")
    increment = load("increment")
    longer = compile(increment, construction="history", bound=3)
    with pytest.raises(ModelError, match="not over the coordinates"):
        model_for_program(longer, replace(increment, steps=2))


def test_wrong_heads_are_seen() -> None:
    """Each head of a history is needed: without it some word runs otherwise, or decides nothing."""
    increment = replace(load("increment"), cells=5, examples=())
    for program, bound, words in ((load("parity"), 3, ["01", "111"]), (increment, 12, ["0111", "01"])):
        model = compile(program, construction="history", bound=bound)
        for number in range(len(model.heads)):
            less = replace(model, heads=model.heads[:number] + model.heads[number + 1 :])
            assert not all(_runs_alike(less, program, word) for word in words), model.heads[number].name


def _runs_alike(model: Model, program: Program, word: str) -> bool:
    try:
        return same(model.run(word, max_tokens=500), program.run(word))
    except ModelError:
        return False


def rows_of_the_page() -> list[list[str]]:
    """The rows of the measured table."""
    lines = PAGE.read_text(encoding="utf-8").partition("## Measured")[2].splitlines()
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines if line.startswith("|")][2:]


@pytest.mark.parametrize("row", rows_of_the_page(), ids=lambda row: "-".join(row[:4]))
def test_the_page_tells_what_is_measured(row: list[str]) -> None:
    name, cells, construction, bound, *costs, word, steps, tokens = row
    program = load(name)
    if cells and int(cells) != program.cells:
        program = replace(program, cells=int(cells), examples=())
    model = compile(program, construction=construction, bound=int(bound.replace(",", "")) if bound else None)
    entries = sum(len(matrix.rows) for head in model.heads for matrix in (head.V, head.Q))
    assert [int(cost.replace(",", "")) for cost in costs] == [model.d, len(model.heads), entries, len(model.tokens)]
    run = model.run(word.strip("`"))
    assert (run.steps, len(run.tokens)) == (int(steps), int(tokens))
    assert run.agrees_with(program.run(word.strip("`")))


def test_the_page_measures_both() -> None:
    rows = rows_of_the_page()
    assert len(rows) >= 12
    assert {row[2] for row in rows} == {"registers", "history"}


def test_the_examples_of_the_page() -> None:
    found = doctest.testfile(str(PAGE), module_relative=False)
    assert (found.failed, found.attempted > 5) == (0, True)
