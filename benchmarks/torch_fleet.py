"""The fleet as a PyTorch user would train it: a loop over nets, or ``torch.func.vmap`` over all of them."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import jax
import numpy as np
from records import gate

__all__ = ["torch_peers"]

RATE, DECAY, FIRST, SECOND, EPS = 1e-3, 0.1, 0.9, 0.999, 1e-8
LOOP_NETS, STEPS = 4, 20
"""So many nets of the loop and steps of both are timed, and scaled: the loop would take minutes."""

GATE_NETS, GATE_STEPS, GATE = 3, 5, 1e-4
"""Both are compared with AdamW in float64 on so many nets and steps; the largest difference of a weight."""

Weights = tuple[Any, Any]


def torch_peers(name: str, d: int, width: int, nets: int, steps: int, points: int = 32) -> dict[str, float]:
    """Return peer -> seconds for AdamW; nothing where torch is not installed, which is said.

    Args:
        name: optimizer; torch has no Lion, and its Muon takes Newton-Schulz steps, as optax's does, which is timed.
        d: inputs.
        width: hidden neurons.
        nets: how many.
        steps: of each.
        points: data points.
    """
    if name != "adamw":
        return {}
    try:
        import torch
    except ImportError:
        print("torch is not installed: its peers are left out", flush=True)
        return {}
    torch.set_float32_matmul_precision("highest")
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(points, d)), rng.normal(size=(points, 1))
    W, A = rng.normal(size=(nets, d, width)) / d**0.5, rng.normal(size=(nets, 1, width)) / width**0.5

    def on_device(x: np.ndarray) -> Any:
        return torch.tensor(x, dtype=torch.float32, device=device)

    data, start = (on_device(X), on_device(Y)), (on_device(W), on_device(A))
    trainers = {"torch loop": _by_loop, "torch.func.vmap": _by_vmap}
    few = tuple(leaf[:GATE_NETS] for leaf in start)
    wanted = _adamw_in_numpy((W[:GATE_NETS], A[:GATE_NETS]), X, Y, GATE_STEPS)
    for peer, train in trainers.items():
        got = train(torch, few, *data)(GATE_STEPS)
        pairs = zip(got, wanted, strict=True)
        gate(peer, max(float(np.abs(a.detach().cpu().numpy() - b).max()) for a, b in pairs), GATE)
    elsewhere = " on the CPU" if device == "cpu" and jax.default_backend() != "cpu" else ""
    counts = {"torch loop": min(LOOP_NETS, nets), "torch.func.vmap": nets}
    return {
        f"{peer}{elsewhere}": _seconds(torch, train(torch, tuple(x[: counts[peer]] for x in start), *data), device)
        * (nets / counts[peer])
        * steps
        for peer, train in trainers.items()
    }


def _seconds(torch: Any, train: Callable[[int], Any], device: str) -> float:
    """Return the seconds of one step of all nets, at best; a first call warms up."""
    best = np.inf
    for _ in range(4):
        if device == "cuda":
            torch.cuda.synchronize()
        start = time.perf_counter()
        train(STEPS)
        if device == "cuda":
            torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return float(best) / STEPS


def _by_loop(torch: Any, start: Weights, X: Any, Y: Any) -> Callable[[int], Weights]:
    """Return steps -> stacked weights, trained net after net with ``torch.optim.AdamW``."""

    def train(steps: int) -> Weights:
        trained = []
        for W, A in zip(*start, strict=True):
            leaves = [W.clone().requires_grad_(), A.clone().requires_grad_()]
            optimizer = torch.optim.AdamW(leaves, lr=RATE, betas=(FIRST, SECOND), eps=EPS, weight_decay=DECAY)
            for _ in range(steps):
                optimizer.zero_grad(set_to_none=True)
                loss = 0.5 * ((torch.relu(X @ leaves[0]) @ leaves[1].T - Y) ** 2).sum()
                loss.backward()
                optimizer.step()
            trained.append(leaves)
        return torch.stack([W for W, _ in trained]), torch.stack([A for _, A in trained])

    return train


def _by_vmap(torch: Any, start: Weights, X: Any, Y: Any) -> Callable[[int], Weights]:
    """Return steps -> stacked weights: gradients by vmap, AdamW written out on the stacks as torch documents it."""

    def loss(weights: Weights) -> Any:
        W, A = weights
        return 0.5 * ((torch.relu(X @ W) @ A.T - Y) ** 2).sum()

    gradient = torch.func.vmap(torch.func.grad(loss))

    def train(steps: int) -> Weights:
        weights = start
        m = v = tuple(torch.zeros_like(w) for w in start)
        for t in range(1, steps + 1):
            g = gradient(weights)
            m = tuple(FIRST * a + (1 - FIRST) * b for a, b in zip(m, g, strict=True))
            v = tuple(SECOND * a + (1 - SECOND) * b * b for a, b in zip(v, g, strict=True))
            rate, scale = RATE / (1 - FIRST**t), (1 - SECOND**t) ** -0.5
            weights = tuple(
                w * (1 - RATE * DECAY) - rate * a / (scale * b.sqrt() + EPS)
                for w, a, b in zip(weights, m, v, strict=True)
            )
        return weights

    return train


def _adamw_in_numpy(
    weights: tuple[np.ndarray, np.ndarray], X: np.ndarray, Y: np.ndarray, steps: int
) -> list[np.ndarray]:
    """Return the stacked weights after so many steps of AdamW in float64, with gradients by hand."""
    found = list(weights)
    m, v = ([np.zeros_like(w) for w in weights] for _ in range(2))
    for t in range(1, steps + 1):
        W, A = found
        P = X @ W
        R = np.maximum(P, 0) @ A.transpose(0, 2, 1) - Y
        gradients = [X.T @ ((R @ A) * (P > 0)), R.transpose(0, 2, 1) @ np.maximum(P, 0)]
        for k, g in enumerate(gradients):
            m[k] = FIRST * m[k] + (1 - FIRST) * g
            v[k] = SECOND * v[k] + (1 - SECOND) * g * g
            step = m[k] / (1 - FIRST**t) / (np.sqrt(v[k] / (1 - SECOND**t)) + EPS)
            found[k] = (1 - RATE * DECAY) * found[k] - RATE * step
    return found
