"""``attnc certify``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, print_facts, print_json
from compiler.errors import UnsupportedError
from compiler.language.load import load
from compiler.program import Memory, Program
from compiler.program.words import spell

if TYPE_CHECKING:
    from compiler.traces.data_set import DataSet


@click.command("certify")
@click.argument("data")
@click.option("--for", "program", required=True, metavar="PROGRAM", help="The program.")
@click.option("--certificate", metavar="C.json", help="Write the certificate, for a checker that trusts no learner.")
@click.option("--check", metavar="C.json", help="Check such a file instead, in exact arithmetic, by a small checker.")
@json_option
@click.pass_context
def command(
    ctx: click.Context, data: str, program: str, certificate: str | None, check: str | None, as_json: bool
) -> None:
    """Decide whether DATA determine what PROGRAM's model answers, on all that it can reach, at every length."""
    from compiler.files.certificate_file import ENDING
    from compiler.files.data_file import load_data
    from compiler.files.writing import check_target
    from compiler.learning.certificate import certify

    if certificate is not None and check is not None:
        raise click.UsageError("--certificate writes a file and --check reads one; give one of them")
    if certificate is not None:
        check_target(certificate, ENDING)
    source = load(program)
    loaded = load_data(data)
    if check is not None:
        _check(ctx, loaded, source, check, as_json)
        return
    found = certify(loaded, source)
    if certificate is not None and found.certified:
        _write(loaded, source, certificate)
    word = None if found.undetermined is None else list(found.undetermined)
    facts = {"certified": found.certified, "samples": loaded.samples, "rank": found.rank, "span": found.span}
    open_rule = None if found.certified else found.witness
    if as_json:
        shown = None
        if open_rule is not None:
            first, second = open_rule.said()
            shown = {"rule": str(open_rule.rule), "input": list(open_rule.input), "answers": [first, second]}
        print_json(facts | {"undetermined": word, "witness": shown})
    else:
        print_facts(facts)
        if open_rule is not None:
            first, second = open_rule.said()
            where = _input(source, open_rule.input)
            click.echo(
                f"The data leave open what is answered at the end of the input {where}.\n"
                f"A rule that they do not determine: {open_rule.rule}.\n"
                "A model that has it as well, and what makes up for it on the data, fits them as the learned one does; "
                f"there the learned one answers {first}, the other {second}."
            )
        elif not found.certified:
            lacking = "" if word is None else f" They do not show all of the input {_input(source, word)}."
            click.echo(
                f"The data do not show all of the {found.span:,} dimensions that are asked for.{lacking} No input was "
                "found on which two models that fit the data differ, so nothing is shown to be undetermined."
            )
    if not found.certified:
        ctx.exit(NO)


def _input(source: Program, names: Sequence[str]) -> str:
    """An input for people; one of a memory of vectors is its tokens."""
    wordless = isinstance(source, Memory) and isinstance(source.keys, int)
    return "; ".join(names) if wordless else ", ".join(map(spell, names))


def _check(ctx: click.Context, data: DataSet, program: Program, path: str, as_json: bool) -> None:
    """Say whether the stored certificate at `path` is accepted."""
    from compiler.files.certificate_file import load_certificate
    from verify.certified import check_certificate

    reason = check_certificate(load_certificate(path), data, program)
    if as_json:
        print_json({"accepted": reason is None, "reason": reason})
    else:
        click.echo("accepted: the data are certified" if reason is None else f"rejected: {reason}")
    if reason is not None:
        ctx.exit(NO)


def _write(data: DataSet, program: Program, path: str) -> None:
    """Write the certificate, which its checker accepts."""
    from compiler.files.certificate_file import save_certificate
    from compiler.learning.stored_certificate import stored_certificate
    from verify.certified import check_certificate

    stored = stored_certificate(data, program)
    reason = check_certificate(stored, data, program)
    if reason is not None:
        raise UnsupportedError(f"the data are certified, but this version cannot store why: {reason}")
    save_certificate(stored, path)
