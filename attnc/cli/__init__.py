"""The command line. Every command lives in a module of its own that is imported when it is called."""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from itertools import takewhile

import click

from attnc.version import __version__
from compiler.errors import AttncError

COMMANDS = {
    "check": "Find mistakes in programs and run their examples.",
    "format": "Lay out program files in the one layout, keeping every comment.",
    "show": "Show a program's coordinates, tokens, rules and heads.",
    "list": "List the programs of the library.",
    "compile": "Compile a program to the weights of one layer of linear attention.",
    "run": "Run a program, or a model of it, on words.",
    "data": "Generate training data from a program's runs.",
    "moments": "Sum up what learning needs to know of data, or of a shard of them.",
    "reduce": "Add up the moments of all shards of data.",
    "learn": "Learn a model from data or from their moments, in polynomial time.",
    "certify": "Decide whether data determine a program's model.",
    "verify": "Decide whether two things are the same: programs or models.",
    "decompile": "Read the program back from a model, with a proof.",
    "explain": "Say which members of the fast-weight family can express a program, and why others cannot.",
    "bench": "Measure: layers of the fast-weight family on formal languages.",
    "demo": "Take three programs through the whole circle, in plain words.",
}

DONE, NO, BAD, UNDECIDED, INTERRUPTED, CUT_OFF = 0, 1, 2, 3, 130, 141
"""Exit status: done or yes; the answer is no; bad input or usage; undecided or unfinished; Ctrl-C; a broken pipe."""

STOPPED = "interrupted; nothing was written half-way"

SHOWN = 100
"""How many mistakes of one file are printed."""


class _Commands(click.Group):
    """The commands, found by name without importing the others."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        del ctx
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = import_module(f"attnc.cli.{cmd_name}_command").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from compiler.program.words import nearest

            near = nearest(args[0], COMMANDS)
            hint = f"did you mean {near}?" if near else "`attnc --help` lists them."
            raise click.UsageError(f"there is no command {args[0]!r}; {hint}", ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, message="attnc %(version)s")
def cli() -> None:
    """Programs into linear attention, and back.

    A PROGRAM is a file (x.attn), a program of a file (x.attn::name) or a name of the library (parity). A model is a
    .safetensors file. Exit status: 0 done or yes, 1 the answer is no, 2 bad input, 3 undecided or unfinished.
    """


def main() -> None:
    """Run the command line; users see messages, never a traceback."""
    try:
        status = _answered()
        sys.stdout.flush()
    except (BrokenPipeError, SystemExit):  # SystemExit: what click and rich make of a broken pipe
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
        status = CUT_OFF
    sys.exit(status)


def _answered() -> int:
    """The exit status of the command. A failure is told on stderr; with --json, in one object on stdout as well."""
    try:
        status = cli.main(standalone_mode=False)
        return status if isinstance(status, int) else DONE
    except click.exceptions.Exit as done:
        return done.exit_code
    except (BrokenPipeError, SystemExit):
        raise
    except (Exception, KeyboardInterrupt) as mistake:
        status, message = _failure(mistake)
        _tell(mistake, message)
        if "--json" in takewhile(lambda argument: argument != "--", sys.argv):
            click.echo(json.dumps({"error": message}, ensure_ascii=False))
        return status


def _tell(mistake: BaseException, message: str) -> None:
    """What people see of it, on stderr."""
    from compiler.errors import SourceError

    if isinstance(mistake, click.ClickException):
        mistake.show()
    elif isinstance(mistake, KeyboardInterrupt | click.Abort | SourceError):
        click.echo(message, err=True)
    else:
        click.echo(f"error: {message}", err=True)


def _failure(mistake: BaseException) -> tuple[int, str]:
    """The exit status and the message of what ended a command."""
    from compiler.errors import DecompileError, SourceError

    match mistake:
        case SourceError():
            count = sum(each.severity == "error" for each in mistake.diagnostics)
            shown = "\n".join(each.render() for each in mistake.diagnostics[:SHOWN])
            more = f", the first {SHOWN} are shown" if count > SHOWN else ""
            return BAD, f"{shown}\n{count} error{'s' * (count != 1)}{more}"
        case DecompileError():
            return UNDECIDED, str(mistake)
        case AttncError():
            return BAD, str(mistake)
        case KeyboardInterrupt() | click.Abort():
            return INTERRUPTED, STOPPED
        case click.ClickException():
            return BAD, mistake.format_message()
        case OSError():
            return BAD, mistake.strerror or str(mistake)
        case MemoryError():
            return BAD, "out of memory; try a smaller program or fewer data"
        case _:
            return BAD, f"{type(mistake).__name__}: {mistake}\nThis is a mistake in attnc; please report it."
