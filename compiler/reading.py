"""Reading a model that does not name its coordinates as a model of a program: which coordinate, or direction, is which.

Its coordinates are called x[0], x[1], ... With embeddings, the linear map that takes the program's tokens to them says
what they are; without, an order of the coordinates in which the rules are the program's. Where there is neither, they
are taken in the program's own order, or, to be judged, left as they are (`own_coordinates`). What was found is said,
and is part of what a verdict rests on.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple, get_args

from compiler.change_of_basis import basis, fractions, in_basis, rationals
from compiler.coordinate_order import order_of
from compiler.errors import ModelError, TooLargeError
from compiler.exact import times
from compiler.heads_to_rules import exact_rules, products
from compiler.model import Model
from compiler.model_for_program import model_for_program, reordered
from compiler.own_coordinates import in_own_coordinates
from compiler.program import Program, UniversalAutomaton, UniversalMachine
from compiler.program_to_rules.lower import Fewest, lower
from compiler.program_to_rules.lowering import Lowering
from compiler.rules import Form, Weight
from compiler.vocabulary import Vocabulary

MOST_PRODUCTS = 100_000
"""The most products of a weight of V and one of Q, of a model whose coordinates are put in an order."""
MOST_COORDINATES = 500
"""The most coordinates that are put in an order: the search may go as deep."""
MOST_DIMENSIONS = 200
"""The most dimensions of a basis that is found from embeddings."""
IN_ORDER = "the model names no coordinates; they are read in the program's own order"
ANGLES = "the map changes angles: which token is nearest is measured in the program's coordinates"
LENGTHS = "the map changes all lengths by one factor: a tolerance is measured in the program's coordinates"
OWN_COORDINATES = (
    "the model is judged in coordinates of its own: its tokens are known by their names, and an answer is decoded to "
    "the nearest of its embeddings"
)


class Reading(NamedTuple):
    """A model over a program's coordinates, and how it came there, in words; none for one that names them."""

    model: Model
    how: tuple[str, ...]


def read_as(model: Model, program: Program) -> Reading:
    """`model` as a model of `program`: by the names of its coordinates, or by what can be found out where it has none.

    Raises
    ------
    ModelError, UnsupportedError
        As `model_for_program` does; ModelError for a model of other dimensions than the program's.
    """
    lowering = None if named(model) else _lowering(program, model.d)
    if lowering is None:
        return Reading(model_for_program(model, program), ())
    found = _found(lowering, model)
    return found if isinstance(found, Reading) else Reading(_claimed(model, lowering), (f"{IN_ORDER} ({found})",))


def read_to_judge(model: Model, program: Program, *, to_scale: bool = False) -> Reading:
    """As `read_as`; but where no order or basis is found, a model that embeds the tokens keeps its own coordinates.

    So does one in a basis that changes angles, unless it has the program's rules there: which of its tokens is nearest
    is for its own embeddings to say. With `to_scale` so does one in a basis that changes lengths: a tolerance is in
    the model's. Raises as `read_as` does.
    """
    own = None if named(model) else in_own_coordinates(model, program)
    if own is None:
        return read_as(model, program)
    lowering = lower(program)
    if model.d != len(lowering.coordinates):
        why = f"it has {model.d} dimensions and the program {len(lowering.coordinates)}"
    else:
        found = _found(lowering, model)
        if isinstance(found, Reading):
            keeps = ANGLES not in found.how and not (to_scale and LENGTHS in found.how)
            if keeps or (not to_scale and _same_rules(found.model, lowering)):
                return found
            found = "the map that takes the program's tokens to its embeddings changes distances"
        why = found
    return Reading(own, (f"{OWN_COORDINATES} ({why})",))


def _same_rules(model: Model, lowering: Lowering) -> bool:
    """Whether the model has the rules of the program; not, where its heads are too dense to tell."""
    if products(model.heads) > MOST_PRODUCTS:
        return False
    form, below = exact_rules(model.heads, model.coordinates)
    return form == replace(lowering.form, weights=times(lowering.form.weights, below))


def _found(lowering: Lowering, model: Model) -> Reading | str:
    """The reading in the order or basis that is found, for a model of as many dimensions; or why there is none."""
    shared = [name for name in lowering.tokens if name in model.vocabulary]
    ours, theirs = (
        each.chosen([each.numbers[name] for name in shared]) for each in (lowering.tokens, model.vocabulary)
    )
    if not shared or ours.differing(theirs):
        why = ""
        for search in (_order, _mapped) if shared else (_order,):
            try:
                return search(lowering, model, ours, theirs)
            except (ModelError, TooLargeError) as problem:
                why = str(problem)
        return why
    return Reading(_claimed(model, lowering), (f"{IN_ORDER} (the embeddings are the program's)",))


