"""``attnc certify``."""

from __future__ import annotations

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, print_facts, print_json
from compiler.language.load import load
from compiler.program import Memory
from compiler.program.words import spell


@click.command("certify")
@click.argument("data")
@click.option("--for", "program", required=True, metavar="PROGRAM", help="The program.")
@json_option
@click.pass_context
def command(ctx: click.Context, data: str, program: str, as_json: bool) -> None:
    """Decide whether DATA determine what PROGRAM's model answers, on all that it can reach, at every length."""
    from compiler.files.data_file import load_data
    from compiler.learning.certificate import certify

    source = load(program)
    loaded = load_data(data)
    found = certify(loaded, source)
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
        if word is not None:
            wordless = isinstance(source, Memory) and isinstance(source.keys, int)
            spelled = "; ".join(word) if wordless else ", ".join(map(spell, word))
            what = "to the last of the tokens" if wordless else "at the end of the word"
            click.echo(f"The data leave open what is answered {what} {spelled}.")
        if open_rule is not None:
            first, second = open_rule.said()
            click.echo(
                f"A rule that they do not determine: {open_rule.rule}.\n"
                "A model that has it as well, and what makes up for it on the data, fits them as the learned one does; "
                f"at {', '.join(open_rule.input)} the learned one answers {first}, the other {second}."
            )
        elif not found.certified:
            click.echo("No input was found on which two models that fit the data differ.")
    if not found.certified:
        ctx.exit(NO)
