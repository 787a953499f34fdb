"""Regions: products of balls over the leaves of a net."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from modeconn.errors import InputError
from modeconn.nets import Net
from modeconn.regions import NORMS, Region, leaf_names

NET = Net(W=jnp.array([[3.0, 0.0], [0.0, 1.0]]), A=jnp.array([[0.5, -4.0]]), b=jnp.array([0.0, 2.0]))
NORM_RULES = {"W": NORMS["spectral"], "A": NORMS["linf"], "b": NORMS["l1"]}


def test_product_of_different_balls() -> None:
    """Oracle: closed form, leaf by leaf."""
    region = Region.over(NET, NORM_RULES, {"W": 2.0, "A": 1.0, "b": 5.0})

    @jax.jit
    def facts(net: Net) -> tuple[Net, jax.Array, dict[str, jax.Array], jax.Array, Net]:
        return (
            region.project(net),
            region.distance(net),
            region.ratios(net),
            region.contains(net, 1e-15),
            region.minimizer(net),
        )

    projected, distance, ratios, inside, corner = facts(NET)
    np.testing.assert_allclose(projected.W, [[2.0, 0.0], [0.0, 1.0]], atol=1e-15)
    np.testing.assert_array_equal(projected.A, [[0.5, -1.0]])
    np.testing.assert_array_equal(projected.b, NET.b)
    assert float(distance) == pytest.approx(np.hypot(1.0, 3.0))
    assert {k: float(v) for k, v in ratios.items()} == pytest.approx({"W": 1.5, "A": 4.0, "b": 0.4})
    assert not inside
    assert facts(projected)[3]
    np.testing.assert_allclose(corner.W, [[-2.0, 0.0], [0.0, -2.0]], atol=1e-15)
    np.testing.assert_array_equal(corner.A, [[-1.0, 1.0]])
    np.testing.assert_array_equal(corner.b, [0.0, -5.0])


def test_missing_leaves_are_skipped() -> None:
    """Oracle: by construction. ``None`` is not a leaf."""
    net = Net(W=NET.W)
    region = Region.over(net, NORMS["linf"], 3.0)
    assert region.names == leaf_names(net) == ("W",)
    assert bool(region.contains(net))
    with pytest.raises(InputError, match="build the region from the same parameters"):
        region.contains(NET)


def test_infinite_radius_is_no_constraint() -> None:
    """Oracle: by construction."""
    region = Region.over(NET, NORMS["max_row"])
    assert bool(region.contains(NET))
    assert float(region.distance(NET)) == 0
    assert jax.tree.all(jax.tree.map(np.array_equal, region.project(NET), NET))
    assert set(map(float, region.ratios(NET).values())) == {0.0}


def test_one_program_serves_many_radii() -> None:
    """Oracle: the loop over radii. Radii are data: traced, mapped, not compiled in."""
    traces = []

    @jax.jit
    def distance(region: Region) -> jax.Array:
        traces.append(1)
        return region.distance(NET)

    values = [float(distance(Region.over(NET, NORM_RULES, r))) for r in (0.5, 1.0, 2.0)]
    assert len(traces) == 1
    mapped = jax.jit(jax.vmap(lambda r: Region.over(NET, NORM_RULES, r).distance(NET)))(jnp.array([0.5, 1.0, 2.0]))
    np.testing.assert_allclose(mapped, values, rtol=1e-14)


def test_bad_regions_are_refused() -> None:
    """Oracle: by construction."""
    with pytest.raises(InputError, match="no norm for leaf 'b'"):
        Region.over(NET, {"W": NORMS["l1"], "A": NORMS["l1"]}, 1.0)
    with pytest.raises(InputError, match="radius >= 0"):
        Region.over(NET, NORMS["l1"], -1.0)
    with pytest.raises(InputError, match="radius >= 0"):
        Region.over(NET, NORMS["l1"], float("nan"))
