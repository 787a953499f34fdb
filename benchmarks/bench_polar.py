"""The polar factor: many small matrices and few large ones, each method against five Newton-Schulz steps.

    python benchmarks/bench_polar.py [--quick] [--json FILE] [--sizes 1024,4096]

Five steps with tuned coefficients are what practical Muon runs; they do not converge (their error is printed), so the
comparison is of time alone. Gate: NumPy's SVD in float64 for small matrices; for large ones the residual certificate,
X X^T = I and G = H X with H >= 0. Everything in float32 with products at the highest precision.
"""

from __future__ import annotations

import argparse
import functools
import math
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from records import record, timed, write_records

from modeconn.optim import newton_schulz, polar_factor, polar_residual
from modeconn.optim.polar import METHODS

SMALL = ((10_000, 4, 16), (10_000, 8, 8), (1_000, 16, 16), (1_000, 32, 128))
LARGE = {"cpu": (256, 1024), "gpu": (1024, 2048, 4096, 8192)}
GOAL, ORTHOGONALITY = 2.0, 1e-5


def methods_for(rows: int) -> list[str]:
    """The methods worth timing at this number of rows."""
    left_out = {"jacobi": rows > 8, "halley": rows < 64, "auto": False}
    return [method for method in METHODS if not left_out.get(method, False)]


def product_seconds(rows: int, columns: int, count: int, repeats: int) -> float:
    """Seconds of one product of the size X X^T, the unit of every iteration."""
    G = jnp.ones((count, rows, columns), jnp.float32)
    square = jax.jit(lambda g: jnp.matmul(g, jnp.swapaxes(g, 1, 2), precision="highest"))
    return timed({"product": lambda: square(G)}, repeats)["product"]


def spectral_error(X: np.ndarray) -> float:
    """Largest distance of a singular value from 1."""
    return float(np.abs(np.linalg.svd(np.asarray(X, np.float64), compute_uv=False) - 1).max())


def small(count: int, rows: int, columns: int, repeats: int) -> list[dict[str, Any]]:
    """Batches of small matrices under vmap."""
    G = np.random.default_rng(0).normal(size=(count, rows, columns)).astype(np.float32)
    g = jnp.asarray(G)
    U, _, Vt = np.linalg.svd(G[:64].astype(np.float64), full_matrices=False)
    steps = jax.jit(jax.vmap(newton_schulz))
    programs = {m: jax.jit(jax.vmap(functools.partial(polar_factor, method=m))) for m in methods_for(rows)}
    gates = {m: float(np.abs(np.asarray(f(g[:64])) - U @ Vt).max()) for m, f in programs.items()}
    condition = float(np.linalg.cond(G[:64].astype(np.float64)).max())
    if not max(gates.values()) < 1e-6 * condition:
        raise SystemExit(
            f"{count} x {rows} x {columns}: errors {gates} at condition {condition:.0f}; nothing was timed"
        )
    times = timed({"steps": lambda: steps(g), **{m: lambda f=f: f(g) for m, f in programs.items()}}, repeats)
    floor = 2 * G.nbytes / max(G.nbytes / product_seconds(rows, columns, count, repeats), 1)
    return [
        record(
            "polar",
            f"{count} of {rows} x {columns}: {method}",
            times[method],
            size={"count": count, "rows": rows, "columns": columns},
            gate=gates[method],
            peers={"five Newton-Schulz steps": times["steps"]},
            floor=floor,
            bound="two products",
            dtype="float32",
            steps_error=spectral_error(np.asarray(steps(g[:64]))),
        )
        for method in programs
    ]


def large(n: int, repeats: int) -> list[dict[str, Any]]:
    """One square Gaussian matrix."""
    g = jax.random.normal(jax.random.key(0), (n, n), jnp.float32)
    steps = jax.jit(newton_schulz)
    skipped = {"svd", "auto"} if jax.default_backend() != "cpu" and n > 2048 else {"auto"}
    programs = {m: jax.jit(functools.partial(polar_factor, method=m)) for m in methods_for(n) if m not in skipped}
    residual = jax.jit(polar_residual)
    gates = {m: [float(number) for number in residual(f(g), g)] for m, f in programs.items()}
    for method, (orthogonality, alignment, smallest) in gates.items():
        if not (orthogonality < 1e-4 and alignment < 1e-3 and smallest > -1e-4):
            raise SystemExit(f"{n} x {n} {method}: residual {gates[method]}; nothing was timed")
    times = timed({"steps": lambda: steps(g), **{m: lambda f=f: f(g) for m, f in programs.items()}}, repeats)
    floor = 15 * product_seconds(n, n, 1, repeats)
    rows = []
    for method in programs:
        with_goal = method == "halley" and n >= 1024
        orthogonality, alignment, _ = gates[method]
        rows.append(
            record(
                "polar",
                f"{n} x {n}: {method}",
                times[method],
                size={"rows": n, "columns": n},
                gate=orthogonality,
                peers={"five Newton-Schulz steps": times["steps"]},
                floor=floor,
                bound="15 products",
                goal=f"within {GOAL} x of five steps, orthogonality <= {ORTHOGONALITY}" if with_goal else None,
                met=times[method] <= GOAL * times["steps"] and orthogonality <= ORTHOGONALITY if with_goal else None,
                dtype="float32",
                alignment=alignment,
            )
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print and write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", default=None, help="write the records to this file")
    parser.add_argument("--quick", action="store_true", help="the smallest sizes only")
    parser.add_argument("--sizes", default=None, help="sizes of the large matrices, such as 1024,4096")
    args = parser.parse_args(arguments)
    jax.config.update("jax_default_matmul_precision", "highest")
    kind = "cpu" if jax.default_backend() == "cpu" else "gpu"
    sizes = [int(word) for word in args.sizes.split(",")] if args.sizes else LARGE[kind][: 1 if args.quick else None]
    repeats, records = 2 if args.quick else 5, []
    for shape in SMALL[: 1 if args.quick else None]:
        records += small(*shape, repeats=repeats)
    for n in sizes:
        records += large(n, max(2, math.ceil(repeats / 2)))
    write_records(args.json, records)


if __name__ == "__main__":
    main()
