"""Weight matching of two-layer nets: one linear assignment problem, solved exactly."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment

from modeconn.errors import InputError
from modeconn.nets import Net, check_net, permute, width

__all__ = ["weight_matching"]


def weight_matching(reference: Net, net: Net) -> tuple[Net, np.ndarray]:
    r"""Return ``net`` with its neurons permuted nearest to ``reference``, and the permutation.

    $$\min_\pi \sum_j \lVert z_j - z'_{\pi(j)} \rVert^2, \qquad z_j = (w_j, a_j, b_j).$$

    The minimum over permutations is exact (for two layers the problem is one linear assignment); it is a minimum
    of the distance in weights, not of the barrier. Cost O(m^3), and O(m^2 (d + c)) for the distances.

    Args:
        reference: the net that stays.
        net: the net whose neurons are permuted; same shapes, same leaves.

    Returns:
        The permuted net, which computes the same predictions, and ``permutation`` (m,): neuron j of the answer is
        neuron ``permutation[j]`` of ``net``.

    Raises:
        InputError: when the two nets differ in shape; pad the narrower one with dead neurons first.

    Example:
        >>> import numpy as np
        >>> net = Net(np.array([[1.0, 2.0, 3.0]]), np.array([[1.0, 1.0, 1.0]]))
        >>> shuffled = Net(net.W[:, [2, 0, 1]], net.A)
        >>> weight_matching(net, shuffled)[1].tolist()
        [1, 2, 0]

    Reference: Ainsworth, Hayase, Srinivasa (2023), Git Re-Basin, section 3.2.
    """
    check_net(reference, "reference")
    check_net(net, "net")
    shapes = [tuple(None if leaf is None else np.shape(leaf) for leaf in item) for item in (reference, net)]
    if shapes[0] != shapes[1]:
        raise InputError(
            f"weight matching: expected two nets of the same shape, found {shapes[0]} and {shapes[1]}; "
            "pad the narrower net with dead neurons"
        )
    m = width(net)
    cost = np.zeros((m, m))
    for fixed, moved in zip(reference, net, strict=True):
        if fixed is not None:
            left, right = (np.asarray(leaf, np.float64).reshape(-1, m) for leaf in (fixed, moved))
            cost -= left.T @ right  # |z - z'|^2 up to terms that no permutation changes
    _, permutation = linear_sum_assignment(cost)
    return permute(net, permutation), permutation
