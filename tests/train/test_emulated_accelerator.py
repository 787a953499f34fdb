"""A whole training on an emulated accelerator: its default products change a verdict, ours are never rounded."""

import importlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.train import Fleet, train_fleet

lax = importlib.import_module("jax._src.lax.lax")
"""Where every product of jax.numpy passes."""

RNG = np.random.default_rng(0)
X, Y = RNG.normal(size=(12, 12)), 1e3 * RNG.normal(size=(12, 1))
FLEET = Fleet.of(optimizer="muon", learning_rate=1.0, weight_decay=1.0, width=12, seed=[0, 1, 2])


def rounded(bits, is_nearest):
    """Rounding of float32 to so many bits of mantissa: to nearest, ties to even, or towards zero."""

    def round_one(x):
        lost = 23 - bits
        raw = jax.lax.bitcast_convert_type(x, jnp.uint32)
        half = np.uint32((1 << (lost - 1)) - 1) + ((raw >> lost) & 1) if is_nearest else np.uint32(0)
        return jax.lax.bitcast_convert_type((raw + half) & np.uint32(-(1 << lost) % 2**32), jnp.float32)

    return round_one


ROUNDINGS = {"tf32": rounded(10, True), "tf32-truncated": rounded(10, False), "bfloat16": rounded(7, True)}
"""What tensor cores and matrix units make of the factors of a float32 product; they add in float32."""


def trained(monkeypatch, round_one, obeys):
    """The fleet, trained on an accelerator that rounds the float32 factors of a product, unless pinned if it obeys."""
    product = lax.dot_general

    def dot_general(lhs, rhs, dimensions, precision=None, *rest, **options):
        asked = jax.config.jax_default_matmul_precision if precision is None else str(precision).lower()
        is_pinned = obeys and "highest" in str(asked)
        if lhs.dtype == rhs.dtype == np.float32 and not is_pinned:
            lhs, rhs = round_one(lhs), round_one(rhs)
        return product(lhs, rhs, dimensions, precision, *rest, **options)

    jax.clear_caches()
    with monkeypatch.context() as patched:
        patched.setattr(lax, "dot_general", dot_general)
        found = train_fleet(FLEET, X, Y, steps=3)
    jax.clear_caches()
    return found


@pytest.fixture(scope="module")
def straight():
    """The fleet on this machine."""
    return train_fleet(FLEET, X, Y, steps=3)


def test_the_rounding_is_that_of_the_hardware():
    """Closed form: eleven significant bits in TF32, eight in bfloat16; NumPy's own bfloat16."""
    x = jnp.asarray([1 + 2**-11, 1 + 3 * 2**-11, 1 + 2**-10, -(1 + 2**-10 + 2**-12)], jnp.float32)
    assert ROUNDINGS["tf32"](x).tolist() == [1.0, 1 + 2**-9, 1 + 2**-10, -(1 + 2**-10)]
    assert ROUNDINGS["tf32-truncated"](x).tolist() == [1.0, 1 + 2**-10, 1 + 2**-10, -(1 + 2**-10)]
    many = jnp.asarray(RNG.normal(size=1000), jnp.float32)
    np.testing.assert_array_equal(ROUNDINGS["bfloat16"](many), many.astype(jnp.bfloat16).astype(jnp.float32))


def test_the_nets_are_near_the_boundary(straight):
    """Oracle: claim L4's radius; the verdicts below are not decided by a wide margin."""
    assert straight.in_region().all()
    assert (straight.ratios["W"] > 1 - 1e-4).all()


@pytest.mark.parametrize("name", ROUNDINGS)
def test_default_products_would_change_a_verdict(name, monkeypatch):
    """Oracle: claim L4's region, which the nets may not leave; with rounded products some do."""
    assert not trained(monkeypatch, ROUNDINGS[name], obeys=False).in_region().all()


def test_ours_are_never_rounded(straight, monkeypatch):
    """Conserved quantity: every bit; an accelerator that obeys the program's precision rounds none of its products."""
    with jax.default_matmul_precision("bfloat16"):
        ours = trained(monkeypatch, ROUNDINGS["bfloat16"], obeys=True)
    np.testing.assert_array_equal(ours.nets.W, straight.nets.W)
    np.testing.assert_array_equal(ours.nets.A, straight.nets.A)
    assert ours.in_region().all()
