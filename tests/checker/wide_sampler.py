"""A second reading of path certificates, in floats: the very weights along the path, evaluated as a user would."""

from collections.abc import Iterator
from typing import Any

import numpy as np

SHARES = (0.0, 1e-6, 0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 1 - 1e-6, 1.0)


def number(value: Any) -> float:
    """Return a number of a certificate as a float."""
    top, _, bottom = str(value).partition("/")
    return float(top) / float(bottom or 1)


def weights(net: dict[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    """Return W with the bias as its last row, and A as a matrix."""
    W = np.array(net["W"], float)
    return np.vstack([W, net["b"]]) if "b" in net else W, np.atleast_2d(np.array(net["A"], float))


def gram_pieces(problem: Any, evidence: Any) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Yield for every piece the weights (W, A) at all shares."""
    nets = [weights(problem[name]) for name in ("net0", "net1")]
    bases: list[Any] = [(W[:, j], A[:, j]) for W, A in nets for j in range(W.shape[1])]
    bases += [tuple(np.array([number(v) for v in part]) for part in neuron) for neuron in evidence.get("neurons", [])]
    state = [(j, 1.0) for j in range(nets[0][0].shape[1])]
    for moves in evidence["knots"]:
        after = list(state)
        for slot, base, t in moves:
            after[slot] = (base, number(t))
        piece = []
        for s in SHARES:
            columns = []
            for (b, t), (c, r) in zip(state, after, strict=True):
                alive = t > 0 and any(np.any(part) for part in bases[b])
                w, a = bases[b if alive else c]
                from_, to = (t, r) if b == c else (t, 0.0) if alive else (0.0, r)  # a new base: fade out, or in
                scale = np.sqrt((1 - s) * from_ + s * to)
                columns.append((scale * w, scale * a))
            piece.append((np.array([w for w, _ in columns]).T, np.array([a for _, a in columns]).T))
        yield piece
        state = after


def cell_pieces(problem: Any, evidence: Any) -> Iterator[list[tuple[np.ndarray, np.ndarray]]]:
    """Yield for every piece the weights at all shares, the first being the shrinking of dead neurons of net0."""
    W, A = weights(problem["net0"])
    dead = A[0] == 0
    yield [(W * np.where(dead, 1 - s, 1.0), A) for s in SHARES]
    state = [(abs(a) * w, a * a, -1 if a < 0 else 1) for w, a in zip(W.T, A[0], strict=True)]
    for moves in evidence["knots"]:
        after = list(state)
        for slot, u, beta, sign in moves:
            after[slot] = (np.array([number(v) for v in u]), number(beta), sign)
        piece = []
        for s in SHARES:
            columns = []
            for (u, beta, sign), (v, gamma, other) in zip(state, after, strict=True):
                x, mixed = (1 - s) * u + s * v, (1 - s) * beta + s * gamma
                root = np.sqrt(mixed)
                columns.append((x / root if root else np.zeros(len(x)), (sign if beta else other) * root))
            piece.append((np.array([w for w, _ in columns]).T, np.array([[a for _, a in columns]])))
        yield piece
        state = after
    W, A = weights(problem["net1"])
    dead = A[0] == 0
    yield [(W * np.where(dead, s, 1.0), A) for s in SHARES]


def loss(problem: Any, W: np.ndarray, A: np.ndarray) -> float:
    """Return the half squared error by an ordinary forward pass."""
    X = np.array(problem["X"], float)
    X = np.hstack([X, np.ones((len(X), len(W) - X.shape[1]))])
    return float(np.sum((np.maximum(X @ W, 0) @ A.T - np.array(problem["Y"], float).reshape(len(X), -1)) ** 2) / 2)


def size(leaf: str, norm: str, W: np.ndarray, A: np.ndarray) -> float:
    """Return the norm of a leaf, by singular values."""
    if leaf == "joint":
        return float(np.hypot(np.linalg.norm(W), np.linalg.norm(A)))
    matrix = W if leaf == "W" else A
    if norm == "linf":
        return float(np.abs(matrix).max())
    values = np.linalg.svd(matrix, compute_uv=False)
    power = {"spectral": np.inf, "frobenius": 2}.get(norm) or float(norm.partition(":")[2])
    return float(np.linalg.norm(values, power))


def require_honest(found: Any, problem: Any) -> None:
    """Assert that the path of a certificate is continuous, joins the nets, and keeps level and region."""
    pieces = list((gram_pieces if found["kind"] == "gram-path" else cell_pieces)(problem, found["evidence"]))
    level, slack = (number(found["statement"][name]) for name in ("level", "radius_slack"))
    at = weights(problem["net0"])
    for piece in pieces:
        for whole, part in zip(at, piece[0], strict=True):
            np.testing.assert_allclose(whole, part, rtol=0, atol=1e-7)
        at = piece[-1]
        for one, other in ((piece[0], piece[1]), (piece[-2], piece[-1])):  # steps of 1e-6 move sqrt by at most 1e-3
            for p, q in zip(one, other, strict=True):
                assert np.abs(p - q).max() <= 4e-3
        for W, A in piece:
            assert loss(problem, W, A) <= level * (1 + 1e-9) + 1e-12
            for entry in problem["region"]:
                for leaf, ball in entry.items():
                    assert size(leaf, ball["norm"], W, A) <= number(ball["radius"]) * (1 + slack) * (1 + 1e-7)
    for whole, part in zip(at, weights(problem["net1"]), strict=True):
        np.testing.assert_allclose(whole, part, rtol=0, atol=1e-7)
