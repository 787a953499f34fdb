"""The fleet as a PyTorch user would train it: a loop over nets, or ``torch.func.vmap`` over all of them."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

__all__ = ["torch_peers"]

LOOP_NETS, LOOP_STEPS = 4, 20
"""The loop is timed on so many nets and steps, and scaled: it would take minutes."""


def torch_peers(name: str, d: int, width: int, nets: int, steps: int, points: int = 32) -> dict[str, float]:
    """Return peer -> seconds for AdamW; nothing where torch is not installed, which is said.

    Args:
        name: optimizer; torch ships AdamW, so the others have no peer here.
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
    device = "cuda" if torch.cuda.is_available() else "cpu"
    rng = np.random.default_rng(0)
    X = torch.tensor(rng.normal(size=(points, d)), dtype=torch.float32, device=device)
    Y = torch.tensor(rng.normal(size=(points, 1)), dtype=torch.float32, device=device)
    return {
        "torch loop": _loop(torch, X, Y, d, width, device) * nets * steps,
        "torch.func.vmap": _vmap(torch, X, Y, d, width, nets, device) * steps,
    }


def _weights(torch: Any, shape: tuple[int, ...], device: str) -> Any:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(*shape, generator=generator).to(device)


def _seconds(torch: Any, work: Any, device: str) -> float:
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    start = time.perf_counter()
    work()
    if device == "cuda":
        torch.cuda.synchronize()
    return time.perf_counter() - start


def _loop(torch: Any, X: Any, Y: Any, d: int, width: int, device: str) -> float:
    """Seconds of one step of one net, net after net."""

    def work() -> None:
        for _ in range(LOOP_NETS):
            W = _weights(torch, (d, width), device).requires_grad_()
            A = _weights(torch, (1, width), device).requires_grad_()
            optimizer = torch.optim.AdamW([W, A], lr=1e-3, weight_decay=0.1)
            for _ in range(LOOP_STEPS):
                optimizer.zero_grad(set_to_none=True)
                loss = 0.5 * ((torch.relu(X @ W) @ A.T - Y) ** 2).sum()
                loss.backward()
                optimizer.step()

    return _seconds(torch, work, device) / (LOOP_NETS * LOOP_STEPS)


def _vmap(torch: Any, X: Any, Y: Any, d: int, width: int, nets: int, device: str) -> float:
    """Seconds of one step of all nets: gradients by vmap, AdamW written out on the stacked weights."""
    params = (_weights(torch, (nets, d, width), device), _weights(torch, (nets, 1, width), device))

    def loss(weights: tuple[Any, Any]) -> Any:
        W, A = weights
        return 0.5 * ((torch.relu(X @ W) @ A.T - Y) ** 2).sum()

    gradient = torch.func.vmap(torch.func.grad(loss))
    first, second, rate, decay = 0.9, 0.999, 1e-3, 0.1

    def work() -> None:
        weights = params
        m = tuple(torch.zeros_like(w) for w in weights)
        v = tuple(torch.zeros_like(w) for w in weights)
        for t in range(1, LOOP_STEPS + 1):
            g = gradient(weights)
            m = tuple(first * a + (1 - first) * b for a, b in zip(m, g, strict=True))
            v = tuple(second * a + (1 - second) * b * b for a, b in zip(v, g, strict=True))
            scale = (1 - second**t) ** 0.5 / (1 - first**t)
            weights = tuple(
                w * (1 - rate * decay) - rate * scale * a / (b.sqrt() + 1e-8)
                for w, a, b in zip(weights, m, v, strict=True)
            )

    return _seconds(torch, work, device) / LOOP_STEPS
