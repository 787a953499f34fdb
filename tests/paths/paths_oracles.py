"""Independent oracles for barriers: a brute force in fractions, a dense grid, and random pairs of nets."""

from __future__ import annotations

import heapq
import itertools
from fractions import Fraction

import numpy as np

from modeconn.nets import Net


def random_net(rng, d, m, c=1, bias=True, fixed=False, stack=()):
    """Return a net of Gaussian weights, or a stack of them."""
    W = rng.normal(size=(*stack, d, m)) / np.sqrt(d)
    A = None if fixed else rng.normal(size=(*stack, c, m)) / np.sqrt(m)
    return Net(W, A, rng.normal(size=(*stack, m)) if bias else None)


def teacher_pair(rng, n, d, m, c=1, bias=True):
    """Return (net, itself with its neurons shifted by one and jittered, X, Y = its predictions): high barriers."""
    net = random_net(rng, d, m, c, bias)
    order = np.roll(np.arange(m), 1)

    def shifted(leaf):
        return None if leaf is None else leaf[..., order] + 0.03 * leaf.std() * rng.normal(size=leaf.shape)

    other = Net(*map(shifted, net))
    X = rng.normal(size=(n, d))
    return net, other, X, forward(net, X)


def forward(net, X):
    """Return the prediction, in NumPy, written down from the definition."""
    P = X @ net.W + (0.0 if net.b is None else net.b)
    A = np.ones((1, net.W.shape[1])) if net.A is None else net.A
    return np.maximum(P, 0.0) @ A.T


def losses_on_grid(net0, net1, X, Y, t):
    """Return the half squared errors at the points t, by forward passes of the interpolated nets."""
    out = np.empty(len(t))
    for k, x in enumerate(t):
        net = Net(*(None if a is None else (1.0 - x) * a + x * b for a, b in zip(net0, net1, strict=True)))
        R = forward(net, X) - Y
        out[k] = 0.5 * np.sum(R * R)
    return out


def baseline_at(baseline, start, end, t):
    """Return the value of the baseline at t, from its definition."""
    return {"linear": (1 - t) * start + t * end, "endpoint_max": max(start, end), "endpoint_mean": (start + end) / 2}[
        baseline
    ]


def fraction_loss(net0, net1, X, Y, t):
    """Return the half squared error at a rational t as a fraction: the definition, neuron by neuron."""
    F = Fraction
    t = F(t)

    def mix(a, b):
        return (1 - t) * F(float(a)) + t * F(float(b))

    d, m = net0.W.shape
    total = F(0)
    for x, y in zip(X, Y, strict=True):
        for o in range(len(y)):
            f = F(0)
            for j in range(m):
                p = sum((mix(net0.W[k, j], net1.W[k, j]) * F(float(x[k])) for k in range(d)), F(0))
                if net0.b is not None:
                    p += mix(net0.b[j], net1.b[j])
                a = F(1) if net0.A is None else mix(net0.A[o, j], net1.A[o, j])
                f += max(p, F(0)) * a
            total += (f - F(float(y[o]))) ** 2
    return total / 2


def fraction_breakpoints(net0, net1, X):
    """Return 0, 1 and every t between at which a pre-activation is zero, sorted fractions."""
    F = Fraction
    found = {F(0), F(1)}
    d, m = net0.W.shape
    for x in X:
        for j in range(m):
            ends = [
                sum(
                    (F(float(net.W[k, j])) * F(float(x[k])) for k in range(d)),
                    F(0 if net.b is None else float(net.b[j])),
                )
                for net in (net0, net1)
            ]
            if ends[0] * ends[1] < 0:
                found.add(ends[0] / (ends[0] - ends[1]))
    return sorted(found)


def fraction_barrier(net0, net1, X, Y, baseline="linear", accuracy=Fraction(1, 2**60)):
    """Return (lower, upper) of the barrier, exact fractions at most ``accuracy`` apart.

    On each piece the quartic is interpolated through five points, put in Bernstein form, and subdivided while its
    largest Bernstein coefficient exceeds the best value at a point.
    """
    knots = fraction_breakpoints(net0, net1, X)
    start, end = (fraction_loss(net0, net1, X, Y, t) for t in (0, 1))
    pieces = []
    for left, right in itertools.pairwise(knots):
        points = [left + (right - left) * Fraction(k, 4) for k in range(5)]
        pieces.append(
            _bernstein([fraction_loss(net0, net1, X, Y, t) - baseline_at(baseline, start, end, t) for t in points])
        )
    best = max(max(p[0], p[-1]) for p in pieces)
    heap = [(-max(p), k, p) for k, p in enumerate(pieces)]
    heapq.heapify(heap)
    count = len(heap)
    while -heap[0][0] > best + accuracy:
        _, _, p = heapq.heappop(heap)
        for half in _halves(p):
            best = max(best, half[0], half[-1])
            heapq.heappush(heap, (-max(half), count, half))
            count += 1
    return best, max(best, -heap[0][0])


def _bernstein(v):
    """Return the Bernstein coefficients of the quartic with these values at 0, 1/4, 1/2, 3/4, 1."""
    v0, v1, v2, v3, v4 = v
    return [
        v0,
        (-13 * v0 + 48 * v1 - 36 * v2 + 16 * v3 - 3 * v4) / 12,
        (13 * v0 - 64 * v1 + 120 * v2 - 64 * v3 + 13 * v4) / 18,
        (-3 * v0 + 16 * v1 - 36 * v2 + 48 * v3 - 13 * v4) / 12,
        v4,
    ]


def _halves(p):
    """Return both halves of a polynomial in Bernstein form (de Casteljau)."""
    left, right, row = [p[0]], [p[-1]], p
    while len(row) > 1:
        row = [(a + b) / 2 for a, b in itertools.pairwise(row)]
        left.append(row[0])
        right.append(row[-1])
    return left, right[::-1]
