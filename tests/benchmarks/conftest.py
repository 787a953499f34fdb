"""The benchmarks are scripts beside each other: their folder is on the path, as when one of them is run."""

import sys
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"
sys.path.insert(0, str(BENCHMARKS))


@pytest.fixture
def rows():
    """Three records made by hand: a goal met, a goal missed, no goal; the last has neither peer nor floor."""
    from records import record

    size = {"n": 2}
    return [
        record("demo", "first", 2.0, size=size, gate=0.0, peers={"loop": 6.0, "other": 1.0}, goal="<= 3 s", met=True),
        record(
            "demo",
            "second",
            4.0,
            size=size,
            gate=1e-9,
            allowed=1e-8,
            floor=1.0,
            bound="bytes",
            goal="<= 3 s",
            met=False,
        ),
        record("demo", "third", 0.5, size=size, gate=0.0),
    ]


@pytest.fixture
def document(rows):
    """A file of those records, from a machine made up."""
    from schema import SCHEMA

    environment = {
        "device": "cpu",
        "backend": "cpu",
        "devices": 1,
        "processor": "Abacus 3000",
        "cpus": 2,
        "load_before": 0.1,
        "load": 1.5,
        "platform": "Linux x86_64",
        "python": "3.11.7",
        "versions": {"jax": "0.10.2"},
        "commit": "0123456789abcdef",
        "modified": False,
    }
    return {"schema": SCHEMA, "environment": environment, "records": rows}
