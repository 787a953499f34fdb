"""Units far from 1: paths in those that floats can hold, clear errors beyond."""

import numpy as np
import pytest

from modeconn.constructions import connect, problem_to_json, region_from_text
from modeconn.errors import InputError
from modeconn.nets import Net
from proofs_check.checker import check_certificate


def pair(weights=1.0, data=1.0, targets=1.0):
    """Two nets of width 24 in these units, and data."""
    rng = np.random.default_rng(0)
    X, Y = data * rng.normal(size=(3, 2)), targets * rng.normal(size=3)
    nets = [Net(0.3 * weights * rng.normal(size=(2, 24)), 0.3 * weights * rng.normal(size=(1, 24))) for _ in range(2)]
    return *nets, X, Y


@pytest.mark.parametrize("region", ["spectral:{}", "linf:{}", "spectral:{},linf:{}"])
@pytest.mark.parametrize("unit", [1e-20, 1e20])
def test_any_unit_that_floats_hold(region, unit):
    """Certificate: the exact checker accepts the path, whatever the unit of weights and data."""
    text = region.format(3 * unit, 3 * unit)
    found = connect(*pair(unit, 1 / unit), text)
    assert found.path is not None
    assert check_certificate(found.certificate(), problem_to_json(*pair(unit, 1 / unit), text)).accepted


@pytest.mark.parametrize(
    ("scales", "said"),
    [
        ({"weights": 1e150}, "expected first net of entries up to 1e40"),
        ({"data": 1e300}, "expected X of entries up to 1e40"),
        ({"targets": 1e300}, "expected Y of entries up to 1e40"),
    ],
)
def test_units_that_no_product_survives(scales, said):
    """Oracle: by construction; one line that says what to do."""
    with pytest.raises(InputError, match=said):
        connect(*pair(**scales), "spectral:1e30")


@pytest.mark.parametrize("text", ["spectral:1e-400", "linf:1e400", "spectral:1e41", "schatten:1e300:2"])
def test_radii_and_exponents_out_of_reach(text):
    """Oracle: by construction."""
    with pytest.raises(InputError, match=r"between 1e-40 and 1e40|exponent p <= 1024"):
        region_from_text(text)
