"""Paths between nets and the barriers along them."""

from modeconn.paths.barrier import BASELINES, Barrier, baseline_ends
from modeconn.paths.batch import barrier_exact_batch, barrier_exact_batch_on_processes
from modeconn.paths.certified import (
    barrier_certified,
    barrier_enclosure,
    polyline_barrier_certified,
    rounded_outward,
)
from modeconn.paths.curve import SegmentCurve, segment_curve, segment_loss
from modeconn.paths.grid import barrier_on_grid, loss_between, net_barrier_on_grid, polyline_barrier_on_grid
from modeconn.paths.polyline import polyline_barrier
from modeconn.paths.straight import barrier_exact

__all__ = [
    "BASELINES",
    "Barrier",
    "SegmentCurve",
    "barrier_certified",
    "barrier_enclosure",
    "barrier_exact",
    "barrier_exact_batch",
    "barrier_exact_batch_on_processes",
    "barrier_on_grid",
    "baseline_ends",
    "loss_between",
    "net_barrier_on_grid",
    "polyline_barrier",
    "polyline_barrier_certified",
    "polyline_barrier_on_grid",
    "rounded_outward",
    "segment_curve",
    "segment_loss",
]
