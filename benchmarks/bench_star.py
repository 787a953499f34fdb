"""Criteria for two pieces and for a common centre: many sampled minima at once, beside a matching for each.

    python benchmarks/bench_star.py [--json FILE] [--quick]

Minima of M = 4 teachers and width m = 64, uniform on the manifold. The answers are compared first, on a subsample that
holds refusals and agreements alike, with a search over all ways to serve the teachers, and nothing is timed that
differs. The peer is what one would write otherwise: for each pair the bipartite graph of teachers and places, and
``scipy.sparse.csgraph.maximum_bipartite_matching``; it is timed on a subsample and scaled to all pairs. The floor is
one reading of the labels at the bandwidth of a copy.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any

import numpy as np
from rates import bandwidth_of_a_copy
from records import growth, options, record, timed, write_records
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_bipartite_matching

from modeconn.star import are_linearly_connected, has_centre, is_two_piece_connected, sample_minima

TEACHERS, WIDTH, PAIRS = 4, 64, 100_000
GOAL = 10.0
"""Seconds for the criteria of all pairs, drawn already; the time with the draw is recorded as well."""

CHECKED = 400
"""Most minima of either verdict in the gate."""

PEER_PAIRS = 2000
GROWTH = (2_000, 8_000, 32_000, 128_000)


def admitted(labels: np.ndarray) -> np.ndarray:
    """Return (M, m), whether place p may serve teacher j: every foot is 0 there or serves j."""
    teachers = np.arange(1, TEACHERS + 1)[:, None]
    return np.asarray(((labels[:, None] == 0) | (labels[:, None] == teachers)).all(0))


def can_serve(graph: np.ndarray, teacher: int = 0, used: frozenset[int] = frozenset()) -> bool:
    """Return whether all teachers from this one on find different places, by trying all: no theorem of Hall or Koenig.

    Of the places of a teacher M suffice, the others serve at most M - 1 of them.
    """
    if teacher == len(graph):
        return True
    places = np.flatnonzero(graph[teacher])[: len(graph)].tolist()
    return any(can_serve(graph, teacher + 1, used | {p}) for p in places if p not in used)


def criterion(labels: np.ndarray) -> np.ndarray:
    """Return the verdicts of the library; for two feet by its function for pairs."""
    if labels.shape[1] == 2:
        return np.asarray(is_two_piece_connected(labels[:, 0], labels[:, 1], TEACHERS))
    return np.asarray(has_centre(labels, TEACHERS))


def by_matching(labels: np.ndarray) -> list[bool]:
    """Return the verdicts of a maximum matching for each, as a user would write it."""
    found = []
    for each in labels:
        served = maximum_bipartite_matching(csr_array(admitted(each)), perm_type="column")
        found.append(bool((served >= 0).all()))
    return found


def gate(labels: np.ndarray, verdicts: np.ndarray) -> dict[str, int]:
    """Stop unless search and criterion agree on up to CHECKED refusals and CHECKED agreements; return their numbers."""
    counts = {}
    for verdict in (True, False):
        chosen = np.flatnonzero(verdicts == verdict)[:CHECKED].tolist()
        wrong = [k for k in chosen if can_serve(admitted(labels[k])) != verdict]
        if wrong:
            raise SystemExit(f"criterion and search differ on minima {wrong[:5]}; nothing was timed")
        counts["agreements" if verdict else "refusals"] = len(chosen)
    if not counts["refusals"] or not counts["agreements"]:
        raise SystemExit(f"the gate needs both verdicts, found {counts}")
    return counts


def drawn_labels(pairs: int, feet: int, zero_probability: float) -> np.ndarray:
    """Return labels (pairs, feet, m)."""
    law = "iid" if zero_probability else "hausdorff"
    minima = sample_minima(0, feet * pairs, WIDTH, TEACHERS, labels=law, zero_probability=zero_probability)
    return minima.labels.reshape(pairs, feet, WIDTH)


def compared(labels: np.ndarray, repeats: int) -> tuple[dict[str, float], dict[str, Any]]:
    """Return seconds of criterion and peer, scaled to all minima, and what was checked before."""
    verdicts = criterion(labels)
    counts = gate(labels, verdicts)
    few = labels[:PEER_PAIRS]
    if by_matching(few) != verdicts[: len(few)].tolist():
        raise SystemExit("criterion and maximum matching differ; nothing was timed")
    best = timed({"ours": partial(criterion, labels), "scipy": partial(by_matching, few)}, repeats)
    best["scipy"] *= len(labels) / len(few)
    return best, {"share_joined": float(verdicts.mean()), "checked": counts, "peer_pairs": len(few)}


def measured(pairs: int, repeats: int, bandwidth: float) -> Iterator[dict[str, Any]]:
    """Yield the records of all pairs at once."""
    for feet, zero in ((2, 0.0), (3, 0.0), (2, 0.1)):
        start = time.perf_counter()
        labels = drawn_labels(pairs, feet, zero)
        drawn = time.perf_counter() - start
        best, outcome = compared(labels, repeats)
        law = f"r = {zero:g}" if zero else "uniform"
        yield record(
            "star",
            f"{'two pieces' if feet == 2 else f'centre of {feet}'}, {law}",
            best["ours"],
            size={"pairs": pairs, "feet": feet, "M": TEACHERS, "m": WIDTH},
            gate=0.0,  # verdicts of criterion, search and matching are equal, or nothing gets here
            peers={"scipy matching in a loop, scaled": best["scipy"]},
            floor=labels.nbytes / bandwidth,
            bound="bytes",
            goal=f"{pairs} in <= {GOAL:.0f} s",
            met=best["ours"] <= GOAL,
            dtype="int64",
            precision="exact",
            draw_seconds=drawn,
            **outcome,
        )
        if feet == 2 and not zero:
            first, second = labels[:, 0], labels[:, 1]
            errors = linear_errors(labels[:CHECKED])
            seconds = timed({"linear": partial(are_linearly_connected, first, second)}, repeats)["linear"]
            yield record(
                "star",
                "one piece, uniform",
                seconds,
                size={"pairs": pairs, "feet": feet, "M": TEACHERS, "m": WIDTH},
                gate=float(errors),
                floor=labels.nbytes / bandwidth,
                bound="bytes",
                dtype="int64",
                precision="exact",
            )


def grown(pairs: int, repeats: int, bandwidth: float) -> dict[str, Any]:
    """Return the record of so many pairs in the study of growth."""
    labels = drawn_labels(pairs, 2, 0.0)
    best, outcome = compared(labels, repeats)
    return record(
        "star",
        f"two pieces, {pairs} pairs",
        best["ours"],
        size={"pairs": pairs, "feet": 2, "M": TEACHERS, "m": WIDTH},
        gate=0.0,
        peers={"scipy matching in a loop, scaled": best["scipy"]},
        floor=labels.nbytes / bandwidth,
        bound="bytes",
        dtype="int64",
        precision="exact",
        growth=[growth("two pieces", "pairs, at m = 64, M = 4", pairs, 2.0 * pairs * WIDTH * TEACHERS, "pairs m M")],
        **outcome,
    )


def linear_errors(labels: np.ndarray) -> int:
    """Return how often the criterion for one piece differs from its definition; stop if it does.

    On pairs (k, 2, m); on pairs that are joined, made from one minimum by hiding places from either foot; and on those
    with one place changed in one foot, which are joined only if the place was hidden from the other.
    """
    rng = np.random.default_rng(0)
    joined = labels[:, :1] * (rng.random(labels.shape) < 0.7)
    changed, place = joined.copy(), rng.integers(WIDTH, size=len(labels))
    changed[np.arange(len(labels)), 0, place] = 1 + labels[np.arange(len(labels)), 0, place] % TEACHERS
    pairs = np.concatenate([labels, joined, changed])
    found = are_linearly_connected(pairs[:, 0], pairs[:, 1]).tolist()
    by_hand = [all(0 in (j, k) or j == k for j, k in zip(a, b, strict=True)) for a, b in pairs.tolist()]
    wrong = sum(x != y for x, y in zip(found, by_hand, strict=True))
    if wrong or len(set(by_hand)) < 2:
        raise SystemExit(f"the criterion for one piece is wrong {wrong} times of {len(pairs)}; nothing was timed")
    return wrong


def main(arguments: Sequence[str] | None = None) -> None:
    """Check, time, print, and write the records."""
    args = options(__doc__).parse_args(arguments)
    pairs, repeats, bandwidth = PAIRS // 10 if args.quick else PAIRS, 1 if args.quick else 3, bandwidth_of_a_copy()
    rows = list(measured(pairs, repeats, bandwidth))
    rows += [grown(count, repeats, bandwidth) for count in GROWTH[: 2 if args.quick else None]]
    write_records(args.json, rows, quick=args.quick)


if __name__ == "__main__":
    main()
