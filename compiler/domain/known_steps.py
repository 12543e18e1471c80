"""What walks show to one letter, told without linear algebra: which steps are known.

The step of an edge adds two tokens, a letter l and an answer c, so its counts are e_l + e_c: the row of an edge {l, c}
in the incidence matrix of a bipartite graph, letters on one side, answers on the other. Such rows span e_l + e_c
exactly when the edges join l and c by a path (its rows, with alternating signs, add up to it; and a component that has
one of the two and not the other gives a functional, 1 on its letters and -1 on its answers, that tells them apart). So
what a set of steps spans is a partition of the tokens, and a step that is new joins two of its classes.
"""

from __future__ import annotations

from scipy.cluster.hierarchy import DisjointSet

from compiler.domain.token_graph import Edge, TokenGraph


class KnownSteps:
    """A growing set of steps, closed under their span.

    >>> from compiler.domain.token_graph import token_graph
    >>> from compiler.language.load import load
    >>> from compiler.program_to_rules.lower import lower
    >>> graph = token_graph(lower(load("parity")))
    >>> known = KnownSteps(graph)
    >>> known.learn(graph.edges[0]), known.learn(graph.edges[0]), graph.edges[1] in known
    (True, False, False)
    """

    def __init__(self, graph: TokenGraph) -> None:
        self._classes = DisjointSet({token for edge in graph.edges for token in edge.tokens})
        self._known: set[tuple[int, ...]] = set()

    def __contains__(self, edge: Edge) -> bool:
        if edge.tokens in self._known:
            return True
        if self._classes.connected(*edge.tokens):
            self._known.add(edge.tokens)
            return True
        return False

    def learn(self, edge: Edge) -> bool:
        """Take the step of `edge` in; whether it was new."""
        return bool(self._classes.merge(*edge.tokens))
