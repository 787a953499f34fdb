"""What every optimizer of the registry must do; one contract, no second list."""

import functools
import json
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest

from modeconn.nets import Net
from modeconn.optim import OPTIMIZERS, POTENTIALS, lion_k, muon_keller, muon_newton_schulz, tree_region
from modeconn.optim.lion_k import MomentumState

REFERENCE = json.loads((Path(__file__).parents[1] / "reference" / "optimizer_vectors.json").read_text())
LION_K = [name for name, entry in OPTIMIZERS.items() if entry.potential is not None]
PRACTICAL = [name for name, entry in OPTIMIZERS.items() if not entry.is_theory]


def random_net(seed: int, scale: float = 1.0, dtype: type = np.float64) -> Net:
    rng = np.random.default_rng(seed)
    return Net(*(jnp.asarray(scale * rng.normal(size=shape), dtype) for shape in ((2, 5), (1, 5), (5,))))


def allclose(found: Net, expected: Net, tolerance: float) -> None:
    for name, a, b in zip(Net._fields, found, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance, err_msg=name)


@functools.cache
def constant_gradient(name: str, steps: int = 60):
    """(x, G, learning rate, decay) -> norm / radius of each leaf after ``steps`` steps with the same gradient G."""

    def final(x: Net, G: Net, learning_rate: jax.Array, weight_decay: jax.Array) -> dict[str, jax.Array]:
        optimizer = OPTIMIZERS[name].build(learning_rate, weight_decay)

        def step(_: int, carry: tuple[Net, optax.OptState]) -> tuple[Net, optax.OptState]:
            move, state = optimizer.update(G, carry[1], carry[0])
            return jax.tree.map(jnp.add, carry[0], move), state

        x, _ = jax.lax.fori_loop(0, steps, step, (x, optimizer.init(x)))
        return OPTIMIZERS[name].region(x, weight_decay).ratios(x)

    return jax.jit(final)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_descends_on_a_convex_problem(name: str) -> None:
    """Oracle: closed form. 1/2 |x - target|^2 has minimum 0; a decreasing step must come close to it."""
    target = random_net(1)
    optimizer = OPTIMIZERS[name].build(optax.linear_schedule(0.05, 0.0, 400))

    def loss(x: Net) -> jax.Array:
        return 0.5 * sum(jnp.sum((a - b) ** 2) for a, b in zip(x, target, strict=True))

    @jax.jit
    def train(x: Net) -> Net:
        def step(_: int, carry: tuple[Net, optax.OptState]) -> tuple[Net, optax.OptState]:
            move, state = optimizer.update(jax.grad(loss)(carry[0]), carry[1], carry[0])
            return jax.tree.map(jnp.add, carry[0], move), state

        return jax.lax.fori_loop(0, 400, step, (x, optimizer.init(x)))[0]

    start = random_net(2)
    assert float(loss(train(start))) < 1e-2 * float(loss(start))


