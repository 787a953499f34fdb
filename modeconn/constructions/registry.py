"""The constructions by name. Their modules are imported when they are first used."""

from __future__ import annotations

import importlib
from dataclasses import dataclass

from modeconn.constructions.connection import Connection
from modeconn.constructions.pair import Pair
from modeconn.constructions.wide_region import Kind
from modeconn.errors import unknown_name

__all__ = ["CONSTRUCTIONS", "Construction", "construction_from_name", "constructions_for"]


@dataclass(frozen=True)
class Construction:
    """A way to join two nets.

    Attributes:
        name: key in :data:`CONSTRUCTIONS`.
        home: module below ``modeconn.constructions``; it holds a function (Pair) -> Connection called like it.
        kinds: kinds of region it is for.
        one_output: whether it is for nets with one output only.
        width: which width suffices, in words.
        like_balls: whether it is for one spectral ball, or one Frobenius ball, for each leaf only.
    """

    name: str
    home: str
    kinds: tuple[Kind, ...]
    one_output: bool
    width: str
    like_balls: bool = False

    def __call__(self, pair: Pair) -> Connection:
        """Return what the construction finds for the pair."""
        module = importlib.import_module(f"modeconn.constructions.{self.home}")
        return getattr(module, self.home)(pair)

    def suits(self, pair: Pair) -> bool:
        """Return whether the construction is meant for the pair's region and outputs."""
        norms = [ball.norm for leaf in ("W", "A") for ball in pair.region.over(leaf)]
        fits = not self.like_balls or norms in (["spectral"] * 2, ["frobenius"] * 2)
        return fits and pair.region.kind in self.kinds and not (self.one_output and pair.outputs > 1)


CONSTRUCTIONS: dict[str, Construction] = {
    row.name: row
    for row in (
        Construction("disjoint-slots", "disjoint_slots", ("gram",), False, "live0 + live1 <= m; sure for m >= 2 N"),
        Construction("edge-walk", "edge_walk", ("gram",), False, "sure for m >= N + 1"),
        Construction("tau-climb", "tau_climb", ("gram",), False, "sure for m >= N"),
        Construction("balanced-climb", "balanced_climb", ("gram",), True, "sure for m >= N - 1", like_balls=True),
        Construction("exact-climb", "exact_climb", ("gram",), False, "sure for m >= N, small N"),
        Construction(
            "merged-classes", "merged_classes", ("gram",), True, "sure for m >= 2 P + 1, P activation patterns"
        ),
        Construction("scaled-cells", "scaled_cells", ("box",), True, "live0 + live1 - shared <= m"),
        Construction("cell-program", "cell_program", ("box",), True, "live0 + live1 - shared <= m"),
        Construction(
            "mixed-program",
            "mixed_program",
            ("mixed",),
            True,
            "live0 + live1 - shared <= m; a finite width exists, not uniform in the radii",
        ),
    )
}
"""All constructions, cheapest first within a kind of region: the order in which ``"auto"`` tries them."""


def construction_from_name(name: str) -> Construction:
    """Return the construction called ``name``; raise :class:`InputError` with the nearest name otherwise."""
    if name not in CONSTRUCTIONS:
        raise unknown_name("construction", name, [*CONSTRUCTIONS, "auto"])
    return CONSTRUCTIONS[name]


def constructions_for(pair: Pair) -> tuple[Construction, ...]:
    """Return the constructions meant for the pair, in the order in which they are tried."""
    return tuple(construction for construction in CONSTRUCTIONS.values() if construction.suits(pair))
