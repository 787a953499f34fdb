"""The benchmarks' folder is on the path: the comparison over devices is one of its scripts."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "benchmarks"))
