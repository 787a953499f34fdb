"""W4: in boxes and mixed products two nets whose reductions fit into the width together are joined, per instance."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from functools import lru_cache
from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from modeconn.constructions import Connection, connect_pair, problem_to_json
from proofs_check.checker import check_certificate
from proofs_check.claims.claim import Claim, Control, Hypothesis, Instance, Outcome, Shape
from proofs_check.claims.library.narrow_problems import ROWS
from proofs_check.claims.library.w_cases import ALLOWANCE, join, nets_of, pair_of, radius_around
from proofs_check.claims.library.w_exact import exact, loss_of, sums_of
from proofs_check.claims.library.w_exchanged import certified_barrier, exchanged
from proofs_check.claims.library.w_segment import highest_on_segment, point_of

__all__ = ["CLAIM"]

SHAPES: tuple[Shape, ...] = ((1, 1, 4), (2, 1, 8), (3, 2, 12), (4, 2, 20), (3, 3, 24))
"""Numbers of data points, inputs and neurons."""

REGIONS = ("linf/linf", "linf/linf", "spectral/linf", "linf/frobenius", "frobenius/linf")
"""Norms of W and A: boxes, and products as trained in practice."""


def _pairs(
    shape: Shape, regions: Sequence[str] = REGIONS, kinds: Sequence[str] = ("plain", "dead", "twins", "small")
) -> SearchStrategy[Instance]:
    """Return pairs of nets with one output, weights in eighths, in the least region of its kind around them."""
    n, d, m = shape

    def build(rows: str, region: str, kind: str, bias: bool, seed: int) -> Instance:
        rng = np.random.default_rng(seed)
        nets = [_draw(rng, kind, d, m, bias) for _ in range(2)]
        if kind == "twins":
            order = rng.permutation(m)
            nets[1] = {key: np.take(leaf, order, -1) for key, leaf in nets[0].items()}
        X, y = ROWS[rows](rng, n, d), rng.integers(-2, 3, (n, 1))
        ends = [{key: (leaf / 8).tolist() for key, leaf in net.items()} for net in nets]
        data = {"X": X.tolist(), "Y": y.tolist()}
        return {**data, "net0": ends[0], "net1": ends[1], "region": _around(ends, region), "route": "auto"}

    choices = (st.sampled_from(list(values)) for values in (tuple(ROWS), regions, kinds, (False, False, True)))
    return st.builds(build, *choices, st.integers(0, 2**32 - 1))


def _draw(rng: np.random.Generator, kind: str, d: int, m: int, bias: bool) -> dict[str, np.ndarray]:
    W, A, b = (rng.integers(-8, 9, size) for size in ((d, m), (1, m), (m,)))
    if kind == "dead":
        W[:, rng.random(m) < 0.3] = 0
        A[:, rng.random(m) < 0.3] = 0
    if kind == "small":
        W[:, m // 4 :] = np.sign(W[:, m // 4 :])
    return {"W": W, "A": A, "b": b} if bias else {"W": W, "A": A}


def _around(ends: Sequence[dict[str, Any]], region: str) -> dict[str, Any]:
    """Return the least product of balls around the nets."""
    norms = dict(zip(("W", "A"), region.split("/"), strict=True))
    sizes: dict[str, list[float]] = {"W": [], "A": []}
    for net in ends:
        leaves = {"W": np.vstack([net["W"], net["b"]]) if "b" in net else np.array(net["W"]), "A": np.array(net["A"])}
        for leaf, matrix in leaves.items():
            values = np.linalg.svd(matrix, compute_uv=False)
            size = {"linf": np.abs(matrix).max(), "spectral": values[0], "frobenius": np.linalg.norm(values)}
            sizes[leaf].append(float(size[norms[leaf]]))
    return {leaf: {"norm": norms[leaf], "radius": radius_around(sizes[leaf])} for leaf in ("W", "A")}


@lru_cache(maxsize=128)
def _connection(text: str) -> Connection:
    instance = json.loads(text)
    return connect_pair(pair_of(instance), instance["route"])


def _found(instance: Instance) -> Connection:
    return _connection(json.dumps(instance, sort_keys=True))


def _fits(instance: Instance) -> bool:
    found = _found(instance)
    return found.live0 + found.live1 <= found.width


FITS = Hypothesis("live0 + live1 <= m", _fits)


def _check(instance: Instance) -> Outcome:
    """Return what the rounding allowance leaves of level and radii, after the checker accepted the path."""
    joined = join(instance)
    found = joined.found
    detail = {
        "width": found.width,
        "live": [found.live0, found.live1],
        "slots_needed": found.needed,
        "construction": found.construction,
        "rounding": float(joined.rounding),
    }
    return Outcome(ALLOWANCE - joined.rounding, certified=True, detail=detail)


def _half_the_counts(instance: Instance) -> Outcome:
    """Check: live0 + live1 <= 2 m suffices; refuted by the certified barrier of two full nets."""
    found = _found(instance)
    assert not found.joined, "the width does not suffice"
    assert found.live0 + found.live1 == 2 * found.width, "both are full"
    barrier = certified_barrier(instance)
    return Outcome(max(barrier.start_loss, barrier.end_loss) - barrier.value, detail={"live": [2, 2]})


def _one_slot(instance: Instance) -> Outcome:
    """Check: where no slot is dead, two neurons of other cells may share one: straight in u from one to the other."""
    pair = pair_of(instance)
    points = [point_of(W, A) for W, A in ((pair.W0, pair.A0), (pair.W1, pair.A1))]
    X, Y = exact(pair.X), exact(pair.Y)
    half = [[(p + q) / 2 for p, q in zip(a.u, b.u, strict=True)] for a, b in zip(points[0], points[1], strict=True)]
    signs = [[Fraction(b.s) for b in points[1]]]
    middle = loss_of(sums_of([list(row) for row in zip(*half, strict=True)], signs, X).prediction, Y)
    knot = [
        [j, [str(v) for v in neuron.u], str(Fraction(float(a)) ** 2), neuron.s]
        for j, (neuron, a) in enumerate(zip(points[1], pair.A1[0], strict=True))
    ]
    level, _ = highest_on_segment(pair)
    certificate = {
        "format": "modeconn.certificate/1",
        "kind": "cell-path",
        "statement": {"level": str(level), "radius_slack": "0"},
        "evidence": {"knots": [knot]},
    }
    problem = problem_to_json(*nets_of(instance), instance["X"], instance["Y"], instance["region"])
    verdict = check_certificate(certificate, problem)
    margin = Fraction(1) if verdict.accepted else level - middle
    return Outcome(margin, detail={"middle": str(middle), "checker": verdict.reason})


def _smaller(instance: Instance) -> Outcome:
    """Check: the path stays in the entrywise ball of the output weights smaller by a millionth."""
    joined = join(instance)
    region = {leaf: dict(ball) for leaf, ball in instance["region"].items()}
    radius = Fraction(region["A"]["radius"]) * (1 - Fraction(1, 10**6))
    region["A"]["radius"] = str(radius)
    verdict = check_certificate(joined.found.certificate(), {**joined.problem, "region": region})
    largest = max(abs(Fraction(v)) for A in (joined.pair.A0, joined.pair.A1) for v in A.ravel().tolist())
    margin = Fraction(1) if verdict.accepted else radius - largest
    return Outcome(margin, detail={"checker": verdict.reason})


def _segment(instance: Instance) -> Outcome:
    """Check: the straight segment is such a path."""
    level, highest = highest_on_segment(pair_of(instance))
    return Outcome(level - highest, detail={"level": float(level), "highest": float(highest)})


_EXCHANGED = exchanged(lambda nets: _around(nets, "linf/linf"), "auto")

CLAIM = Claim(
    id="W4",
    statement=(
        "nets with one output in an entrywise box, or in a product of one with a spectral or Frobenius ball, are "
        "joined by an explicit path that never exceeds the loss of the worse one nor leaves the region whenever "
        "the live neurons of their reductions, live0 + live1, are at most m; the checker accepts each path (margin: "
        "1e-9 minus the level above the worse end, relative, and minus the slack of the radii)"
    ),
    source="theory W4, proved there",
    rests_on=("W3",),
    instances=_pairs,
    shapes=SHAPES,
    check=_check,
    hypotheses=(FITS,),
    controls=(
        Control(
            "half-the-live-counts",
            "(live0 + live1) / 2 <= m suffices",
            check=_half_the_counts,
            hypotheses=(),
            instances=_EXCHANGED,
            shapes=((2, 1, 2),),
        ),
        Control(
            "shared-slot",
            "where no slot is dead, two neurons of other cells may share one",
            check=_one_slot,
            hypotheses=(),
            instances=_EXCHANGED,
            shapes=((2, 1, 2),),
        ),
        Control(
            "smaller-box",
            "the path stays where |alpha|_inf <= (1 - 1e-6) B2",
            check=_smaller,
            instances=lambda shape: _pairs(shape, regions=("linf/linf", "spectral/linf")),
        ),
        Control("straight-segment", "the straight segment is such a path", check=_segment),
    ),
    cost=4.0,
)
