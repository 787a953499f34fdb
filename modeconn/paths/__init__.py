"""Paths between nets and the barriers along them."""

from modeconn.paths.barrier import BASELINES, Barrier, baseline_ends
from modeconn.paths.batch import barrier_exact_batch
from modeconn.paths.polyline import polyline_barrier
from modeconn.paths.straight import barrier_exact

__all__ = ["BASELINES", "Barrier", "barrier_exact", "barrier_exact_batch", "baseline_ends", "polyline_barrier"]
