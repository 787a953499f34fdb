"""Training fleets: thousands of two-layer nets at once, reproducible one by one."""

from modeconn.train.fleet import Fleet
from modeconn.train.processes import train_fleet_on_processes
from modeconn.train.result import FleetResult, unstack
from modeconn.train.run import train_fleet
from modeconn.train.schedule import SCHEDULES

__all__ = ["SCHEDULES", "Fleet", "FleetResult", "train_fleet", "train_fleet_on_processes", "unstack"]
