"""The merge tree and the staircase as pictures: what is drawn is where the numbers say."""

import random
from fractions import Fraction

import pytest

from modeconn.plots import to_svg
from modeconn.plots.topology import topology_figure
from modeconn.topology import Merge, MergeTree, merge_tree, problem_from_json

CASE = {"X": [[-2, 0], [0, -1], [-1, 1], [-2, -1]], "y": [1, 1, -2, -2]}


def drawn(figure):
    """Return the leaves (x, loss), the branches (x, low, high) and the bars (left, right, loss) of a merge tree."""
    leaves, branches, bars = [], [], []
    for line in figure.axes[0].lines:
        x, y = [float(v) for v in line.get_xdata()], [float(v) for v in line.get_ydata()]
        if len(x) == 1:
            leaves.append((x[0], y[0]))
        elif x[0] == x[1]:
            branches.append((x[0], *y))
        else:
            bars.append((*x, y[0]))
    return leaves, branches, bars


def random_tree(rng, leaves):
    """Return a tree of random levels and merges of two or three groups."""
    levels = sorted(Fraction(rng.randint(0, 50), 10) for _ in range(leaves))
    groups, merges, level = [(k,) for k in range(leaves)], [], max(levels)
    while len(groups) > 1:
        level += Fraction(rng.randint(1, 9), 10)
        chosen = rng.sample(groups, min(len(groups), rng.randint(2, 3)))
        merges.append(Merge(level, tuple(sorted(chosen))))
        groups = [g for g in groups if g not in chosen] + [tuple(sorted(sum(chosen, ())))]
    return MergeTree(tuple(levels), ((),) * leaves, tuple(merges))


@pytest.mark.parametrize("leaves", [1, 2, 7, 40])
def test_every_minimum_and_merge_is_drawn_at_its_level(leaves):
    """Oracle: the tree itself; and no two branches cross: a bar meets only the branches that end on it."""
    rng = random.Random(leaves)
    for _ in range(3):
        tree = random_tree(rng, leaves)
        points, branches, bars = drawn(topology_figure(tree))
        assert sorted(y for _, y in points) == [float(v) for v in tree.levels]
        assert sorted(y for *_, y in bars) == sorted(float(merge.level) for merge in tree.merges)
        assert len({x for x, _ in points}) == leaves
        assert len(branches) == leaves + len(tree.merges)
        for left, right, level in bars:
            crossing = [b for b in branches if left < b[0] < right and b[1] < level < b[2]]
            assert crossing == []
            ends = [x for x, _, top in branches if top == level and left <= x <= right]
            assert (min(ends), max(ends)) == (left, right)


def test_the_fractions_are_written():
    """Oracle: known answers; three global minima at 5/2, joined at 101/26."""
    tree = merge_tree(problem_from_json(CASE), 2)
    axes = topology_figure(tree, level=Fraction(3)).axes[0]
    texts = [text.get_text() for text in axes.texts]
    assert texts.count("5/2") == 3
    assert {"101/26", "69/17", "8/3", "level 3"} <= set(texts)
    low, high = axes.get_ylim()
    assert (low, high > 69 / 17) == (2.5, True)


def test_crowded_trees_keep_their_labels_apart():
    """Oracle: by construction; of two nearby minima beyond the few, neither is written, and the deep one is."""
    levels = (Fraction(0), *(Fraction(99, 100) for _ in range(11)))
    tree = MergeTree(levels, ((),) * 12, (Merge(Fraction(1), tuple((k,) for k in range(12))),))
    texts = [text.get_text() for text in topology_figure(tree).axes[0].texts]
    assert texts == ["0"]


def test_the_staircase_shows_both_barriers():
    """Oracle: by construction, from the rows."""
    rows = [
        {"width": 1, "components": 1, "orbits": 1, "min_loss": Fraction(3), "barrier": None, "orbit_barrier": None},
        {
            "width": 2, "components": 6, "orbits": 3, "min_loss": Fraction(1, 2), "barrier": Fraction(5, 2),
            "orbit_barrier": Fraction(4, 3),
        },
    ]  # fmt: skip
    counts, levels = topology_figure(None, rows).axes
    assert [text.get_text() for text in counts.texts] == ["1", "6", "1", "3"]
    assert sorted(text.get_text() for text in levels.texts) == ["1/2", "3", "4/3", "5/2"]
    both = topology_figure(merge_tree(problem_from_json(CASE), 2), rows)
    assert len(both.axes) == 3
    assert "5/2" in to_svg(both)
    assert to_svg(topology_figure(None, rows)) == to_svg(topology_figure(None, rows))
