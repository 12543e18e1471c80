"""Rules to heads: a factorisation W[a; b, c; e] = sum_h V_h[a, b] Q_h[c, e], exactly, into few heads with named roles.

Each rule reads an unordered pair {b, c}; a *placement* puts one of the two into V and the other into Q. Two placements
are tried, by the coordinate that one last coordinate reads in more pairs (the hub; for automata the register):

* hub in Q: M has rows (a, b) and columns (c, e), and each non-zero column is a head, "what to do when the last token is
  e": V is the column, Q = E(c, e). For an automaton: one head a letter, at most |Sigma|.
* hub in V: each non-zero row (a, b) is a head, "what can be added to coordinate a": V = E(a, b), Q is the row. For an
  automaton these are reg, the states and the outputs. Rows that are combinations of others with coefficients in
  {-1, 0, 1} are folded into their heads; the rows of the states of an automaton sum to zero (a state is entered when
  another is left), so one of them folds, and |Q| + outputs heads remain.

The placement with fewer heads is taken; the first on a tie. Either way sum_h V_h (x) Q_h has the symmetric part p of
the rules, so the heads are the same function as the rules on all inputs (rules.py). Entries are those of the rules, in
{-1, 0, 1} for automata. Exact rows and columns that are equal up to sign share a head; floats are taken as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from compiler.attention import Head, Sparse
from compiler.rules import Form, Weight, exact_array

Key = tuple[int, int]
Line = dict[Key, Weight]


def rules_to_heads(form: Form) -> tuple[Head, ...]:
    """Heads that are the same function as `form` on all inputs, named by what they do."""
    names = form.coordinates
    found = hubs(form)
    if not form.exact:
        return _real_heads(form, found.turned[found.of_rule])
    turned = found.turned[found.of_rule].tolist()
    rows: dict[Key, Line] = {}
    columns: dict[Key, Line] = {}
    for (e, b, c, a), weight, turn in zip(form.index.tolist(), form.weights.tolist(), turned, strict=True):
        hub, other = (c, b) if turn else (b, c)
        columns.setdefault((hub, e), {})[a, other] = weight
        rows.setdefault((a, hub), {})[other, e] = weight
    by_column, by_row = _shared(columns), _folded(_shared(rows), form.exact)
    if len(by_column) <= len(by_row):
        return tuple(
            Head(joined("on", (names[e] for _, e in keys), 4), matrix_of(line), matrix_of(keys))
            for keys, line in by_column
        )
    return tuple(
        Head(joined("to", (names[a] for a, _ in keys), 3), matrix_of(keys), matrix_of(line)) for keys, line in by_row
    )


def _real_heads(form: Form, turned: NDArray[np.bool_]) -> tuple[Head, ...]:
    """Heads of real-valued rules, of which there may be many: a column or a row each, whichever are fewer."""
    e, low, high, a = form.index.T
    hub, other = np.where(turned, high, low), np.where(turned, low, high)
    by_column, by_row = hub.astype(np.int64) * form.d + e, a.astype(np.int64) * form.d + hub
    on = len(np.unique(by_column)) <= len(np.unique(by_row))
    keys = by_column if on else by_row
    if not len(keys):
        return ()
    order = np.lexsort((other, a, keys) if on else (e, other, keys))
    heads = []
    for mine in np.split(order, np.flatnonzero(np.diff(keys[order])) + 1):
        one, weights = np.ones(1), form.weights[mine]
        if on:
            side, single = Sparse(a[mine], other[mine], weights), Sparse(hub[mine[:1]], e[mine[:1]], one)
            heads.append(Head(joined("on", [form.coordinates[e[mine[0]]]], 4), side, single))
        else:
            side, single = Sparse(other[mine], e[mine], weights), Sparse(a[mine[:1]], hub[mine[:1]], one)
            heads.append(Head(joined("to", [form.coordinates[a[mine[0]]]], 3), single, side))
    return tuple(heads)


class Hubs(NamedTuple):
    """The pairs that rules read, and which side of each is its register.

    Attributes
    ----------
    pairs
        (L, 2): the coordinates (b, c), b <= c, ascending.
    turned
        (L,): whether the register is c.
    of_rule
        (R,): the number of the pair that each rule reads.
    """

    pairs: NDArray[np.int64]
    turned: NDArray[np.bool_]
    of_rule: NDArray[np.int64]


def hubs(form: Form) -> Hubs:
    """The register of each pair: the side that one last coordinate e, of those that read the pair, reads in more pairs.

    Ties are broken by the number of rules in which a coordinate is read, then for b.
    """
    index = form.index.astype(np.int64)
    keys, of_rule = np.unique(index[:, 1] * form.d + index[:, 2], return_inverse=True)
    pairs = np.column_stack([keys // form.d, keys % form.d])
    reads = np.unique(np.column_stack([index[:, 0], of_rule.reshape(-1)]), axis=0)
    ends = pairs[reads[:, 1]]
    distinct = ends[:, 0] != ends[:, 1]
    sides = np.concatenate([reads[:, 0] * form.d + ends[:, 0], (reads[:, 0] * form.d + ends[:, 1])[distinct]])
    known, counts = np.unique(sides, return_counts=True)
    most = np.zeros((len(pairs), 2), dtype=np.int64)
    for side in (0, 1):
        covered = counts[np.searchsorted(known, reads[:, 0] * form.d + ends[:, side])]
        np.maximum.at(most[:, side], reads[:, 1], covered)
    rules = np.bincount(index[:, 1:3].ravel(), minlength=form.d)[pairs]
    turned = (most[:, 1] > most[:, 0]) | ((most[:, 1] == most[:, 0]) & (rules[:, 1] > rules[:, 0]))
    return Hubs(pairs, turned, of_rule.reshape(-1))


def _shared(lines: Mapping[Key, Line]) -> list[tuple[Line, Line]]:
    """Lines that are equal up to sign, together: (the places with their signs, the line)."""
    found: dict[tuple[tuple[Key, Weight], ...], Line] = {}
    for key, line in lines.items():
        entries = sorted(line.items())
        sign = -1 if entries[0][1] < 0 else 1
        found.setdefault(tuple((place, sign * weight) for place, weight in entries), {})[key] = sign
    return [(keys, dict(line)) for line, keys in found.items()]


def _folded(lines: list[tuple[Line, Line]], exact: bool) -> list[tuple[Line, Line]]:
    """`lines` without those that are combinations of earlier ones with coefficients in {-1, 0, 1}.

    The coefficients of a dropped line go into the places of the lines that make it up. Elimination is over the
    rationals, and only where every weight is exact and the lines are few enough for it to be quick.
    """
    if not exact or len(lines) > 400:
        return lines
    kept: list[tuple[Line, Line]] = []
    echelon: list[tuple[Key, dict[Key, Fraction], dict[int, Fraction]]] = []
    for keys, line in lines:
        rest = {key: Fraction(weight) for key, weight in line.items()}
        made: dict[int, Fraction] = {}
        for pivot, basis, combination in echelon:
            if factor := rest.get(pivot):
                _subtract(rest, basis, factor)
                _subtract(made, combination, -factor)
        if rest or any(abs(factor) != 1 for factor in made.values()):
            if rest:
                pivot = min(rest)
                scale = 1 / rest[pivot]
                combination = {n: -factor * scale for n, factor in made.items()} | {len(kept): scale}
                echelon.append((pivot, {key: weight * scale for key, weight in rest.items()}, combination))
            kept.append((dict(keys), line))
            continue
        for number, factor in made.items():
            for key, sign in keys.items():
                kept[number][0][key] = kept[number][0].get(key, 0) + int(factor) * sign
    return kept


def _subtract(line: dict, other: dict, factor: Fraction) -> None:  # type: ignore[type-arg]
    """Line -= factor * other, without leaving zeros."""
    for key, weight in other.items():
        value = line.get(key, Fraction(0)) - factor * weight
        if value:
            line[key] = value
        else:
            line.pop(key, None)


def matrix_of(entries: Line) -> Sparse:
    """The matrix with these entries."""
    places = np.array(list(entries), dtype=np.int32).reshape(-1, 2)
    return Sparse(places[:, 0], places[:, 1], exact_array(entries.values()))


def joined(verb: str, names: Iterable[str], most: int) -> str:
    """The name of a head: `verb` and what it is about, at most `most` of `names`."""
    listed = list(dict.fromkeys(names))
    more = f" and {len(listed) - most} more" if len(listed) > most else ""
    return f"{verb} {', '.join(listed[:most])}{more}"
