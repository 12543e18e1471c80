"""``attnc verify``."""

from __future__ import annotations

from dataclasses import asdict
from fractions import Fraction
from typing import TYPE_CHECKING

import click

from attnc.cli import DONE, NO, UNDECIDED
from attnc.cli.parameters import Distance
from attnc.cli.printing import json_option, print_json
from attnc.cli.references import heads_option, model_or_program
from compiler.program.words import shorten

if TYPE_CHECKING:
    from compiler.model import Model
    from compiler.program import Program
    from verify.verdict import Counterexample, PropertyVerdict, Verdict

STATUS = {"proved": DONE, "refuted": NO, "undecided": UNDECIDED}


@click.command("verify")
@click.argument("a")
@click.argument("b")
@click.option(
    "--level", type=click.Choice(["everywhere", "domain", "decisions", "tested"]), help="Decide just this level."
)
@click.option(
    "--up-to", type=click.IntRange(min=1), metavar="N", help="Only words of up to N symbols count (decisions, tested)."
)
@click.option(
    "--tolerance",
    type=Distance(),
    default="0",
    help="Decisions have to stay right however an answer is moved by up to T; means --level decisions.",
)
@click.option("--proof", type=click.Path(), metavar="FILE.json", help="Store why, for a small independent checker.")
@click.option("--check", type=click.Path(), metavar="FILE.json", help="Check a stored proof instead.")
@heads_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    a: str,
    b: str,
    level: str | None,
    up_to: int | None,
    tolerance: Fraction,
    proof: str | None,
    check: str | None,
    heads: int | None,
    as_json: bool,
) -> None:
    """Decide whether A and B are the same: a program and a model, two models, or two programs.

    Without --level the strongest level that holds is found: the same function everywhere, the same on every
    configuration that the program can reach, or the same decisions (the nearest token), at every length or up to the
    horizon. A refutation shows the shortest counterexample. Properties of the program (always, never) are decided on
    the model too; the exit status does not depend on them. A model may be
    one that something else wrote, the weights of a layer in a .safetensors or .npz file.
    """
    from verify.verdict import LEVELS
    from verify.verify import verify

    if up_to is not None and level in ("everywhere", "domain"):
        raise click.UsageError(f"--up-to bounds lengths, and level {level} speaks of every length")
    left, right = (model_or_program(each, heads) for each in (a, b))
    if check is not None:
        if tolerance or (level, up_to, proof) != (None, None, None):
            raise click.UsageError("--check checks what a file claims, with no other option than --heads and --json")
        _check(ctx, *_program_and_model(left, right), check, as_json)
        return
    if proof is not None:
        from compiler.files.proof_file import ENDING
        from compiler.files.writing import check_target

        check_target(proof, ENDING)
        _program_and_model(left, right)
    found: Verdict = verify(left, right, level=level, up_to=up_to, tolerance=tolerance)  # type: ignore[arg-type]
    if proof is not None:
        from compiler.files.proof_file import save_proof
        from verify.proofs import proof_of

        save_proof(proof_of(*_program_and_model(left, right), found), proof)
    if as_json:
        print_json(asdict(found) | {"tolerance": str(found.tolerance)})
    else:
        words = {"proved": "", "refuted": "not ", "undecided": "no difference was found, which proves nothing: "}
        click.echo(f"{found.verdict} ({found.level}): {words[found.verdict]}{LEVELS[found.level]}{_lengths(found)}")
        if found.counterexample is not None:
            shown = found.counterexample
            click.echo(f"  counterexample  {_word(shown)}")
            click.echo(
                f"  expected        {shown.expected}\n  got             {shown.got}\n  at              {shown.at}"
            )
        if found.counterexample is not None and found.counterexample.blame is not None:
            click.echo(f"  most to blame   {found.counterexample.blame}")
        for line in found.witness:
            click.echo(f"  {line}")
        for assumption in found.assumptions:
            click.echo(f"  {assumption}")
        for each in found.properties:
            click.echo(f"  {_property(each)}")
        click.echo(f"  digests {found.program[:16]} {found.model[:16]}, {found.seconds:.2f} s")
    ctx.exit(STATUS[found.verdict])


def _program_and_model(first: Program | Model, second: Program | Model) -> tuple[Program, Model]:
    """The program and the model among two things, in either order."""
    from compiler.model import Model

    if isinstance(first, Model) == isinstance(second, Model):
        raise click.UsageError("a proof speaks of a program and a model")
    return (second, first) if isinstance(first, Model) else (first, second)  # type: ignore[return-value]


def _check(ctx: click.Context, program: Program, model: Model, path: str, as_json: bool) -> None:
    """Say whether the stored proof at `path` is accepted, and what it claims."""
    from compiler.files.proof_file import load_proof
    from verify.proofs import check_proof
    from verify.verdict import LEVELS

    stored = load_proof(path)
    reason = check_proof(stored, program, model)
    claim = stored.claim
    if as_json:
        print_json({"accepted": reason is None, "reason": reason, "claim": claim})
    elif reason is None:
        lengths = "" if claim["lengths"] is None else f", lengths {claim['lengths']}"
        click.echo(f"accepted: {claim['verdict']} ({claim['level']}{lengths}): {LEVELS[claim['level']]}")
    else:
        click.echo(f"rejected: {reason}")
    if reason is not None:
        ctx.exit(NO)


def _word(shown: Counterexample) -> str:
    """The input of a counterexample, with what is repeated in parentheses."""
    letters = [str(item) for item in shown.input]
    if shown.repeated is not None:
        begin, end, times = shown.repeated
        letters[begin:end] = [f"({', '.join(letters[begin:end])}) {times:,} times"]
    return ", ".join(letters) or "the empty word"


def _property(each: PropertyVerdict) -> str:
    """A line on a property: what holds, and why."""
    said: str = each.verdict
    if each.lengths is not None:
        said += ", at every length" if each.lengths == "all" else f", on words of up to {each.lengths:,} symbols"
    elif each.word is not None:
        said += f" by {shorten(', '.join(each.word)) or 'the empty word'}"
    return f"{shorten(each.clause)}: {said} ({each.because})"


def _lengths(found: Verdict) -> str:
    """For which lengths the claim is proved, where it speaks of decisions."""
    from verify.verdict import TOKENS

    if found.level != "decisions":
        return ""
    if TOKENS in found.assumptions:
        return f"; so it is in all runs of up to {found.lengths:,} tokens"
    if found.verdict == "proved":
        return ", at every length" if found.lengths == "all" else f", on words of up to {found.lengths:,} symbols"
    return f"; all words of up to {found.lengths:,} symbols are decided rightly"
