"""Deep ReLU nets of two inputs as classifiers of a square: the share they get wrong, exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from proofs_check.exact.rational import ExactInputError, number_from

__all__ = ["PlaneNet", "accepted_region", "interpolate", "misclassified_share", "permute_hidden", "plane_net"]

Point = tuple[Fraction, Fraction]
Polygon = tuple[Point, ...]
"""A convex polygon by its corners, in order."""

Affine = tuple[Fraction, Fraction, Fraction]
"""The function (p, q) -> a p + b q + c."""

Layer = tuple[tuple[tuple[Fraction, ...], ...], tuple[Fraction, ...]]
"""Weights, one row a neuron, and biases."""

_ZERO, _ONE = Fraction(0), Fraction(1)
_SQUARE: Polygon = tuple((Fraction(p), Fraction(q)) for p, q in ((-1, -1), (1, -1), (1, 1), (-1, 1)))
_COORDINATES: tuple[Affine, Affine] = ((_ONE, _ZERO, _ZERO), (_ZERO, _ONE, _ZERO))


@dataclass(frozen=True)
class PlaneNet:
    """f = W_L s(... s(W_1 x + b_1) ...) + b_L with one output and s(z) = max(z, 0) + slope min(z, 0).

    Attributes:
        layers: the hidden layers and, last, the output layer of one neuron.
        slope: slope of the activation on negative numbers; 0 is ReLU.
    """

    layers: tuple[Layer, ...]
    slope: Fraction = _ZERO

    def __call__(self, p: Fraction, q: Fraction) -> Fraction:
        """Return f(p, q), exactly."""
        values: tuple[Fraction, ...] = (p, q)
        for depth, (weights, biases) in enumerate(self.layers):
            sums = [
                sum((w * v for w, v in zip(row, values, strict=True)), b)
                for row, b in zip(weights, biases, strict=True)
            ]
            is_last = depth == len(self.layers) - 1
            values = tuple(z if is_last or z >= 0 else self.slope * z for z in sums)
        return values[0]


def plane_net(layers: Iterable[tuple[Sequence[Sequence[object]], Sequence[object]]], slope: object = 0) -> PlaneNet:
    """Return the net with these layers (weights, biases); numbers as :func:`number_from` reads them.

    Raises:
        ExactInputError: shapes that do not fit, two inputs and one output included.

    Example:
        >>> tent = plane_net([([[1, 0], [-1, 0]], [0, 0]), ([[-1, -1]], ["1/2"])])  # 1/2 - |p|
        >>> tent(Fraction(1, 4), Fraction(7)), misclassified_share(tent, lambda p, q: p * p < 1)
        (Fraction(1, 4), Fraction(1, 2))
    """
    found: list[Layer] = []
    width = 2
    for weights, biases in layers:
        rows = tuple(tuple(number_from(w) for w in row) for row in weights)
        if len(rows) != len(biases) or any(len(row) != width for row in rows):
            raise ExactInputError(f"layer {len(found)}: expected rows of {width} weights and a bias for each row")
        found.append((rows, tuple(number_from(b) for b in biases)))
        width = len(rows)
    if not found or width != 1:
        raise ExactInputError(f"net: expected one output, found {width if found else 'no layer'}")
    return PlaneNet(tuple(found), number_from(slope))


def permute_hidden(net: PlaneNet, permutations: Sequence[Sequence[int]]) -> PlaneNet:
    """Return the same function with the neurons of each hidden layer in another order.

    Neuron j of hidden layer k becomes neuron ``permutations[k][j]`` of the old net.

    Example:
        >>> net = plane_net([([[1, 0], [0, 2]], [0, 5]), ([[3, 4]], [0])])
        >>> permute_hidden(net, [[1, 0]]).layers[1][0]
        ((Fraction(4, 1), Fraction(3, 1)),)
    """
    orders = [*permutations, range(1)]
    if len(orders) != len(net.layers) or any(
        sorted(order) != list(range(len(biases))) for order, (_, biases) in zip(orders, net.layers, strict=True)
    ):
        raise ExactInputError("permutations: expected one of all neurons for each hidden layer")
    before: Sequence[int] = range(2)
    layers = []
    for order, (weights, biases) in zip(orders, net.layers, strict=True):
        rows = tuple(tuple(weights[j][i] for i in before) for j in order)
        layers.append((rows, tuple(biases[j] for j in order)))
        before = order
    return PlaneNet(tuple(layers), net.slope)


def interpolate(net0: PlaneNet, net1: PlaneNet, t: Fraction) -> PlaneNet:
    """Return the net with weights (1 - t) theta_0 + t theta_1; both of one shape and slope."""
    shapes = [[(len(w), len(w[0])) for w, _ in net.layers] for net in (net0, net1)]
    if shapes[0] != shapes[1] or net0.slope != net1.slope:
        raise ExactInputError(f"interpolate: expected nets of one shape and slope, found {shapes[0]} and {shapes[1]}")

    def mix(u: Sequence[Fraction], v: Sequence[Fraction]) -> tuple[Fraction, ...]:
        return tuple((1 - t) * a + t * b for a, b in zip(u, v, strict=True))

    layers = [
        (tuple(mix(u, v) for u, v in zip(w0, w1, strict=True)), mix(b0, b1))
        for (w0, b0), (w1, b1) in zip(net0.layers, net1.layers, strict=True)
    ]
    return PlaneNet(tuple(layers), net0.slope)


def misclassified_share(net: PlaneNet, is_positive: Callable[[Fraction, Fraction], bool]) -> Fraction:
    """Return the share of the square [-1, 1]^2 on which "f >= 0" differs from the label, exactly.

    The square is cut along the lines where a neuron changes sign; on each of the convex pieces f is affine. Cost: one
    evaluation of the net for each piece.

    Args:
        net: the classifier.
        is_positive: the label, constant on each of the four open quadrants.

    Example:
        >>> right = plane_net([([[1, 0]], [0]), ([[1]], ["-1/2"])])  # relu(p) >= 1/2
        >>> misclassified_share(right, lambda p, q: p > 0)
        Fraction(1, 4)
    """
    wrong = sum((_area(quadrant) for quadrant in _quadrants() if is_positive(*_centre(quadrant))), _ZERO)
    for piece in accepted_region(net):
        wrong += -_area(piece) if is_positive(*_centre(piece)) else _area(piece)
    return wrong / _area(_SQUARE)


def accepted_region(net: PlaneNet) -> list[Polygon]:
    """Return the part of the square where f >= 0 as convex polygons, each inside one quadrant, up to measure zero.

    Example:
        >>> right = plane_net([([[1, 0]], [0]), ([[1]], ["-1/2"])])  # relu(p) >= 1/2
        >>> sorted(min(p for p, _ in polygon) for polygon in accepted_region(right))
        [Fraction(1, 2), Fraction(1, 2)]
    """
    found = []
    for quadrant in _quadrants():
        for piece, f in _affine_pieces(net, 0, quadrant, _COORDINATES):
            kept = piece if not any(f) else _clip(piece, f)
            if _area(kept) > 0:
                found.append(kept)
    return found


def _quadrants() -> list[Polygon]:
    """Return the four quadrants of the square."""
    return [quarter for half in _split(_SQUARE, _COORDINATES[0]) for quarter in _split(half, _COORDINATES[1])]


def _affine_pieces(
    net: PlaneNet, depth: int, polygon: Polygon, inputs: tuple[Affine, ...]
) -> Iterable[tuple[Polygon, Affine]]:
    """Yield convex pieces of a polygon with the affine function that f is there."""
    weights, biases = net.layers[depth]
    sums = [_combine(row, b, inputs) for row, b in zip(weights, biases, strict=True)]
    if depth == len(net.layers) - 1:
        yield polygon, sums[0]
        return
    pieces: list[tuple[Polygon, tuple[Affine, ...]]] = [(polygon, ())]
    for z in sums:
        flat: Affine = (net.slope * z[0], net.slope * z[1], net.slope * z[2])
        pieces = [
            (part, (*values, z if _at(z, _centre(part)) >= 0 else flat))
            for piece, values in pieces
            for part in _split(piece, z)
        ]
    for piece, values in pieces:
        yield from _affine_pieces(net, depth + 1, piece, values)


def _combine(row: Sequence[Fraction], bias: Fraction, inputs: Sequence[Affine]) -> Affine:
    a, b, c = (sum((w * f[k] for w, f in zip(row, inputs, strict=True)), _ZERO) for k in range(3))
    return a, b, c + bias


def _at(f: Affine, point: Point) -> Fraction:
    return f[0] * point[0] + f[1] * point[1] + f[2]


def _centre(polygon: Polygon) -> Point:
    """Return the mean of the corners, which lies in the interior."""
    return sum((p for p, _ in polygon), _ZERO) / len(polygon), sum((q for _, q in polygon), _ZERO) / len(polygon)


def _split(polygon: Polygon, f: Affine) -> list[Polygon]:
    """Return the parts where f > 0 and where f < 0, or the polygon itself where f does not change sign."""
    values = [_at(f, corner) for corner in polygon]
    if min(values) >= 0 or max(values) <= 0:
        return [polygon]
    return [_clip(polygon, f), _clip(polygon, (-f[0], -f[1], -f[2]))]


def _clip(polygon: Polygon, f: Affine) -> Polygon:
    """Return the part of a convex polygon where f >= 0."""
    kept: list[Point] = []
    for here, there in zip(polygon, (*polygon[1:], polygon[0]), strict=True):
        u, v = _at(f, here), _at(f, there)
        if u >= 0:
            kept.append(here)
        if u * v < 0:
            s = u / (u - v)
            kept.append((here[0] + s * (there[0] - here[0]), here[1] + s * (there[1] - here[1])))
    return tuple(kept)


def _area(polygon: Polygon) -> Fraction:
    """Return the area of a polygon (0 for fewer than three corners)."""
    pairs = zip(polygon, (*polygon[1:], *polygon[:1]), strict=True)
    return abs(sum((p * s - q * r for (p, q), (r, s) in pairs), _ZERO)) / 2
