"""The checker of proofs by hulls, by a system made by hand: what it accepts, and what each refusal says."""

import ast
from fractions import Fraction
from pathlib import Path

import pytest

from compiler.files.proof_file import StoredProof
from verify import check_hull_proof, check_proof, checking
from verify.check_proof import Weights, check

PROVED = {"verdict": "proved", "level": "domain", "lengths": "all"}
IDLE = -1
ASK = 1

# By hand: a start, then as often as one likes a question, which is answered. Tokens are units.


def layer(*rules: tuple[int, int, int, int, int]) -> Weights:
    """A head for each (a, b, c, e, weight): y[a] += weight S[b, c] z[e]."""
    heads = [([(a, b, Fraction(weight))], [(c, e, Fraction(1))]) for a, b, c, e, weight in rules]
    return Weights(3, heads)


START = [[0, 1]]
ONCE = layer((2, 0, 0, ASK, 1))
"""The answer is the third token, as the start came once."""
LATER = layer((2, 1, 1, ASK, 1), (2, 2, 2, ASK, -1))
"""The same, as there was one question more than answers."""


def premises(**changes):
    made = {
        "kind": "guarded",
        "dimension": 3,
        "tokens": [START, [[ASK, 1]], [[2, 1]]],
        "initials": [[IDLE, [[0, 1]], []]],
        "inputs": [ASK],
        "branches": [[ASK, ASK, [[0, 0, 1]], 2, IDLE]],
        "answers": [2],
    }
    return made | changes


def proof(**changes):
    """Rows are 1, then the counts of start, question and answer."""
    idle = [IDLE, [[[0, 1], [1, 1]], [[2, 1], [3, 1]]], [1]]
    asked = [ASK, [[[0, 1], [1, 1], [3, -1]], [[2, 1], [3, 1]]], [0]]
    return {"starts": [0], "nodes": [idle, asked]} | changes


def stored(said=None, shown=None, claim=PROVED) -> StoredProof:
    return StoredProof("", "", claim, premises() if said is None else said, proof() if shown is None else shown)


def node(location, rows, following):
    return [location, rows, following]


IDLE_ROWS, ASK_ROWS = proof()["nodes"][0][1], proof()["nodes"][1][1]


def test_two_models_are_one_program_by_hand():
    assert check(stored(), ONCE) is None
    assert check(stored(), LATER) is None
    assert check(stored(), layer((2, 1, 1, ASK, 1))) == "answers at location 1 differ"
    assert check(stored(), layer((2, 0, 0, ASK, 2))) == "answers at location 1 differ"
    assert check(stored(), layer((2, 0, 0, ASK, 1), (0, 2, 2, ASK, 1))) == "answers at location 1 differ"
    assert check(stored(), layer((2, 0, 0, ASK, 1), (0, 2, 2, 0, 1))) is None, "the start is never asked"
    assert check(stored(), Weights(4, ONCE.heads)) == "it is for layers of another dimension"


def test_weights_that_are_fractions():
    def split(rest: Fraction) -> Weights:
        parts = (Fraction(1, 3), Fraction(3, 2)), (rest, Fraction(1))
        return Weights(3, [([(2, 0, v)], [(0, ASK, q)]) for v, q in parts])

    assert check(stored(), split(Fraction(1, 2))) is None
    assert check(stored(), split(Fraction(1, 3))) == "answers at location 1 differ"


def test_tokens_that_are_no_units():
    """S[0, 0] is 9, S[0, 1] is -3 with an entry more in the start, and the last token has 2."""
    said = premises(tokens=[[[0, 3], [1, -1]], [[ASK, 2]], [[2, 5]]], branches=[[ASK, ASK, [[0, 0, 9]], 2, IDLE]])
    assert check(stored(said), Weights(3, [([(2, 0, Fraction(5, 9))], [(0, ASK, Fraction(1, 2))])])) is None
    assert check(stored(said), Weights(3, [([(2, 0, Fraction(5, 3))], [(1, ASK, Fraction(-1, 2))])])) is None
    assert check(stored(said), Weights(3, [([(2, 1, Fraction(5, 3))], [(0, ASK, Fraction(-1, 2))])])) is None
    for weight in (Fraction(5, 3), Fraction(10, 9), Fraction(1, 9), Fraction(5)):
        wrong = Weights(3, [([(2, 0, weight)], [(0, ASK, Fraction(1, 2))])])
        assert check(stored(said), wrong) == "answers at location 1 differ"


def test_rows_may_have_any_factors():
    """The same hulls by other rows: multiples, sums, and more than are needed."""
    twice, thrice = [[0, 2], [1, 2], [2, 4], [3, 4]], [[2, -3], [3, -3]]
    nodes = [node(IDLE, [twice, thrice], [1]), node(ASK, [[[0, 3], [1, 3], [3, -3]], [[2, 2], [3, 2]]], [0])]
    assert check(stored(shown=proof(nodes=nodes)), ONCE) is not None, "the second place of a row stands in another"
    nodes[0] = node(IDLE, [[[0, 2], [1, 2]], thrice], [1])
    assert check(stored(shown=proof(nodes=nodes)), ONCE) is None


