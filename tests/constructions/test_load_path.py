"""A saved path is read back whatever its kind."""

import numpy as np
import pytest

from modeconn.constructions import connect, load_path
from modeconn.errors import InputError
from modeconn.nets import Net


@pytest.mark.parametrize("region", ["spectral:3", "linf:3", "spectral:3,linf:3"])
def test_paths_of_every_kind_come_back(region, tmp_path):
    """Conserved quantity: the nets along the path."""
    rng = np.random.default_rng(0)
    X, Y = rng.normal(size=(3, 2)), rng.normal(size=3)
    nets = [Net(0.3 * rng.normal(size=(2, 24)), 0.3 * rng.normal(size=(1, 24))) for _ in range(2)]
    path = connect(*nets, X, Y, region).path
    path.save(tmp_path / "path.npz")
    again = load_path(tmp_path / "path.npz")
    assert type(again) is type(path)
    for tau in np.linspace(0, path.pieces, 7):
        np.testing.assert_array_equal(again.net(tau).W, path.net(tau).W)


def test_another_file_is_refused(tmp_path):
    """Oracle: by construction."""
    np.savez(tmp_path / "other.npz", x=np.ones(2))
    with pytest.raises(InputError, match="expected a saved path"):
        load_path(tmp_path / "other.npz")
