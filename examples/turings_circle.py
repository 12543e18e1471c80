"""Turing's circle: a universal machine in one layer of linear attention, learned from runs of random small machines.

Usage: python examples/turings_circle.py        (about twenty seconds)

The bounds are 2 states, 2 symbols and 4 cells. Random machines are run on random tapes; the rules of a universal
machine are learned from their tokens, exactly; a certificate says that the data determine them on every machine, every
tape and every cell of the head, at any number of steps; the learned layer is proved to be the universal machine; and
then it is given the two-state busy beaver in its prompt, and runs it. `attnc demo` shows the same in plain words; this
is how to do it from Python.
"""

from __future__ import annotations

from dataclasses import replace
from time import perf_counter

import attnc

BOUNDS = attnc.UniversalMachine("any", states=2, symbols=2, cells=4)


def main() -> None:
    """Learn, certify, prove, run, read back."""
    began = perf_counter()
    data = attnc.generate(BOUNDS, certified=True)
    print(f"1. {len(data):,} runs of random machines show all that a machine within the bounds can do.")
    learned = attnc.learn(data, program=BOUNDS)
    report = learned.report
    print(f"2. Learned from {data.samples:,} answers: exact {report.exact}, certified {report.certified}.")
    verdict = attnc.verify(BOUNDS, learned.model)
    print(f"3. Is it a universal machine? {verdict.verdict}, for runs of {verdict.lengths} lengths.")
    champion = replace(attnc.load("busy_beaver_2"), cells=4, head=2, examples=())
    run = learned.model.run("", given=champion)
    print(f"4. The busy beaver, in the prompt: {run.outcome} after {run.steps} steps, tape {''.join(run.output)}.")
    print("   Its tokens: " + " | ".join(run.tokens))
    read = attnc.decompile(replace(learned.model, program=None))
    print(f"5. Read back from the learned weights, with a proof:\n{read}")
    print(f"All of this took {perf_counter() - began:.0f} s.")
    assert report.exact
    assert report.certified
    assert verdict
    assert (run.outcome, run.steps, run.output) == ("halted", 6, ("1",) * 4)


if __name__ == "__main__":
    main()
