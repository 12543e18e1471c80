"""Memories from syntax."""

from __future__ import annotations

from compiler.language.families.context import Context
from compiler.language.families.examples import examples_of, to_verb, unknown
from compiler.language.syntax import ItemSyntax, Name, ProgramSyntax, Setting, Store
from compiler.program.memory import ABSENT, Memory, Write
from compiler.program.run import Example, Item

MAX_DIMENSIONS = 65_536
WRITES: dict[str, Write] = {"latest": "latest", "first": "first", "sum": "sum"}


def to_memory(syntax: ProgramSyntax, context: Context) -> Memory | None:
    """The memory that `syntax` says; None, with mistakes reported, where it says none."""
    settings = context.settings(syntax)
    real = {name: settings.get(f"{name} real") for name in ("keys", "values")}
    for name in ("keys", "values"):
        context.require(syntax, settings.get(name) or real[name], name, f"{name} a, b")
    dimensions, seed = _embedding(settings.get("dimensions"), context)
    name = syntax.name.text
    if any(real.values()):
        return _real(syntax, settings, real, dimensions, seed, context)
    keys, values = context.symbols(settings.get("keys")), context.symbols(settings.get("values"))
    write: Write = WRITES[settings["write"].arguments[0].text] if "write" in settings else "latest"
    for value in settings["values"].arguments if values else ():
        if value.text == ABSENT:
            message = f"`{ABSENT}` is the answer for a missing key, it cannot be a value"
            context.error(value.span, message, "choose another name")
        elif write == "sum" and "+" in value.text:
            context.error(value.span, "with `write sum` answers join values by `+`, so no value may hold it")
    stored = [_pair(item, keys, values, context) for c in syntax.clauses if isinstance(c, Store) for item in c.pairs]
    made = []
    for each in examples_of(syntax):
        word: tuple[Item, ...] = ()
        if not (len(each.word) == 1 and not each.word[0].name.text):
            word = tuple(_item(item, keys, values, context) for item in each.word)
        answers = [answer.name for answer in each.result or ()]
        for answer in answers:
            _check_answer(answer, values, write, context)
        verb = to_verb(each.verb, syntax, context, ("gives",))
        if verb is not None:
            made.append(Example(word, verb, tuple(answer.text for answer in answers if answer.text)))
    if not keys or not values or ABSENT in values:
        return None
    return Memory(name, keys, values, write, tuple(stored), dimensions, seed, tuple(made))


def _real(
    syntax: ProgramSyntax,
    settings: dict[str, Setting],
    real: dict[str, Setting | None],
    dimensions: int | None,
    seed: int,
    context: Context,
) -> Memory | None:
    keys, values = (context.number(real[name], 1, MAX_DIMENSIONS) for name in ("keys", "values"))
    for name in ("keys", "values"):
        if name in settings and not any(other in settings and real[other] for other in real):
            message = "keys and values must both be named or both be `real`"
            context.error(settings[name].span, message, f"give `{name} real` and a number of dimensions")
    for clause in syntax.clauses:
        if isinstance(clause, Store):
            context.error(clause.span, "a memory of real vectors stores nothing by name", "give the pairs in the input")
    for each in examples_of(syntax):
        context.error(each.span, "a memory of real vectors has no words, so it can have no examples")
    if keys is None or values is None:
        return None
    write: Write = WRITES[settings["write"].arguments[0].text] if "write" in settings else "sum"
    return Memory(syntax.name.text, keys, values, write, (), dimensions, seed)


def _embedding(setting: Setting | None, context: Context) -> tuple[int | None, int]:
    if setting is None:
        return None, 0
    seed = Setting("seed", setting.arguments[1:], setting.span) if len(setting.arguments) > 1 else None
    return context.number(setting, 1, MAX_DIMENSIONS), context.number(seed, 0, 2**31 - 1) or 0


def _pair(item: ItemSyntax, keys: tuple[str, ...], values: tuple[str, ...], context: Context) -> tuple[str, str]:
    value = item.value or Name("")
    for name, known, what in ((item.name, keys, "key"), (value, values, "value")):
        if name.text not in known and known:
            unknown(context, name, known, what)
    return item.name.text, value.text


def _item(item: ItemSyntax, keys: tuple[str, ...], values: tuple[str, ...], context: Context) -> Item:
    if item.value is not None:
        return _pair(item, keys, values, context)
    if item.name.text not in keys and keys:
        unknown(context, item.name, keys, "key")
    return item.name.text


def _check_answer(answer: Name, values: tuple[str, ...], write: Write, context: Context) -> None:
    parts = answer.text.split("+") if write == "sum" else [answer.text]
    for part in parts:
        if part not in values and answer.text not in (ABSENT, "") and values:
            unknown(context, Name(part, answer.span), (*values, ABSENT), "value")
