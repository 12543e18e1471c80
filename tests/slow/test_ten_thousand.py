"""Ten thousand random machines, ten thousand traces of random memories, every token; the five-state champion."""

import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from simulated import ENDS, Token, Tokens, random_machine, token

import attnc
from attnc.storage import load, save
from compiler.program import Machine, UniversalMachine
from compiler.program.memory import Memory
from compiler.program_to_model import compile
from compiler.runtime.stream import Stream

SIZES = UniversalMachine("any", 6, 5, 12)
Item = str | tuple[str, str]


def machine_tokens(program: Machine, word: list[str], most: int) -> Iterator[Token]:
    """What the layer is given and answers, by a simulator of its own."""
    tape = {program.head + n: symbol for n, symbol in enumerate(word)}
    for p in range(program.cells):
        yield token(f"cell[{p}]", f"symbol[{p},{tape.setdefault(p, '_')}]")
    state, p = program.start, program.head
    yield token(f"conf[{state},{p}]")
    for _ in range(most):
        read, action = tape[p], program.actions[state, tape[p]]
        written = [f"cell[{p}]", f"symbol[{p},{action.write}]"] if action.write != read else []
        without = [f"symbol[{p},{read}]"] * bool(written)
        tape[p], p, state = action.write, p + action.move, action.target or ""
        end = ENDS[action.stop] if action.stop else f"conf[{state},{p}]" if p in tape else "overran"
        yield token(end, *written, without=without)
        if not end.startswith("conf"):
            return


def test_ten_thousand_machines() -> None:
    rng = random.Random(2410_10101)
    ends: Counter[str] = Counter()
    for number in range(10_000):
        program = random_machine(rng, SIZES)
        word = rng.choices(program.alphabet, k=rng.randint(0, program.cells - program.head))
        expected = list(machine_tokens(program, word, 100))
        stream = Stream(compile(program))
        known, running = Tokens(stream), stream.start(word, max_tokens=len(expected))
        assert [known[step.name] for step in running.steps()] == expected, number
        ends[running.result().outcome] += 1
    assert min(ends[outcome] for outcome in ("unfinished", "overran", *ENDS)) > 500, "all ways to end were seen"


def random_memory(rng: random.Random) -> Memory:
    keys = tuple(f"k{n}" for n in range(rng.randint(1, 8)))
    values = tuple(f"v{n}" for n in range(rng.randint(1, 6)))
    stored = tuple((rng.choice(keys), rng.choice(values)) for _ in range(rng.choice([0, 0, 1, 3, 6])))
    return Memory("random", keys, values, rng.choice(["latest", "first", "sum"]), stored)  # type: ignore[arg-type]


def memory_tokens(program: Memory, word: list[Item]) -> Iterator[Token]:
    """What the layer is given and answers, and its answers to queries, by a dict of lists."""
    write, table = program.write, {key: ["absent"] for key in program.keys}

    def written(key: str, value: str) -> list[str]:
        held = table[key]
        if held == ["absent"] or write == "latest":
            return [value]
        return held if write == "first" else [*held, value]

    for key, value in program.stored:
        table[key] = written(key, value)
    yield from (token(f"key[{key}]", f"value[{value}]") for key, held in table.items() for value in held)
    for item in word:
        if isinstance(item, str):
            yield token(f"ask[{item}]")
            yield token(*(f"value[{value}]" for value in table[item]))
            continue
        (key, value), before = item, table[item[0]]
        request = [f"key[{key}]", f"next[{value}]"]
        yield token(*request, "now")
        if write == "first":
            yield token("is free" if before == ["absent"] else "is taken")
        table[key] = written(key, value)
        gone = ["now", *(f"value[{old}]" for old in before)]
        yield token(*request, *(f"value[{new}]" for new in table[key]), without=gone)


def test_ten_thousand_traces_of_memories() -> None:
    rng = random.Random(2312_04927)
    asked: Counter[str] = Counter()
    for _ in range(500):
        program = random_memory(rng)
        stream = Stream(compile(program))
        known, pairs = Tokens(stream), [(key, value) for key in program.keys for value in program.values]
        for _ in range(20):
            word = [
                rng.choice(program.keys) if rng.random() < 0.5 else rng.choice(pairs) for _ in range(rng.randint(0, 40))
            ]
            steps = list(stream.start(word).steps())
            found = [
                token(*(f"value[{v}]" for v in step.name.split("+"))) if step.fed is False else known[step.name]
                for step in steps
            ]
            assert found == list(memory_tokens(program, word))
            asked[program.write] += sum(not step.fed for step in steps)
    assert min(asked[write] for write in ("latest", "first", "sum")) > 10_000


def test_the_five_state_champion(tmp_path: Path) -> None:
    """From source to weights to a file and back, to halting on a blank tape of 13,000 cells."""
    program = attnc.load("busy_beaver_5")
    model = compile(program)
    save(model, tmp_path / "champion.safetensors")
    assert (tmp_path / "champion.safetensors").stat().st_size < 20_000_000
    loaded = load(tmp_path / "champion.safetensors")
    assert loaded.digest() == model.digest()
    assert loaded.d == 13_000 * 8 + len({"halted", "overran"})
    assert len(loaded.heads) == 5
    run = Stream(loaded).run("")
    assert (run.outcome, run.steps, run.tokens) == ("halted", 47_176_870, 13_001 + 47_176_870)
    assert run.output.count("1") == 4_098
