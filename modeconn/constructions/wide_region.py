"""Regions of wide nets: intersections of norm balls over W, over A, or over both, with rational radii."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Literal

import numpy as np
from jaxtyping import Float

from modeconn.cells import as_fraction
from modeconn.errors import InputError, unknown_name

__all__ = ["GRAM_NORMS", "LARGEST", "Ball", "WideRegion", "region_from_json", "region_from_text"]

Leaf = Literal["W", "A", "joint"]
Kind = Literal["gram", "box", "mixed"]

GRAM_NORMS = ("spectral", "frobenius", "schatten:P")
"""Norms whose balls are convex in W W^T: with Schatten-p, 2 <= p < inf. The other one known here is ``linf``."""

LARGEST = Fraction(10**40)
"""Radii, weights and data beyond, and radii below its inverse, are refused: their products leave the floats."""

_LARGEST_EXPONENT = 1024
_LEAVES: tuple[Leaf, ...] = ("W", "A", "joint")


@dataclass(frozen=True)
class Ball:
    """The ball {norm(leaf) <= radius}; of leaf ``"joint"``, the root of ||W||_F^2 + ||A||_F^2.

    Attributes:
        leaf: ``"W"``, ``"A"`` or ``"joint"``. A bias counts as a last row of W.
        norm: ``"spectral"``, ``"frobenius"``, ``"schatten:P"`` (P >= 2) or ``"linf"`` (largest entry).
        radius: > 0, exactly as written.
    """

    leaf: Leaf
    norm: str
    radius: Fraction

    def __post_init__(self) -> None:
        if self.leaf not in _LEAVES:
            raise unknown_name("leaf of a region", str(self.leaf), _LEAVES)
        object.__setattr__(self, "norm", _norm_name(self.norm))
        object.__setattr__(self, "radius", _radius(self.radius, self.norm))
        if self.leaf == "joint" and self.norm != "frobenius":
            raise InputError(f"joint ball: expected the norm frobenius, found {self.norm}; give W and A a ball each")

    @property
    def exponent(self) -> float:
        """Return p of the l_p gauge of the singular values (infinite for the spectral norm and for linf)."""
        if self.norm == "frobenius":
            return 2.0
        return float(self.norm.partition(":")[2] or math.inf)

    @property
    def is_gram(self) -> bool:
        """Return whether the ball is a convex condition on the Gram matrix of its leaf."""
        return self.norm != "linf"

    def value(self, W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "c m"]) -> float:
        """Return the norm of the leaf, in float64."""
        leaf = {"W": W, "A": A, "joint": np.concatenate([W, A])}[self.leaf]
        if self.norm == "linf":
            return float(np.abs(leaf).max())
        if self.exponent == 2.0:
            return float(np.linalg.norm(leaf))
        s = np.linalg.svd(leaf, compute_uv=False)
        top = float(s[0])
        if math.isinf(self.exponent) or top == 0.0:
            return top
        return float(top * np.sum((s / top) ** self.exponent) ** (1.0 / self.exponent))

    def excess(self, W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "c m"]) -> float:
        """Return norm / radius - 1: positive outside the ball."""
        return self.value(W, A) / float(self.radius) - 1.0

    def to_json(self) -> dict[str, str]:
        """Return norm and radius, as in certificates."""
        return {"norm": self.norm, "radius": str(self.radius)}


@dataclass(frozen=True)
class WideRegion:
    """The intersection of norm balls over the leaves of a net; each leaf is bounded by at least one.

    Example:
        >>> region = region_from_text("spectral:1.5,linf:0.8")
        >>> region.kind, region.to_json()
        ('mixed', {'W': {'norm': 'spectral', 'radius': '3/2'}, 'A': {'norm': 'linf', 'radius': '4/5'}})

    Reference: theory, section 2.
    """

    balls: tuple[Ball, ...]

    def __post_init__(self) -> None:
        object.__setattr__(self, "balls", tuple(self.balls))
        leaves = {ball.leaf for ball in self.balls}
        if leaves not in ({"joint"}, {"W", "A"}, {"W", "A", "joint"}):
            raise InputError(
                f"region: expected a ball for W and one for A, or a joint one, found {sorted(leaves)}; bound both"
            )

    @property
    def kind(self) -> Kind:
        """Return ``"gram"`` (all balls are functions of W W^T and A A^T), ``"box"`` (all linf) or ``"mixed"``."""
        gram = [ball.is_gram for ball in self.balls]
        return "gram" if all(gram) else "mixed" if any(gram) else "box"

    def over(self, leaf: Leaf) -> tuple[Ball, ...]:
        """Return the balls of a leaf (those of ``"joint"`` are not balls of W or A)."""
        return tuple(ball for ball in self.balls if ball.leaf == leaf)

    def check_contains(
        self, W: Float[np.ndarray, "d m"], A: Float[np.ndarray, "c m"], name: str, tolerance: float = 0.0
    ) -> None:
        """Raise :class:`InputError` when a leaf lies outside its ball by more than ``tolerance``, relatively."""
        for ball in self.balls:
            excess = ball.excess(W, A)
            if excess > tolerance:
                leaf = "weights" if ball.leaf == "joint" else ball.leaf
                raise InputError(
                    f"{name}: {ball.norm} norm of {leaf} is {ball.value(W, A):.12g}, outside the radius "
                    f"{float(ball.radius):.12g} by {excess:.3g} of it; enlarge the region or rescale the net"
                )

    def to_json(self) -> Any:
        """Return the region as in certificates: one ball a leaf where possible, a list of such otherwise."""
        W, A = self.over("W"), self.over("A")
        groups: list[Any] = []
        for k in range(max(len(W), len(A))):  # a leaf with fewer balls repeats its last one, which adds nothing
            pair = {"W": W[min(k, len(W) - 1)], "A": A[min(k, len(A) - 1)]} if W and A else {}
            groups.append({leaf: ball.to_json() for leaf, ball in pair.items()})
        groups += [{"joint": ball.to_json()} for ball in self.over("joint")]
        return groups[0] if len(groups) == 1 else groups

    def __str__(self) -> str:
        words = [f"{'joint-' if b.leaf == 'joint' else ''}{b.norm}:{float(b.radius):g} ({b.leaf})" for b in self.balls]
        return " & ".join(words)


def _norm_name(name: Any) -> str:
    """Return the canonical name of a norm that a wide region may use."""
    if not isinstance(name, str):
        raise InputError(f"region: expected the name of a norm, found {name!r}; write e.g. 'spectral'")
    if name in ("spectral", "frobenius", "linf"):
        return name
    prefix, colon, text = name.partition(":")
    if prefix != "schatten" or not colon:
        raise unknown_name("norm of a wide region", name, ["spectral", "frobenius", "linf", "schatten:P"])
    p = _rational(text, "schatten: exponent")
    if p is None:
        return "spectral"
    if p < 2:
        raise InputError(
            f"schatten:{text}: not covered, its ball is no convex condition on W W^T; expected an exponent p >= 2"
        )
    if p > _LARGEST_EXPONENT:
        raise InputError(f"schatten:{text}: expected an exponent p <= {_LARGEST_EXPONENT}; use 'spectral' for p = inf")
    return "frobenius" if p == 2 else f"schatten:{p if p.denominator == 1 else float(p)}"


def _rational(value: Any, what: str) -> Fraction | None:
    """Return the number as it is written, ``None`` for infinity."""
    if value in ("inf", math.inf):
        return None
    return as_fraction(value.strip() if isinstance(value, str) else value, what)


def _radius(value: Any, norm: str) -> Fraction:
    radius = _rational(value, f"radius of the {norm} ball")
    if radius is None or radius <= 0:
        raise InputError(
            f"radius of the {norm} ball: expected a finite number > 0, found {value}; give the ball a size"
        )
    if not 1 / LARGEST <= radius <= LARGEST:
        raise InputError(
            f"radius of the {norm} ball: expected a number between 1e-40 and 1e40, found {value}; choose another unit"
        )
    return radius


def region_from_json(value: Any) -> WideRegion:
    """Return the region that a JSON value describes: one set of balls, or a list of such (their intersection).

    Raises:
        InputError: anything else, a norm that is not covered, or a radius that is not a finite number > 0.

    Example:
        >>> region_from_json({"joint": {"norm": "frobenius", "radius": "3"}}).kind
        'gram'
    """
    if isinstance(value, WideRegion):
        return value
    parts = value if isinstance(value, (list, tuple)) else [value]
    return WideRegion(tuple(ball for part in parts for ball in _balls(part)))


def _balls(value: Any) -> Iterable[Ball]:
    """Yield the balls of one JSON object."""
    expected = 'expected {"W": BALL, "A": BALL}, {"joint": BALL} or BALL = {"norm", "radius"}'
    if not isinstance(value, Mapping) or not value:
        raise InputError(f"region: {expected}, found {value!r}")
    if set(value) == {"norm", "radius"}:
        value = {"W": value, "A": value}
    for leaf, ball in value.items():
        if leaf not in _LEAVES or not isinstance(ball, Mapping) or set(ball) != {"norm", "radius"}:
            raise InputError(f"region: {expected}, found {leaf!r}: {ball!r}")
        yield Ball(leaf, ball["norm"], ball["radius"])


def region_from_text(text: str) -> WideRegion:
    """Return the region of a short description.

    ``spectral:1.5`` (both leaves), ``spectral:1.5,linf:0.8`` (W, then A), ``frobenius:2``, ``schatten:4:2`` (p = 4,
    radius 2), ``joint-frobenius:3``; ``&`` between two descriptions intersects them.

    Raises:
        InputError: a text that is none of these.

    Example:
        >>> [ball.norm for ball in region_from_text("schatten:4:2,frobenius:1").balls]
        ['schatten:4', 'frobenius']
    """
    return WideRegion(tuple(ball for part in text.split("&") for ball in _balls_of_text(part)))


def _balls_of_text(text: str) -> Sequence[Ball]:
    """Return the balls of a description without ``&``."""
    words = [word.strip().rpartition(":")[::2] for word in text.split(",")]
    if len(words) > 2 or not all(norm and radius for norm, radius in words):
        raise InputError(
            f"region: expected NORM:RADIUS for both leaves, or two of them for W and A, found {text!r}; "
            "write e.g. spectral:1.5 or spectral:1.5,linf:0.8"
        )
    if words[0][0] == "joint-frobenius" and len(words) == 1:
        return [Ball("joint", "frobenius", words[0][1])]  # type: ignore[arg-type]
    leaves: tuple[Leaf, Leaf] = ("W", "A")
    return [Ball(leaf, *words[-1 if leaf == "A" else 0]) for leaf in leaves]  # type: ignore[arg-type]