@pytest.mark.parametrize(
    "claim",
    [{"verdict": "refuted"}, {"level": "everywhere"}, {"level": "decisions"}, {"lengths": None}, {"lengths": 5}],
    ids=str,
)
def test_hulls_prove_the_domain_and_nothing_else(claim):
    assert check(stored(claim=PROVED | claim), ONCE) == "hulls do not show this"


SPOILED = {
    "no start": ({"starts": []}, "an initial set is at no node"),
    "starts elsewhere": ({"starts": [1]}, "a step leads to a node of another location"),
    "starts nowhere": ({"starts": [2]}, "2 is the number of nothing"),
    "starts before": ({"starts": [-2]}, "-2 is the number of nothing"),
    "starts at yes": ({"starts": [False]}, "False is the number of nothing"),
    "start not within": (
        {"nodes": [node(IDLE, [[[0, 1]], IDLE_ROWS[1]], [1]), proof()["nodes"][1]]},
        "a step leads out of the hull at location -1",
    ),
    "input not within": (
        {"nodes": [proof()["nodes"][0], node(ASK, ASK_ROWS[:1], [0])]},
        "a step leads out of the hull at location 1",
    ),
    "answer not within": (
        {"nodes": [node(IDLE, IDLE_ROWS[:1], [1]), proof()["nodes"][1]]},
        "a step leads out of the hull at location -1",
    ),
    "input to the start": (
        {"nodes": [node(IDLE, IDLE_ROWS, [0]), proof()["nodes"][1]]},
        "a step leads to a node of another location",
    ),
    "answer to the question": (
        {"nodes": [proof()["nodes"][0], node(ASK, ASK_ROWS, [1])]},
        "a step leads to a node of another location",
    ),
    "answer to nothing": (
        {"nodes": [proof()["nodes"][0], node(ASK, ASK_ROWS, [None])]},
        "None is the number of nothing",
    ),
    "too wide": (
        {"nodes": [proof()["nodes"][0], node(ASK, [[[0, 1]], [[1, 1]], [[2, 1]], [[3, 1]]], [0])]},
        "a step leads out of the hull at location -1",
    ),
    "a float": (
        {"nodes": [node(IDLE, [[[0, 1.0], [1, 1]]], [1]), proof()["nodes"][1]]},
        "a row is made of integers",
    ),
    "a place that is yes": (
        {"nodes": [node(IDLE, [[[False, 1], [1, 1]]], [1]), proof()["nodes"][1]]},
        "a row is made of integers",
    ),
    "out of range": (
        {"nodes": [node(IDLE, [*IDLE_ROWS, [[4, 1]]], [1]), proof()["nodes"][1]]},
        "an entry is out of range or listed twice",
    ),
    "before the first": (
        {"nodes": [node(IDLE, [*IDLE_ROWS, [[-1, 1]]], [1]), proof()["nodes"][1]]},
        "an entry is out of range or listed twice",
    ),
    "twice": (
        {"nodes": [node(IDLE, [[[0, 1], [1, 3], [1, 1]], IDLE_ROWS[1]], [1]), proof()["nodes"][1]]},
        "an entry is out of range or listed twice",
    ),
    "empty": ({"nodes": [node(IDLE, [*IDLE_ROWS, []], [1]), proof()["nodes"][1]]}, "a row is empty"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_each_refusal_by_hand(name):
    change, reason = SPOILED[name]
    assert check(stored(shown=proof(**change)), ONCE) == reason


@pytest.mark.parametrize(
    "change",
    [
        {"nodes": []},
        {"nodes": [proof()["nodes"][0], node(ASK, ASK_ROWS, [])]},
        {"nodes": 5},
        {"nodes": [[IDLE, IDLE_ROWS]]},
    ],
    ids=str,
)
def test_what_is_malformed_is_refused(change):
    assert check(stored(shown=proof(**change)), ONCE) is not None


def test_steps_that_are_left_out_are_missed():
    unasked = [node(IDLE, IDLE_ROWS, []), proof()["nodes"][1]]
    assert "malformed" in str(check(stored(shown=proof(nodes=unasked)), ONCE))
    elsewhere = premises(initials=[[5, [[0, 1]], []]])
    assert "malformed" in str(check(stored(elsewhere, proof(nodes=[node(5, IDLE_ROWS, [])])), ONCE)), (
        "nothing is known of 5"
    )


def test_directions_of_the_initial_set_are_within():
    """Any number of answers may stand before: what counts them is no longer one."""
    loose = premises(initials=[[IDLE, [[0, 1]], [[[2, 1]]]]])
    assert check(stored(loose), ONCE) == "a step leads out of the hull at location -1"
    wide = [
        node(IDLE, [[[0, 1], [1, 1]], [[2, 1]], [[3, 1]]], [1]),
        node(ASK, [[[0, 1], [1, 1]], [[2, 1]], [[3, 1]]], [0]),
    ]
    assert check(stored(loose, proof(nodes=wide)), ONCE) is None
    assert check(stored(loose, proof(nodes=wide)), LATER) == "answers at location 1 differ"


def test_guards_say_which_branch_is_taken():
    """With a guard that never holds a branch is not looked at; with one that always does not hold, it is."""
    other = [ASK, ASK, [[0, 0, 2]], 0, IDLE]
    both = premises(branches=[*premises()["branches"], other], answers=[2, 0])
    shown = proof(nodes=[proof()["nodes"][0], node(ASK, ASK_ROWS, [0, None])])
    assert check(stored(both, shown), ONCE) is None
    counted = premises(branches=[[ASK, ASK, [[-1, 1, 1]], 2, IDLE], [ASK, ASK, [[-1, 1, 2]], 0, None]], answers=[2, 0])
    assert check(stored(counted, shown), ONCE) == "answers at location 1 differ", "of the second question"
    second = layer((2, 0, 0, ASK, 2), (2, 1, 1, ASK, -1), (0, 1, 1, ASK, 1), (0, 0, 0, ASK, -1))
    assert check(stored(counted, shown), second) is None, "one token at the first question, the other at the second"
    assert check(stored(counted, shown), layer(*[(2, 0, 0, ASK, 2), (2, 1, 1, ASK, -1)])) is not None


def test_answers_that_are_read_are_entries():
    """How many answers there were is read, and nothing comes."""
    read = premises(branches=[[ASK, ASK, [], None, IDLE]], answers=[[[ASK, ASK, 2], [0, 0, 0]]])
    rows = [[[0, 1], [1, 1]], [[2, 1]]]
    shown = proof(nodes=[node(IDLE, rows, [1]), node(ASK, rows, [0])])
    right = layer((2, 1, 1, ASK, 1), (0, 0, 0, ASK, 1))
    assert check(stored(read, shown), right) is None
    longer = read | {"tokens": [START, [[ASK, 2]], [[2, 1]]]}
    for by, accepted in ((Fraction(1, 2), True), (Fraction(1), False), (Fraction(1, 4), False)):
        halved = Weights(3, [([(2, 1, by)], [(1, 1, Fraction(1))]), ([(0, 0, by)], [(0, 1, Fraction(1))])])
        assert (check(stored(longer, shown), halved) is None) == accepted
    for wrong in (ONCE, layer((2, 1, 1, ASK, 1)), layer((2, 1, 1, ASK, 2), (0, 0, 0, ASK, 1))):
        assert check(stored(read, shown), wrong) == "answers at location 1 differ"
    assert "leads out" in str(check(stored(read, proof()), right)), "no answer comes"


def test_what_is_alike_for_one_branch_is_looked_at_for_the_next():
    """Both branches are taken, and differ only in how often was asked: one answers a token, one reads entries."""
    token, read = ([ASK, ASK, [[0, 0, 1]], 2, IDLE], 2), ([ASK, ASK, [[-1, 0, 1]], 2, IDLE], [[0, 0, 2], [ASK, ASK, 0]])
    shown = proof(nodes=[proof()["nodes"][0], node(ASK, ASK_ROWS, [0, 0])])
    for first, second in ((token, read), (read, token)):
        both = premises(branches=[first[0], second[0]], answers=[first[1], second[1]])
        for model in (ONCE, layer((2, 0, 0, ASK, 1), (0, 1, 1, ASK, 1))):
            assert check(stored(both, shown), model) == "answers at location 1 differ"


def test_a_location_has_one_question():
    two = premises(branches=[*premises()["branches"], [ASK, 0, [[0, 0, 2]], 2, IDLE]], answers=[2, 2])
    shown = proof(nodes=[proof()["nodes"][0], node(ASK, ASK_ROWS, [0, 0])])
    assert check(stored(two, shown), ONCE) == "a location has two questions"
    assert "malformed" in str(check(stored(premises(answers=[])), ONCE))
    assert check(stored(premises(answers=[3])), ONCE) == "3 is the number of nothing"


# The checker is small and stands alone.


def test_the_checkers_are_small_and_stand_alone():
    ours = {"compiler.files.proof_file", "verify.check_hull_proof", "verify.checking"}
    python = {"__future__", "collections.abc", "fractions", "itertools", "math", "re", "typing"}
    for module in (check_proof, check_hull_proof, checking):
        text = Path(str(module.__file__)).read_text("utf-8")
        assert len(text.splitlines()) < 400
        imported = set()
        for each in ast.walk(ast.parse(text)):
            if isinstance(each, ast.ImportFrom):
                imported.add(each.module)
            elif isinstance(each, ast.Import):
                imported |= {name.name for name in each.names}
        assert imported <= ours | python, module.__name__