@pytest.mark.parametrize("name", OPTIMIZERS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_keeps_dtypes_and_shapes_and_does_not_recompile(name: str, dtype: type) -> None:
    """Oracle: by construction. Hyperparameters are traced, in another dtype than the weights; one trace for all."""
    traces = []

    @jax.jit
    def update(G: Net, x: Net, learning_rate: jax.Array, weight_decay: jax.Array) -> tuple[Net, optax.OptState]:
        traces.append(1)
        optimizer = OPTIMIZERS[name].build(learning_rate, weight_decay)
        return optimizer.update(G, optimizer.init(x), x)

    for seed, (learning_rate, weight_decay) in enumerate([(0.1, 0.0), (0.01, 0.3)]):
        x = random_net(seed, dtype=dtype)
        move, state = update(random_net(9, dtype=dtype), x, jnp.float64(learning_rate), jnp.float64(weight_decay))
        assert [(u.dtype, u.shape) for u in move] == [(w.dtype, w.shape) for w in x]
        memory = [leaf for leaf in jax.tree.leaves(state) if leaf.shape in {w.shape for w in x}]
        assert {leaf.dtype for leaf in memory} == {jnp.dtype(dtype)}
        assert all(np.isfinite(u).all() and np.abs(u).max() > 0 for u in move)
    assert len(traces) == 1


@pytest.mark.parametrize("name", LION_K)
def test_radius_is_reached_exactly(name: str) -> None:
    """Oracle: claim L4. A constant gradient drives lam ||x||_dual to 1 within 1e-9, in any unit, for eps lam < 2."""
    for unit, learning_rate, decay in ((1.0, 0.25, 2.0), (1e-30, 0.25, 2.0), (1.0, 0.7, 2.0)):
        ratios = constant_gradient(name)(random_net(3), random_net(4, unit), learning_rate, decay)
        assert {leaf: float(r) for leaf, r in ratios.items()} == pytest.approx(dict.fromkeys(ratios, 1.0), abs=1e-9)
    ratios = constant_gradient(name)(random_net(3, 1.0, np.float32), random_net(4, 1e-30, np.float32), 0.25, 2.0)
    assert {leaf: float(r) for leaf, r in ratios.items()} == pytest.approx(dict.fromkeys(ratios, 1.0), abs=2e-6)


@pytest.mark.parametrize("name", PRACTICAL)
def test_practical_muon_misses_the_radius(name: str) -> None:
    """Oracle: claim L4's negative control. Five tuned Newton-Schulz steps end elsewhere; this test can fail."""
    ratios = constant_gradient(name)(random_net(3), random_net(4), 0.25, 2.0)
    assert abs(float(ratios["W"]) - 1) > 0.01


@pytest.mark.parametrize(("name", "end"), [("huber_nuclear", 0.1), ("soft_l1", 0.0)])
def test_smoothed_potentials_stay_inside(name: str, end: float) -> None:
    """Oracle: claim L4's second control, closed form: with delta = 0.1, gradK(0.01) is 0.1 for Huber and 0 for soft."""
    optimizer = lion_k(0.25, POTENTIALS[name], 2.0, 0.5, 0.5)
    G, update = jnp.array([[0.01]]), jax.jit(optimizer.update)
    x, state = jnp.ones((1, 1)), optimizer.init(G)
    for _ in range(60):
        move, state = update(G, state, x)
        x = x + move
    assert 2 * float(abs(x[0, 0])) == pytest.approx(end, abs=1e-9)


@pytest.mark.parametrize("name", LION_K)
def test_steps_are_frank_wolfe(name: str) -> None:
    """Oracle: claim L5. x_{t+1} = (1 - g) x_t + g LMO(c_t), g = eps lam, with c_t from its own recurrence."""
    eps, lam, b1, b2 = 0.2, 1.5, 0.7, 0.9
    entry = OPTIMIZERS[name]
    optimizer = entry.build(eps, lam, b1=b1, b2=b2)
    x = random_net(5)
    region = entry.region(x, lam)

    @jax.jit
    def both(g: Net, m: Net, x: Net) -> tuple[Net, Net, Net]:
        state = optimizer.init(x)
        move, _ = optimizer.update(g, (MomentumState(m), state[1]), x)
        c = jax.tree.map(lambda m, g: b1 * m + (1 - b1) * g, m, g)
        corner = region.minimizer(c)
        expected = jax.tree.map(lambda x, z: (1 - eps * lam) * x + eps * lam * z, x, corner)
        return jax.tree.map(jnp.add, x, move), expected, jax.tree.map(lambda m, g: b2 * m + (1 - b2) * g, m, g)

    m = jax.tree.map(jnp.zeros_like, x)
    for seed in range(4):
        x, expected, m = both(random_net(100 + seed), m, x)
        allclose(x, expected, 1e-13)


def trajectory(optimizer: optax.GradientTransformation, run: dict[str, list], name: str) -> list[np.ndarray]:
    """Positions under the gradients of a reference run; the matrix is a leaf called ``name``."""
    x = {name: jnp.array(run["params"][0])}
    state, out, update = optimizer.init(x), [], jax.jit(optimizer.update)
    for g in run["grads"]:
        move, state = update({name: jnp.array(g)}, state, x)
        x = jax.tree.map(jnp.add, x, move)
        out.append(np.asarray(x[name]))
    return out


def test_lion_is_lion_pytorch() -> None:
    """Oracle: trajectory of lucidrains/lion-pytorch."""
    entry = REFERENCE["lion_lucidrains"]
    for run in entry["runs"].values():
        optimizer = OPTIMIZERS["lion"].build(entry["lr"], entry["weight_decay"], *entry["betas"])
        np.testing.assert_allclose(trajectory(optimizer, run, "W"), run["params"][1:], rtol=1e-14)


def test_adamw_is_torch() -> None:
    """Oracle: trajectory of torch.optim.AdamW."""
    entry = REFERENCE["adamw_torch"]
    for run in entry["runs"].values():
        optimizer = OPTIMIZERS["adamw"].build(entry["lr"], entry["weight_decay"], *entry["betas"], entry["eps"])
        np.testing.assert_allclose(trajectory(optimizer, run, "W"), run["params"][1:], rtol=1e-12)


@pytest.mark.parametrize("shape", REFERENCE["muon_keller_singledevice"]["runs"])
def test_muon_keller_is_keller_jordans(shape: str) -> None:
    """Oracle: trajectory of KellerJordan/Muon with its bfloat16 cast removed; rows are outputs there."""
    entry = REFERENCE["muon_keller_singledevice"]
    run = entry["runs"][shape]
    optimizer = muon_keller(entry["lr"], entry["weight_decay"], entry["momentum"], output_axis=0, dtype=None)
    np.testing.assert_allclose(trajectory(optimizer, run, "W"), run["params"][1:], rtol=1e-11)
    transposed = {key: np.swapaxes(values, 1, 2).tolist() for key, values in run.items()}
    stored_in_out = muon_keller(entry["lr"], entry["weight_decay"], entry["momentum"], dtype=None)
    found = np.swapaxes(trajectory(stored_in_out, transposed, "W"), 1, 2)
    np.testing.assert_allclose(found, run["params"][1:], rtol=1e-11)


def test_agreement_with_optax_where_they_coincide() -> None:
    """Oracle: optax. Lion; sign of an averaged gradient; Polyak Muon, whose bias correction is normalised away."""
    run = {"params": [np.asarray(random_net(0).W)], "grads": [np.asarray(random_net(s).W) for s in range(1, 7)]}
    pairs = (
        (OPTIMIZERS["lion"].build(0.1, 0.3), optax.lion(0.1, weight_decay=0.3), 1e-14),
        (
            OPTIMIZERS["signum"].build(0.1),
            optax.chain(optax.ema(0.9, debias=False), optax.scale_by_sign(), optax.scale(-0.1)),
            1e-14,
        ),
        (
            muon_newton_schulz(0.1, b1=0.95, b2=0.95),
            optax.chain(
                optax.contrib.scale_by_muon(
                    nesterov=False, weight_dimension_numbers={"W": optax.contrib.MuonDimensionNumbers()}
                ),
                optax.scale(-0.1),
            ),
            1e-5,  # the two eps differ, and one of them meets the bias-corrected momentum
        ),
        (OPTIMIZERS["muon_optax"].build(0.1, 0.3), optax.contrib.muon(0.1, weight_decay=0.3), 1e-14),
    )
    for ours, theirs, tolerance in pairs:
        np.testing.assert_allclose(
            trajectory(ours, run, "W"), trajectory(theirs, run, "W"), rtol=tolerance, atol=tolerance
        )


def test_regions_of_the_registry() -> None:
    """Oracle: the family table: dual balls of radius 1 / lam, no ball without decay."""
    x = random_net(0)
    names = {name: [norm.name for norm in entry.region(x, 0.5).norms] for name, entry in OPTIMIZERS.items()}
    box, ball = ["linf"] * 3, ["spectral"] * 3
    assert names == {
        "lion": box,
        "signum": box,
        "adamw": box,
        "muon": ball,
        "muon_newton_schulz": ball,
        "muon_keller": ball,
        "muon_mixed": ["spectral", "linf", "linf"],
        "muon_optax": ["spectral", "spectral", "linf"],
        "normalized_sgd": ["frobenius"] * 3,
    }
    for entry in OPTIMIZERS.values():
        assert entry.region(x, 0.5).radii == (2.0,) * 3
        assert set(map(float, entry.region(x, 0.0).radii)) == {np.inf}
        assert set(map(float, jax.jit(lambda lam, entry=entry: entry.region(x, lam).radii)(0.0))) == {np.inf}
        if entry.potential is not None:
            assert entry.region(x, 0.5).norms == tree_region(entry.potential, x, 2.0).norms
