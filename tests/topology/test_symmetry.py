"""Components of ordered cells from a quotient graph with permutations."""

from __future__ import annotations

import itertools
import math
import random

from modeconn.topology.symmetry import Permutation, SymmetricUnionFind, compose, generate, invert


def test_permutations_form_a_group() -> None:
    """Oracle: axioms, and the orders of known groups."""
    everything = list(itertools.permutations(range(4)))
    for a in everything:
        assert compose(a, invert(a)) == (0, 1, 2, 3)
    assert len(generate(frozenset([(1, 2, 3, 0)]))) == 4
    assert len(generate(frozenset([(1, 2, 3, 0), (1, 0, 2, 3)]))) == 24
    assert len(generate(frozenset([(1, 2, 0, 3), (0, 2, 3, 1)]))) == 12


def test_components_are_those_of_the_explicit_ordered_graph() -> None:
    """Oracle: independent implementation, breadth-first search over all pairs (node, g)."""
    rng = random.Random(3)
    counted = set()
    for _ in range(150):
        m, size = rng.choice([(2, 4), (3, 5), (4, 4)])
        orders: list[Permutation] = list(itertools.permutations(range(m)))
        stabilisers = [[rng.choice(orders)] if rng.random() < 0.2 else [] for _ in range(size)]
        edges = [
            (rng.randrange(size), rng.randrange(size), rng.choice(orders)) for _ in range(rng.randint(0, 2 * size))
        ]
        joined: SymmetricUnionFind[int] = SymmetricUnionFind(m)
        for node, generators in enumerate(stabilisers):
            joined.add(node, generators)
        for a, b, pi in edges:
            before = joined.is_joined(a, b, pi)
            assert joined.join(a, b, pi) is not before
        label: dict[tuple[int, Permutation], int] = {}
        for start in itertools.product(range(size), orders):
            if start in label:
                continue
            label[start] = len(label)
            todo = [start]
            while todo:
                node, g = todo.pop()
                near = [(node, compose(s, g)) for s in stabilisers[node]]
                near += [(node, compose(invert(s), g)) for s in stabilisers[node]]
                near += [(b, compose(pi, g)) for a, b, pi in edges if a == node]
                near += [(a, compose(invert(pi), g)) for a, b, pi in edges if b == node]
                for other in near:
                    if other not in label:
                        label[other] = label[start]
                        todo.append(other)
        found = {key: joined.component(*key) for key in label}
        assert len(set(zip(found.values(), label.values(), strict=True))) == len(set(label.values()))
        assert len(set(found.values())) == len(set(label.values()))
        total = sum(joined.orbit_size(root) for root in joined.roots())
        assert total == len(set(label.values()))
        for root in joined.roots():
            cosets = joined.cosets(root)
            assert len(cosets) == joined.orbit_size(root) == math.factorial(m) // joined.group_order(root)
            assert len({joined.component(root, g) for g in cosets}) == len(cosets)
        counted.add(total)
    assert len(counted) > 10
