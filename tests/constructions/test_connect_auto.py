"""``connect`` over its constructions: which are tried, what is said of them, and the widths that suffice."""

from fractions import Fraction

import numpy as np
import pytest

import modeconn.constructions.edge_walk as edge_walk_module
import modeconn.constructions.tau_climb  # noqa: F401  before Join is replaced in the other module
from modeconn.constructions import checked_pair, connect, connect_pair, region_from_text
from modeconn.constructions.acceptance import moved_by_rounding
from modeconn.constructions.functionals import functionals_of
from modeconn.constructions.polytope_walk import Polytope, WalkError
from modeconn.constructions.registry import constructions_for
from modeconn.nets import Net

REGIONS = (
    "spectral:{r}", "frobenius:{r}", "schatten:4:{r}", "schatten:3:{r}", "schatten:2.5:{r}", "joint-frobenius:{r}",
    "spectral:{r},frobenius:{r}", "spectral:{r}&frobenius:{r}",
)  # fmt: skip
KINDS = ("normal", "integer", "tiny", "unbalanced", "near", "parallel rows", "dead", "whitened")


def drawn(rng, kind, region, offset):
    """A random pair of width N + offset (2 N for None), both nets in a region that one of them nearly fills, and N."""
    n, d, c = (int(rng.integers(1, top)) for top in (8, 5, 4))
    N = functionals_of(region_from_text(region.format(r=1))).count(n, d, c)
    m = 2 * N if offset is None else max(N + offset, 1)
    X, Y = rng.normal(size=(n, d)), rng.normal(size=(n, c))
    if kind == "parallel rows" and n > 1:
        X[-1] = 2 * X[0]
    leaves = []
    for _ in range(2):
        W, A = rng.normal(size=(d, m)) / np.sqrt(m), rng.normal(size=(c, m)) / np.sqrt(m)
        if kind == "integer":
            W, A = rng.integers(-2, 3, (d, m)).astype(float), rng.integers(-2, 3, (c, m)).astype(float)
            W[0, 0] = 1.0  # not all zero
        elif kind == "tiny":  # neurons over six orders of magnitude
            size = 10.0 ** rng.uniform(-6, 0, m)
            W, A = W * size, A * size
        elif kind == "unbalanced":
            size = 10.0 ** rng.uniform(-3, 3)
            W, A = W * size, A / size
        elif kind == "dead":
            W[:, rng.random(m) < 0.2] = 0.0
        elif kind == "whitened":
            W, A = (left @ right for left, _, right in (np.linalg.svd(leaf, full_matrices=False) for leaf in (W, A)))
        leaves.append((W, A))
    if kind == "near":
        leaves[1] = tuple(leaf + 1e-6 * rng.normal(size=leaf.shape) for leaf in leaves[0])
    radius = max(ball.value(*both) for ball in region_from_text(region.format(r=1)).balls for both in leaves)
    pair = checked_pair(*(Net(*both) for both in leaves), X, Y, region.format(r=repr(1.0000001 * radius)))
    return pair, N


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("offset", [-1, 0, 1, None])
def test_the_widths_of_the_theory_suffice(kind, offset):
    """Oracle: W1 and W1B: a path for m >= N, and for m = N - 1 where the balanced climb is meant for the pair."""
    rng = np.random.default_rng([KINDS.index(kind), 9 if offset is None else offset + 1])
    for index in range(16):
        pair, N = drawn(rng, kind, REGIONS[index % len(REGIONS)], offset)
        names = [construction.name for construction in constructions_for(pair)]
        found = connect_pair(pair)
        if pair.width >= N or (pair.width == N - 1 and "balanced-climb" in names):
            assert found.joined, (index, pair.width, N, found.reason)
        if not found.joined:
            assert [name for name in names if f"{name}: " in found.reason] == names


def moderate():
    """A pair of width N + 1 = 7 + 1, too narrow for disjoint slots."""
    rng = np.random.default_rng(3)
    nets = [Net(rng.normal(size=(2, 8)) / 3, rng.normal(size=(1, 8)) / 3) for _ in range(2)]
    return *nets, rng.normal(size=(3, 2)), np.zeros(3), "spectral:4"


