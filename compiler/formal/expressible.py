"""What is proved of layers and languages: whether weights exist, for words of every length.

A model is any number of such layers with feed-forward networks between them, and no positions. "Yes" names a
construction that is right in exact arithmetic, with rates, decays and softmaxes that reach the ends of their ranges, as
they do in floats; where it counts, its numbers grow with the length, or its answers come as close to a threshold as one
likes. "No" is for exact arithmetic too, with thresholds that are finitely many for each answer; what rounding itself
may do is left out (docs/fastweight.md has an example).

**What only adds follows no cycle.** Sums and weighted means, softmax attention among them, compare linear functionals
of what was added with thresholds, finitely many at a fixed precision. compiler/fastweight/automata/potentials.py
proves that such stacks tell two states of a component apart only if sums of weights of letters follow the state there,
layer by layer. The component of parity, or of (aa)*, has no such sum, as a letter whose power comes back to its state
weighs nothing. That of (abab)* has one, which tells a from b, and no more. Reset Dyck-1, on words that are never more
than one deep: r leads from both depths to 0, so r weighs nothing, hence ( weighs nothing, as "(r" is a loop, nor does
), as "()" is one; so after some words the depths 0 and 1 are alike, and ) tells them apart.

**Nor do positive eigenvalues.** Grazzi et al. 2025 (arXiv 2411.12537, theorem 1): at finite precision (aa)*, hence
parity, needs a state transition with an eigenvalue that is negative or not real. I - b k k^T with b <= 1 has 1 - b and
1. (abab)*: on ababab... the transitions of two letters make one, and a product of two positive semidefinite matrices
has real eigenvalues >= 0 as well; so, layer by layer, answers end in a period of 2.

**A sum counts.** With keys and queries whose features are constant, y = sum of v(letter) is any difference of counts. A
feed-forward network sees its sign and whether it is zero, and a second layer sums up the mistakes that the first shows
(a closing bracket with none open: depth < 0; an a after a b: a letter a while the count of b is positive). Member: the
counts are equal, and there are no mistakes. Averages do the same with every count divided by the length.

**Two reflections count.** With one unit key k and rates 2, the delta rule is W k <- 2 v - W k, and two of them with
values v and v' are W k <- W k + 2 (v' - v): DeltaProduct with two steps adds, too. A rate of 1 with value 0 resets a
counter, rate 0 leaves it alone, and rate 1 with value 1 remembers a mistake. With one step a token, a layer before it
knows the parity p = +-1 of the position (W <- 1 - W), so that with v = p c / 2 the sum is p W k <- p W k + c.

**A write that leaves alone what it reads adds.** Self-referential weights W <- W + b (W q - W k) k^T with (q - k) . k =
0 add the same each time: compiler/fastweight/counters/columns.py counts so, and resets by copying a column.

**Halves compare.** A head with one key halves its entry with rate 1/2 and value 0, and sets it to 1 with rate 1 and
value 1. Let one head halve at each a and another at each b: the difference of their answers, 2^-n - 2^-m, has the sign
of m - n, in whatever order the letters come, and a reset sets both to 1. So whatever has the delta rule compares counts
at every length: DeltaNet, the Recurrent Delta network, and the Delta RNN, whose R stays zero if zero is written there.
Nothing grows, but answers come as close to zero as one likes. Compiled weights of DeltaNet and of the Delta RNN do this
as far as floats have room (compiler/fastweight/counters/halves.py), those of the Recurrent Delta network keep a count
in bits, up to 2^23 (compiler/fastweight/counters/bits.py).

**One column at a time is enough for a bit.** The Delta RNN writes one column of R a token, which with W makes any
function of a bit and the token, also where R starts from zero (compiler/fastweight/automata/cascade_to_delta_rnn.py).
The levels of the three regular languages permute points in orbits of two at most.

**Tables can be looked up.** One self-referential layer, or one layer of the Recurrent Delta network, runs any
automaton: compiler/fastweight/automata/table_to_stack.py has the constructions.

**LSTMs** run real-time counter machines, with resets (Weiss et al. 2018, arXiv 1805.04908; Merrill et al. 2020, arXiv
2004.08500), and all eight languages have one.
"""

from __future__ import annotations

REGULAR = ("parity", "(aa)*", "(abab)*")
COUNTING = ("a^n b^n", "a^n b^n c^n", "Shuffle-2", "Dyck-1")
RESETTING = ("reset Dyck-1",)

_STATEMENTS: dict[str, dict[tuple[str, ...], tuple[bool | None, str]]] = {
    "linear": {
        REGULAR + RESETTING: (False, "no sum follows the state (compiler/fastweight/automata/potentials.py)"),
        COUNTING: (True, "sums count; a second layer sums up mistakes"),
    },
    "linear-normalised": {
        REGULAR + RESETTING: (False, "no mean follows the state (compiler/fastweight/automata/potentials.py)"),
        COUNTING: (True, "means are counts divided by the length (arXiv 2009.11264)"),
    },
    "deltanet": {
        REGULAR: (False, "transitions have eigenvalues in [0, 1] (arXiv 2411.12537)"),
        COUNTING + RESETTING: (True, "halves compare counts, in exact arithmetic"),
    },
    "deltanet-negative": {
        REGULAR: (True, "rate 2 is a reflection; a second layer remembers mistakes"),
        COUNTING + RESETTING: (True, "reflections count, given the parity of the position; rate 1 resets"),
    },
    "deltaproduct": {
        REGULAR: (True, "rate 2 is a reflection; a second layer remembers mistakes"),
        COUNTING + RESETTING: (True, "two reflections add; rate 1 resets"),
    },
    "recurrent-delta": {
        REGULAR: (True, "one layer looks up what comes next, for any automaton"),
        COUNTING + RESETTING: (True, "halves compare counts; compiled with counts in bits, below 2^23"),
    },
    "delta-rnn": {
        REGULAR: (True, "a column at a time is enough for a bit, and no orbit has more than two points"),
        COUNTING + RESETTING: (True, "halves compare counts, in exact arithmetic"),
    },
    "srwm": {
        REGULAR: (True, "one layer looks up what comes next, for any automaton"),
        COUNTING + RESETTING: (True, "writes can add; copying a column resets"),
    },
    "softmax": {
        REGULAR + RESETTING: (False, "no mean follows the state (compiler/fastweight/automata/potentials.py)"),
        COUNTING: (True, "means are counts divided by the length (arXiv 2009.11264)"),
    },
    "lstm": {REGULAR + COUNTING + RESETTING: (True, "LSTMs run real-time counter machines (arXiv 1805.04908)")},
}

EXPRESSIBLE = {
    (layer, task): statement
    for layer, statements in _STATEMENTS.items()
    for tasks, statement in statements.items()
    for task in tasks
}
"""(layer, language): whether it can be expressed, or None, and why."""
