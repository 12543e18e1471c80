"""``attnc format``."""

from __future__ import annotations

from pathlib import Path

import click

from attnc.cli import NO
from attnc.cli.printing import json_option, note, print_json


@click.command("format")
@click.argument("program", nargs=-1, required=True)
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if a file is not in the layout.")
@json_option
@click.pass_context
def command(ctx: click.Context, program: tuple[str, ...], check: bool, as_json: bool) -> None:
    """Format files in place, keeping every comment; a library program is printed. A broken file is left alone."""
    from compiler.files.writing import write_bytes
    from compiler.language.load import is_file, module_of
    from compiler.language.syntax_to_text import format_source
    from compiler.language.text_to_tokens import read_source

    changed, printed = [], {}
    for reference in program:
        if not is_file(reference):
            source = module_of(reference)[0].source
            printed[reference] = format_source(source)
            if check and printed[reference] != source.text:
                changed.append(reference)
                note(f"{reference}: is not in the layout")
            elif not check and not as_json:
                click.echo(printed[reference], nl=False)
            continue
        path = Path(reference.split("::")[0])
        formatted = format_source(read_source(path)).encode()
        if formatted != path.read_bytes():
            changed.append(str(path))
            if not check:
                write_bytes(path, formatted)
            note(f"{path}: {'is not in the layout' if check else 'formatted'}")
    if as_json:
        print_json({"changed": changed, "printed": printed})
    if check and changed:
        ctx.exit(NO)