def test_what_gave_up_before_is_told_and_nothing_that_was_not_tried():
    """By construction: disjoint slots do not fit; the edge walk joins; the three after it are not run."""
    found = connect(*moderate())
    assert (found.construction, found.joined) == ("edge-walk", True)
    assert "; before it: disjoint-slots: disjoint slots need width" in found.reason
    assert not any(name in found.reason for name in ("tau-climb", "balanced-climb", "merged-classes"))


def test_a_walk_that_rounding_broke_is_followed_by_the_next_construction(monkeypatch):
    """By construction: an edge walk that ends at another vertex, and a tau climb that does not."""

    def elsewhere(self, z, goal):
        raise WalkError("it ended at another vertex")

    broken = type("Broken", (edge_walk_module.Join,), {"check_arrival": elsewhere})
    monkeypatch.setattr(edge_walk_module, "Join", broken)
    found = connect(*moderate())
    assert (found.construction, found.joined) == ("tau-climb", True)
    assert "edge-walk: the walk along the edges broke down: it ended at another vertex" in found.reason
    assert "merged-classes" not in found.reason


def test_a_refusal_names_every_construction_once():
    """By construction: width 3 is below N - 1 = 8; six constructions are meant for the pair."""
    rng = np.random.default_rng(0)
    nets = [Net(rng.normal(size=(2, 3)) / 3, rng.normal(size=(1, 3)) / 3) for _ in range(2)]
    pair = checked_pair(*nets, rng.normal(size=(5, 2)), np.zeros(5), "spectral:4")
    found = connect_pair(pair)
    assert not found.joined
    for construction in constructions_for(pair):
        assert found.reason.count(f"{construction.name}: ") == 1
        assert construction(pair).construction == construction.name


@pytest.mark.parametrize("seed", range(4))
def test_units_of_the_rows_do_not_matter(seed):
    """Oracle: {z >= 0 : M z = b} is the same set when rows of M and b are multiplied; so are rank and least cost."""
    rng = np.random.default_rng(seed)
    M, start, cost = rng.uniform(0.1, 1, (6, 14)), np.zeros(14), rng.normal(size=14)
    start[:6] = rng.uniform(1, 2, 6)
    units = 10.0 ** rng.uniform(-9, 9, 6)
    plain = Polytope(M, M @ start)
    scaled = Polytope(M * units[:, None], units * (M @ start))
    assert plain.rank == scaled.rank == 6
    ends = [polytope.walk(start, cost).points[-1] for polytope in (plain, scaled)]
    assert cost @ ends[0] == pytest.approx(cost @ ends[1], rel=1e-9)
    assert (M @ ends[1]) == pytest.approx(M @ start, rel=1e-11)


def test_a_neuron_that_leaves_without_a_step_makes_room():
    """By construction: the least entry, 1e-14 of the largest, leaves at once; the knot must show that it has."""
    M = np.array([[1.0, 0.0, 1.0, 0.5], [0.0, 1.0, 1.0, 2.0]])
    start = np.array([1.0, 1e-14, 0.0, 0.0])
    points = Polytope(M, M @ start).walk(start, np.array([0.0, 0.0, -1.0, 0.0])).points
    assert len(points) > 1
    assert points[-1][1] == 0.0


@pytest.mark.parametrize(
    ("losses", "slack", "kept"),
    [
        ((1.0, 0.5, 1.0), 0, True),
        ((1.0, 1.0 + 1e-9, 0.5), 0, True),  # rounding, relative to the loss of the zero net, 2, plus that of the end
        ((1.0, 1.0 + 1e-8, 0.5), 0, False),
        ((0.5, 0.75, 1.0), Fraction(1, 10**9), True),
        ((0.5, 0.75, 1.0), Fraction(1, 10**8), False),
    ],
)
def test_a_path_that_rounding_moved_is_not_returned(losses, slack, kept):
    """Closed form: 1e-9 of (loss of the zero net + that of the worse end) for the level, 2e-9 for the radii."""
    net = Net(np.ones((1, 1)), np.ones((1, 1)))
    pair = checked_pair(net, net, np.ones((1, 1)), np.array([2.0]), "spectral:1")
    assert (moved_by_rounding(pair, losses, Fraction(slack)) is None) is kept
