"""Nets and data with everything that a cell path must survive, and second opinions on a path: fixture ``cells``."""

from types import SimpleNamespace

import numpy as np
import pytest

from modeconn.constructions import checked_pair, problem_to_json
from modeconn.nets import Net
from proofs_check.checker import check_certificate


def awkward_data(seed, n=6, d=2):
    """Small integers: repeated, opposite and zero rows, so that neurons lie on hyperplanes exactly."""
    rng = np.random.default_rng(seed)
    X = rng.integers(-2, 3, (n, d)).astype(float)
    X[0], X[1], X[2] = 0.0, X[3], -X[4]
    return X, rng.integers(-2, 3, n).astype(float)


def awkward_net(seed, d=2, m=24, scale=8.0, bias=False):
    """Multiples of 1 / scale, some neurons dead in alpha, some in w, some of alpha = 0 with w left over."""
    rng = np.random.default_rng(seed)
    W, A = rng.integers(-4, 5, (d, m)) / scale, rng.integers(-4, 5, (1, m)) / scale
    A[0, :2], W[:, 1], W[:, 2] = 0.0, 0.0, 0.0
    return Net(W, A, rng.integers(-4, 5, m) / scale if bias else None)


def plain_net(seed, d, m, size, bias=False):
    """Uniform weights in [-size, size]."""
    rng = np.random.default_rng(seed)
    W, A, b = (rng.uniform(-size, size, shape) for shape in ((d, m), (1, m), (m,)))
    return Net(W, A, b if bias else None)


def pair_of(nets, X, y, region):
    return checked_pair(*nets, X, y, region)


def sampled_losses(path, X, y, points=17):
    """Half squared errors of ordinary forward passes along the path."""
    nets = path.nets(np.linspace(0, path.pieces, points * path.pieces + 1))
    bias = 0.0 if nets.b is None else nets.b[:, None, :]
    H = np.maximum(np.einsum("nd,kdm->knm", X, nets.W) + bias, 0.0)
    return 0.5 * ((np.einsum("knm,km->kn", H, nets.A[:, 0]) - y) ** 2).sum(axis=1)


def accepted(found, nets, X, y, region, **changes):
    """The checker's answer on the certificate, with fields of its statement replaced."""
    certificate = found.certificate()
    certificate["statement"].update(changes)
    return check_certificate(certificate, problem_to_json(*nets, X, y, region))


@pytest.fixture(scope="session")
def cells():
    """The helpers above by name."""
    helpers = (awkward_data, awkward_net, plain_net, pair_of, sampled_losses, accepted)
    return SimpleNamespace(**{helper.__name__: helper for helper in helpers})
