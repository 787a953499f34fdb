"""The table of potentials, by name."""

from __future__ import annotations

from modeconn.errors import InputError, unknown_name
from modeconn.optim.potentials.potential import NormPotential, Potential
from modeconn.optim.potentials.separable import Huber, SoftThreshold
from modeconn.regions import NORMS, norm_from_name

__all__ = ["POTENTIALS", "potential_from_name"]

_NORM_NAMES = ("l1", "nuclear", "frobenius", "lp:1.5", "lp:3", "sum_column", "sum_row", "schatten:1.5", "schatten:3")
_DELTA = 0.1

POTENTIALS: dict[str, Potential] = {
    **{name: NormPotential(norm_from_name(name)) for name in _NORM_NAMES},
    "soft_l1": SoftThreshold(NORMS["l1"], _DELTA),
    "soft_nuclear": SoftThreshold(NORMS["nuclear"], _DELTA),
    "huber_l1": Huber(NORMS["l1"], _DELTA),
    "huber_nuclear": Huber(NORMS["nuclear"], _DELTA),
}
"""The family table of the theory, section 1. Gradient and ball of each:

==============  =======================================  ==========================
K               gradK                                    domain of K*
==============  =======================================  ==========================
l1              sign (Lion, Signum)                      entries <= 1 (l_inf)
nuclear         polar factor U V^T (Muon)                singular values <= 1
frobenius       x / |x| (normalised SGD)                 Frobenius ball
lp:P            sign(x) (|x| / ||x||_p)^(P-1)            l_q ball, 1/P + 1/q = 1
sum_column      unit columns                             columns of length <= 1
sum_row         unit rows                                rows of length <= 1
schatten:P      the same in the singular values          Schatten-q ball
soft_*          unit directions above delta              as the norm, plus a penalty
huber_*         x / delta projected on the ball          as the norm, plus a penalty
==============  =======================================  ==========================
"""


def potential_from_name(name: str) -> Potential:
    """Return the potential called ``name``.

    Args:
        name: a key of :data:`POTENTIALS`; any name of a norm; or ``soft_NORM:DELTA``, ``huber_NORM:DELTA``, as in
            ``"huber_nuclear:0.5"``.

    Raises:
        InputError: for an unknown name, with the nearest known one.

    Example:
        >>> potential_from_name("huber_nuclear:0.5").delta, potential_from_name("lp:4").ball.name
        (0.5, 'lp:1.3333333333333333')
    """
    if name in POTENTIALS:
        return POTENTIALS[name]
    try:
        for prefix, build in (("soft_", SoftThreshold), ("huber_", Huber)):
            if name.startswith(prefix):
                norm, _, delta = name.removeprefix(prefix).rpartition(":")
                return build(norm_from_name(norm), float(delta))
        return NormPotential(norm_from_name(name))
    except (InputError, ValueError):
        raise unknown_name("potential", name, POTENTIALS) from None
