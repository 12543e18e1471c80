"""What is proved of layers and languages: whether weights exist, for words of every length.

A model is any number of such layers with feed-forward networks between them, and no positions. "Yes" names a
construction that is right in exact arithmetic, with rates and decays that reach the ends of their ranges, as sigmoids
in floats do; where it counts, its numbers grow with the length. "No" holds at every fixed precision, or even exactly
where it says so.

**Additive layers cannot count modulo anything.** Grazzi et al. 2025 (arXiv 2411.12537, theorem 1): at finite precision
(aa)*, hence parity, needs a state transition with an eigenvalue that is not real or is negative. Sums have the identity;
I - b k k^T with b <= 1 has 1 - b and 1. (abab)*: on ababab... the transitions of two letters make one, and a product of
two positive semidefinite matrices has real eigenvalues >= 0 as well; so, layer by layer, answers end in a period of 2.

**Averages cannot even see length.** On a...a all tokens are the same, in every layer, and their weighted mean is what
it was after one letter. So the answers after a and aa are equal, exactly. On ababab... the answers of a layer at the two
letters converge, each monotonically from some length on, so at a fixed precision they end in a period of 2.

**A sum counts.** With keys and queries whose features are constant, y = sum of v(letter) is any difference of counts. A
feed-forward network sees its sign and whether it is zero, and a second layer sums up the mistakes that the first shows
(a closing bracket with none open: depth < 0; an a after a b: a letter a while the count of b is positive). Member: the
counts are equal, and there are no mistakes. Averages do the same with every count divided by the length.

**Two reflections count.** With one unit key k and rates 2, the delta rule is W k <- 2 v - W k, and two of them with
values v and v' are W k <- W k + 2 (v' - v): DeltaProduct with two steps adds, too. A rate of 1 with value 0 resets a
counter, rate 0 leaves it alone, and rate 1 with value 1 remembers a mistake. With one step a token, a layer before it
knows the parity p = +-1 of the position (W <- 1 - W), so that with v = p c / 2 the sum is p W k <- p W k + c.

**Rates of 1 make a recurrent network.** With a constant key and rate 1 the Recurrent Delta network has y = v = W_v x +
R_v tanh(y before): the simple recurrent network, which runs every finite automaton (Minsky 1967; with saturated units
Merrill et al. 2020, arXiv 2004.08500). LSTMs run real-time counter machines, with resets (Weiss et al. 2018, arXiv
1805.04908; Merrill et al. 2020), and all eight languages have one.
"""

from __future__ import annotations

REGULAR = ("parity", "(aa)*", "(abab)*")
COUNTING = ("a^n b^n", "a^n b^n c^n", "Shuffle-2", "Dyck-1")
RESETTING = ("reset Dyck-1",)

_STATEMENTS: dict[str, dict[tuple[str, ...], tuple[bool | None, str]]] = {
    "linear": {
        REGULAR: (False, "transitions have no negative eigenvalue (arXiv 2411.12537)"),
        COUNTING: (True, "sums count; a second layer sums up mistakes"),
        RESETTING: (None, "sums forget nothing; no proof either way"),
    },
    "linear-normalised": {
        REGULAR[:2]: (False, "on one letter the mean is constant, exactly"),
        REGULAR[2:]: (False, "at fixed precision, means end in a period of 2 on ababab..."),
        COUNTING: (True, "means are counts divided by the length (arXiv 2009.11264)"),
        RESETTING: (None, "means forget nothing; no proof either way"),
    },
    "deltanet": {
        REGULAR: (False, "transitions have eigenvalues in [0, 1] (arXiv 2411.12537)"),
        COUNTING + RESETTING: (None, "fast weights stay bounded; no counter is known"),
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
        REGULAR: (True, "rate 1 makes it a simple recurrent network, which runs automata"),
        COUNTING + RESETTING: (None, "fast weights stay bounded; no counter is known"),
    },
    "delta-rnn": {REGULAR + COUNTING + RESETTING: (None, "not settled here")},
    "srwm": {REGULAR + COUNTING + RESETTING: (None, "not settled here")},
    "softmax": {
        REGULAR[:2]: (False, "on one letter the mean is constant, exactly"),
        REGULAR[2:]: (False, "at fixed precision, means end in a period of 2 on ababab..."),
        COUNTING: (True, "means are counts divided by the length (arXiv 2009.11264)"),
        RESETTING: (None, "no proof either way without positions"),
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