def read_alike(left: Model, right: Model) -> tuple[Reading, Reading]:
    """Two models; where one names its coordinates and claims to be a program, the other, if it names none, as that.

    Raises as `read_as` does.
    """
    if not named(right) and named(left) and left.program is not None:
        return Reading(left, ()), read_as(right, left.program)
    if not named(left) and named(right) and right.program is not None:
        return read_as(left, right.program), Reading(right, ())
    return Reading(left, ()), Reading(right, ())


def named(model: Model) -> bool:
    """Whether the coordinates of `model` have names, other than by their numbers."""
    return model.coordinates != tuple(f"x[{n}]" for n in range(model.d))


def _lowering(program: Program, d: int) -> Lowering:
    """The first construction of `program` that has `d` coordinates. Raises ModelError."""
    universal = isinstance(program, UniversalAutomaton | UniversalMachine)
    sizes = []
    for fewest in (None, *get_args(Fewest)) if universal else (None,):
        lowering = lower(program, fewest=fewest)
        if len(lowering.coordinates) == d:
            return lowering
        sizes.append(len(lowering.coordinates))
    wanted = " or ".join(map(str, sorted(set(sizes))))
    raise ModelError(
        f"the model is not over the coordinates of {program.kind} {program.name}: it has {d} dimensions and no names "
        f"for them, against {wanted} (`attnc show` lists them)"
    )


def _claimed(model: Model, lowering: Lowering) -> Model:
    """`model`, its coordinates called as those of `lowering`, and its tokens completed by the program's."""
    return model_for_program(replace(model, coordinates=lowering.coordinates), lowering.program)


def _order(lowering: Lowering, model: Model, ours: Vocabulary, theirs: Vocabulary) -> Reading:
    """The reading with the coordinates in an order that makes the rules equal. Raises ModelError, TooLargeError."""
    if products(model.heads) > MOST_PRODUCTS or model.d > MOST_COORDINATES:
        size = f"{model.d:,} coordinates and {products(model.heads):,} products of weights"
        raise TooLargeError(f"with {size} no other order is searched for")
    given = exact_rules(model.heads, model.coordinates)
    seen = [list(map(tuple, each.dense().astype(object).T.tolist())) for each in (ours, theirs)]
    for wanted in _targets(lowering):
        if (place := order_of(wanted, given, seen)) is not None:
            return _ordered(lowering, model, place)
    raise ModelError("no other order makes its rules the program's")


def _targets(lowering: Lowering) -> Iterator[tuple[Form, int]]:
    """The rules of a program, and those of its compiled heads, which are more where they are equal only on its runs."""
    yield lowering.form, 1
    if products(lowering.heads) <= MOST_PRODUCTS:
        yield exact_rules(lowering.heads, lowering.coordinates)


def _ordered(lowering: Lowering, model: Model, place: list[int]) -> Reading:
    names = [""] * model.d
    for name, number in zip(lowering.coordinates, place, strict=True):
        names[number] = name
    renamed = replace(model, coordinates=tuple(names), tokens={})
    read = model_for_program(reordered(renamed, lowering.coordinates), lowering.program)
    if place == sorted(place):
        return Reading(read, (f"{IN_ORDER} (in which its rules are the program's)",))
    lines = (f"  coordinate {number} is {name}" for number, name in enumerate(names))
    return Reading(read, ("the model names no coordinates; this order makes its rules the program's:", *lines))


def _mapped(lowering: Lowering, model: Model, ours: Vocabulary, theirs: Vocabulary) -> Reading:
    """The reading in the basis that takes the program's tokens to the model's. Raises ModelError, TooLargeError."""
    if model.d > MOST_DIMENSIONS:
        raise TooLargeError(f"a basis of {model.d:,} dimensions is not searched for, but of up to {MOST_DIMENSIONS}")
    found = basis(ours.dense(), theirs.dense())
    if found.rank < (needed := rationals(lowering.tokens.dense()).rank()):
        raise ModelError(
            f"the embeddings leave the basis open: they span {found.rank} of {needed} dimensions of tokens"
        )
    read = replace(model, coordinates=lowering.coordinates, heads=in_basis(model.heads, found), tokens={})
    rows = fractions(found.map).tolist()
    lines = [f"  coordinate {number} = {_combination(row, lowering)}" for number, row in enumerate(rows)]
    if found.rank < model.d:
        lines.append(f"the tokens span {found.rank} of {model.d} dimensions; beyond them the map is one of many")
    if not found.similar:
        lines.append(ANGLES)
    elif not found.isometric:
        lines.append(LENGTHS)
    head = "the model names no coordinates; this map takes the program's tokens to its embeddings:"
    return Reading(model_for_program(read, lowering.program), (head, *lines))


def _combination(row: list[Weight], lowering: Lowering) -> str:
    terms = []
    for name, weight in zip(lowering.coordinates, row, strict=True):
        if weight != 0:
            size = "" if abs(weight) == 1 else f"{abs(weight)} "
            terms.append(f"{'-' if weight < 0 else '+'} {size}{name}")
    return " ".join(terms).removeprefix("+ ") or "0"
