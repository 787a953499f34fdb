"""Make the oracles of this folder importable by name, whatever the import mode of pytest."""

import importlib.util
import sys
from pathlib import Path

SPEC = importlib.util.spec_from_file_location("ridge_oracles", Path(__file__).with_name("ridge_oracles.py"))
sys.modules["ridge_oracles"] = module = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(module)
