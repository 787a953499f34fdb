"""The families of campaigns: their checks can fail, and what they find agrees with the library's own functions."""

from pathlib import Path

import numpy as np
import pytest

from modeconn.campaigns import FAMILIES, read_spec
from modeconn.campaigns.families import gram_reduction, segment_barrier
from modeconn.constructions import recombine
from modeconn.nets import Net
from modeconn.paths import net_barrier_on_grid
from modeconn.topology import barrier_between, level_set_topology, problem_from_json

REDUCTION = {"n": 2, "d": 2, "outputs": 1, "spare": 3}


def test_reductions_hold_and_every_way_to_fail_is_seen():
    """Oracle: by construction; a negative weight, one neuron too many, a moved Gram matrix."""
    found = FAMILIES["gram-reduction"].run_block(REDUCTION, 0, 0)
    assert (found.instances, found.refuted, found.undecided, found.rounding) == (1024, 0, 0, 0)
    assert found.margin > 0
    N = gram_reduction.functionals_count(2, 2, 1)
    rng = np.random.default_rng(0)
    M = gram_reduction._functionals(
        rng.normal(size=(2, 2)), rng.normal(size=(1, 2, N + 3)), rng.normal(size=(1, 1, N + 3))
    )
    good = recombine(M[0]).t[None]
    assert gram_reduction._margins(M, good, N) > 0
    assert gram_reduction._margins(M, np.ones((1, N + 3)), N) == -1
    assert gram_reduction._margins(M, -good, N) == -1
    assert gram_reduction._margins(M, good * (1 + 1e-8), N) < 0


def test_neurons_that_are_dead_on_all_data_take_the_robust_reduction():
    """Oracle: a weight vector that no data point activates makes functionals dependent; all reductions still hold."""
    found = FAMILIES["gram-reduction"].run_block({"n": 3, "d": 2, "outputs": 2, "spare": 2}, 0, 0)
    assert (found.undecided, found.rounding) == (0, 0)


def test_the_grid_is_the_librarys():
    """Oracle: net_barrier_on_grid, pair by pair."""
    rng = np.random.default_rng(1)
    X, Y = rng.normal(size=(4, 2)), rng.normal(size=(4, 1))
    ends = [Net(rng.normal(size=(5, 2, 3)), rng.normal(size=(5, 1, 3))) for _ in range(2)]
    losses = [0.5 * ((np.maximum(X @ e.W, 0) @ np.swapaxes(e.A, 1, 2) - Y) ** 2).sum((1, 2)) for e in ends]
    found = segment_barrier._grid_excess(*ends, X, Y, 9, *losses)
    for i in range(5):
        pair = [Net(e.W[i], e.A[i]) for e in ends]
        assert found[i] == pytest.approx(net_barrier_on_grid(*pair, X, Y, points=9).barrier, rel=1e-12, abs=1e-12)


def test_a_violation_of_the_false_bound_is_one():
    """Oracle: the topology's own barrier between two components of the stored problem."""
    family = FAMILIES["narrow-barrier"]
    parameters = {"n": 4, "d": 2, "width": 2, "entries": 2, "bound": "narrower"}
    stored = [v for block in range(4) for v in family.run_block(parameters, block, 1).violations]
    assert stored
    problem = problem_from_json(stored[0]["problem"])
    found = level_set_topology(problem, 2)
    ends = [component.representative for component in found.components]
    barriers = [barrier_between(found.complex, ends[0], end).value for end in ends[1:]]
    least = level_set_topology(problem, 1).least_loss
    assert max(least, found.least_loss) < max(barriers)


def test_the_campaign_of_a_million_is_one():
    """Oracle: the file that ships."""
    spec = read_spec(Path(__file__).parents[2] / "benchmarks" / "campaigns" / "million.toml")
    assert spec.instances >= 10**6
    assert {cell.family for cell in spec.cells} >= {"gram-reduction", "narrow-barrier"}
