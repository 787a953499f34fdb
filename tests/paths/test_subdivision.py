"""The subdivision of a segment: predictions at the ends of cells, and the bound inside them."""

import numpy as np
import pytest
from paths_oracles import random_net, teacher_pair

from modeconn.paths import exact as exact_module
from modeconn.paths.inputs import checked_ends
from modeconn.paths.segment import segment_between
from modeconn.paths.subdivision import root_cell, split


@pytest.mark.parametrize("fixed", [False, True])
def test_cells_bound_the_prediction(fixed):
    """Independent implementation: forward passes at 7 points of every cell, before and after a refinement."""
    rng = np.random.default_rng(0)
    net0, net1 = (random_net(rng, 3, 40, 2, fixed=fixed) for _ in range(2))
    c = 1 if fixed else 2
    segment = segment_between(*checked_ends(net0, net1, rng.normal(size=(9, 3)), np.zeros((9, c))))
    coarse = split(segment, root_cell(segment), np.arange(1), 16)
    fine = split(segment, coarse, np.array([2, 3, 11]), 8)
    assert len(coarse.left) == 16
    assert len(fine.left) == 24
    for cells in (coarse, fine):
        tight = []
        for k, left in enumerate(cells.left):
            for x in np.linspace(0.0, 1.0, 7):
                F = segment.predictions(left + x * cells.width).T
                chord = (1 - x) * cells.F0[:, :, k] + x * cells.F1[:, :, k]
                gap = np.abs(F - chord)
                assert (gap <= cells.deviation[:, :, k] + 1e-13).all()
                tight.append((gap / np.maximum(cells.deviation[:, :, k], 1e-12)).max())
                if x in (0.0, 1.0):
                    np.testing.assert_allclose(F, chord, atol=1e-13)
        assert max(tight) > 0.5  # the bound is not vacuous


@pytest.mark.parametrize("seed", range(3))
def test_no_cell_rises_above_its_bound(seed, monkeypatch):
    """Independent implementation: forward passes at 101 points of each of eight cells, large enough to rise inside."""
    monkeypatch.setattr(exact_module, "CELLS", 8)
    net0, net1, X, Y = teacher_pair(np.random.default_rng(seed), 30, 4, 60, 2)
    segment = segment_between(*checked_ends(net0, net1, X, Y))
    leg = exact_module.ExactLeg(segment)
    assert len(leg.cells.left) == 8
    tight = []
    for k, left in enumerate(leg.cells.left):
        x = np.linspace(0.0, 1.0, 101)
        losses = np.array([segment.loss(left + u * leg.cells.width) for u in x])
        rise = (losses - ((1 - x) * leg.loss0[k] + x * leg.loss1[k])).max()
        assert rise <= leg.lift[k] + 1e-12 * losses.max()
        tight.append(rise / leg.lift[k])
    assert max(tight) > 0.02  # not vacuous


def test_rounding_bound_covers_predictions_and_is_not_vacuous():
    """Independent implementation: the same loss in extended precision (numpy longdouble)."""
    net0, net1, X, Y = teacher_pair(np.random.default_rng(1), 200, 8, 100)
    segment = segment_between(*checked_ends(net0, net1, X, Y))
    wide = [np.asarray(a, np.longdouble) for a in (X, Y, *net0, *net1)]
    X_, Y_, W0, A0, b0, W1, A1, b1 = wide
    for t in np.linspace(0, 1, 33).astype(np.longdouble):
        H = np.maximum(X_ @ ((1 - t) * W0 + t * W1) + (1 - t) * b0 + t * b1, 0)
        R = H @ ((1 - t) * A0 + t * A1).T - Y_
        exact = 0.5 * np.sum(R * R)
        found = segment.loss(float(2 * t - 1))
        assert abs(found - exact) <= segment.rounding(found)
        assert segment.rounding(found) < 1e-8 * max(1.0, found)
