"""The polar factor: many small matrices and few large ones, each method against five Newton-Schulz steps.

    python benchmarks/bench_polar.py [--quick] [--json FILE] [--sizes 1024,4096]

Five steps with tuned coefficients are what practical Muon runs; they do not converge (their error is recorded), so the
comparison is of time alone. Gate: NumPy's SVD in float64 for small matrices; for large ones a residual, that X is a
partial isometry with G = H X and H >= 0. How far X X^T is from I stands beside it: a method may count a tiny singular
value of a Gaussian matrix as zero. Everything in float32 with products at the highest precision. Growth is studied in
the number of 4 x 16 matrices, and in n for one n x n.

The floor of a large case is its own operations at the best rate of a product: what the share loses is what
Cholesky factors, triangular solves and passes over memory cost more than products.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from records import gate, growth, options, record, rounds, timed, write_records

from modeconn.optim import newton_schulz, polar_factor, polar_residual
from modeconn.optim.polar import METHODS

SMALL = ((10_000, 4, 16), (1_000, 4, 16), (100_000, 4, 16), (10_000, 8, 8), (1_000, 16, 16), (1_000, 32, 128))
GROWING = (4, 16)
LARGE = {"cpu": (256, 512, 1024), "gpu": (1024, 2048, 4096, 8192)}
GOAL, ORTHOGONALITY, RESIDUAL = 2.0, 1e-5, 1e-4
CUBES = {"iteration": 64.0, "halley": 28 + 2 * (2 + 1 / 3 + 2)}
"""Operations over n^3 for a square matrix: products 2, Cholesky 1/3, a triangular solve 1; five steps are 30."""
STEPS = "five Newton-Schulz steps"


def methods_for(rows: int) -> list[str]:
    """The methods worth timing at this number of rows."""
    left_out = {"jacobi": rows > 8, "halley": rows < 64, "auto": rows > 256}
    if jax.default_backend() != "cpu":
        left_out["svd"] = rows > 2048
    return [method for method in METHODS if not left_out.get(method, False)]


def product_seconds(rows: int, columns: int, count: int, repeats: int) -> float:
    """Seconds of one product of the size X X^T, the unit of every iteration."""
    G = jnp.ones((count, rows, columns), jnp.float32)
    square = jax.jit(lambda g: jnp.matmul(g, jnp.swapaxes(g, 1, 2), precision="highest"))
    return timed({"product": lambda: square(G)}, repeats)["product"]


@functools.cache
def cube_seconds() -> float:
    """Seconds over n^3 of one square product, at the size where it is fastest."""
    sizes = LARGE["cpu" if jax.default_backend() == "cpu" else "gpu"]
    return min(product_seconds(n, n, 1, 5) / n**3 for n in sizes)


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
    allowed = 1e-6 * float(np.linalg.cond(G[:64].astype(np.float64)).max())
    case = f"{count} of {rows} x {columns}"
    gates = {
        m: gate(f"{case}: {m}", np.abs(np.asarray(f(g))[:64] - U @ Vt).max(), allowed) for m, f in programs.items()
    }
    times = rounds({STEPS: lambda: steps(g), **{m: functools.partial(f, g) for m, f in programs.items()}}, repeats)
    floor = 2 * product_seconds(rows, columns, count, repeats)
    return [
        record(
            "polar",
            f"{case}: {method}",
            times[method].best,
            size={"count": count, "rows": rows, "columns": columns},
            gate=gates[method],
            allowed=allowed,
            peers={STEPS: times[STEPS].best},
            floor=floor,
            bound="two products",
            dtype="float32",
            growth=[growth(f"{rows} x {columns}, {method}", "matrices", count, count, "matrices")]
            if (rows, columns) == GROWING
            else (),
            steps_error=spectral_error(np.asarray(steps(g))[:64]),
            cpu_seconds={STEPS: times[STEPS].cpu, "own": times[method].cpu},
        )
        for method in programs
    ]


def residual(X: jax.Array, G: jax.Array) -> tuple[float, float]:
    """How far X is from a partial isometry with G = H X and H >= 0, and X X^T from I: largest entries."""
    found = polar_residual(X, G)
    A = jnp.matmul(X, X.T, precision="highest")
    impure = float(jnp.max(jnp.abs(jnp.matmul(A, A, precision="highest") - A)))
    return float(np.max([impure, found.alignment, -found.smallest])), float(found.orthogonality)  # nan stays nan


def large(n: int, repeats: int) -> list[dict[str, Any]]:
    """One square Gaussian matrix."""
    g = jax.random.normal(jax.random.key(0), (n, n), jnp.float32)
    steps = jax.jit(newton_schulz)
    programs = {m: jax.jit(functools.partial(polar_factor, method=m)) for m in methods_for(n) if m != "auto"}
    found = {m: residual(f(g), g) for m, f in programs.items()}
    gates = {m: gate(f"{n} x {n}: {m}", error, RESIDUAL) for m, (error, _) in found.items()}
    times = rounds({STEPS: lambda: steps(g), **{m: functools.partial(f, g) for m, f in programs.items()}}, repeats)
    rows = []
    for method in programs:
        with_goal = method == "halley" and n >= 1024
        ours, orthogonality = times[method], found[method][1]
        met = ours.best <= GOAL * times[STEPS].best and orthogonality <= ORTHOGONALITY
        rows.append(
            record(
                "polar",
                f"{n} x {n}: {method}",
                ours.best,
                size={"rows": n, "columns": n},
                gate=gates[method],
                allowed=RESIDUAL,
                peers={STEPS: times[STEPS].best},
                floor=cube_seconds() * n**3 * CUBES[method] / 2 if method in CUBES else None,
                bound="operations" if method in CUBES else None,
                goal=f"within {GOAL} x of five steps, orthogonality <= {ORTHOGONALITY}" if with_goal else None,
                met=met if with_goal else None,
                dtype="float32",
                growth=[growth(f"one matrix, {method}", "n", n, n**3, "n^3")],
                orthogonality=orthogonality,
                cpu_seconds={STEPS: times[STEPS].cpu, "own": ours.cpu},
            )
        )
    return rows


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print and write."""
    parser = options(__doc__)
    parser.add_argument("--sizes", default=None, help="sizes of the large matrices, such as 1024,4096")
    args = parser.parse_args(arguments)
    jax.config.update("jax_default_matmul_precision", "highest")
    kind = "cpu" if jax.default_backend() == "cpu" else "gpu"
    sizes = [int(word) for word in args.sizes.split(",")] if args.sizes else LARGE[kind][: 1 if args.quick else None]
    repeats, records = 2 if args.quick else 5, []
    for shape in SMALL[: 1 if args.quick else None]:
        records += small(*shape, repeats=repeats)
    for n in sizes:
        records += large(n, 2 if args.quick else 3)
    write_records(args.json, records, quick=args.quick)


if __name__ == "__main__":
    main()
