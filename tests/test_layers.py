"""Dependencies point downward, and the deciding core needs nothing but the standard library."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]

LAYERS = (
    {"environment", "errors", "lazy_registry", "memory", "precision", "reporter"},
    {"sharding"},
    {"nets", "cells"},
    {"losses", "regions", "io"},
    {"optim", "data", "population"},
    {"paths", "probes", "align", "topology", "star"},
    {"constructions", "capacity", "regularised"},
    {"train"},
    {"studies"},
    {"plots"},
    {"report"},
    {"reproductions", "campaigns"},
    {"cli"},
    {"__main__"},
)
"""Parts of ``modeconn``, lowest first; a part imports itself and parts of lower layers."""

RANK = {part: rank for rank, layer in enumerate(LAYERS) for part in layer}
DECIDING = ("proofs_check.exact", "proofs_check.checker")
CLAIMS_FROM = RANK["studies"]
"""The claims may use all of ``modeconn``; only the parts from here on may use the claims."""


def modules(*folders):
    """The Python files below the folders, relative to the root."""
    found = [path.relative_to(ROOT) for folder in folders for path in sorted((ROOT / folder).rglob("*.py"))]
    assert found
    return found


def dotted(path):
    """The name a file is imported by."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports(source, module, is_package):
    """All modules that a source text imports, at any depth: ``import``, ``from`` and ``importlib.import_module``."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = module.split(".") if is_package else module.split(".")[:-1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, *([node.module] if node.module else [])])
            found |= {f"{base}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in ("importlib.import_module", "__import__"):
            argument = node.args[0]
            found.add(argument.value if isinstance(argument, ast.Constant) else "<computed>")
    return found


def violation(module, target):
    """Why the module may not import the target, or None."""
    top, *rest = target.split(".")
    if module.startswith(DECIDING):
        inside = target.startswith(DECIDING)
        return (
            None if inside or top in sys.stdlib_module_names else "the deciding core imports the standard library only"
        )
    if not module.startswith("modeconn."):
        return None
    part = module.split(".")[1]
    if part not in RANK:
        return f"{part!r} has no place in LAYERS of {Path(__file__).name}: add it"
    if top == "modeconn" and rest and rest[0] in RANK and rest[0] != part and RANK[rest[0]] >= RANK[part]:
        return f"{part!r} may not import {rest[0]!r}: it is not below"
    if top == "proofs_check" and not target.startswith(DECIDING) and RANK[part] < CLAIMS_FROM:
        return f"{part!r} may not import claims"
    return None


@pytest.mark.parametrize("path", modules("modeconn", "proofs_check"), ids=str)
def test_imports_point_downward(path):
    """Oracle: the dependency direction of the conventions, read from the syntax tree."""
    module = dotted(path)
    targets = imports((ROOT / path).read_text(encoding="utf-8"), module, path.name == "__init__.py")
    reasons = {f"{target}: {reason}" for target in targets if (reason := violation(module, target))}
    assert reasons == set()


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("modeconn.nets.net", "from modeconn.optim import lion"),
        ("modeconn.nets.net", "from modeconn.losses.loss import LOSSES"),
        ("modeconn.paths.barrier", "def f():\n    import modeconn.train.fleet"),
        ("modeconn.paths.barrier", "from ..cli import main"),
        ("modeconn.paths.barrier", "from proofs_check.claims import Claim"),
        ("modeconn.novel.thing", "import math"),
        ("proofs_check.exact.segment", "import numpy as np"),
        ("proofs_check.exact.segment", "from modeconn.errors import InputError"),
        ("proofs_check.checker.check", "from proofs_check.claims import Claim"),
        ("proofs_check.checker.check", "from ..claims import Claim"),
        ("proofs_check.checker.check", "import importlib\nimportlib.import_module('jax')"),
        ("proofs_check.checker.check", "if False:\n    __import__(name)"),
    ],
)
def test_violations_are_seen(module, source):
    """Oracle: by construction; the test above must be able to fail."""
    assert any(violation(module, target) for target in imports(source, module, False))


@pytest.mark.parametrize("path", [path for path in modules("modeconn") if path.parts[1] != "cli"], ids=str)
def test_only_the_cli_prints_and_nothing_changes_global_configuration(path):
    """Oracle: the conventions, read from the syntax tree."""
    calls = [node for node in ast.walk(ast.parse((ROOT / path).read_text())) if isinstance(node, ast.Call)]
    names = {ast.unparse(node.func) for node in calls}
    assert not names & {"print", "jax.config.update", "config.update", "pprint", "sys.stdout.write"}


BLOCKER = """
import sys

class StandardLibraryOnly:
    allowed = ("proofs_check.exact", "proofs_check.checker")

    def find_spec(self, name, path=None, target=None):
        inside = name == "proofs_check" or name.startswith(self.allowed)
        if inside or name.split(".")[0] in sys.stdlib_module_names:
            return None
        raise ImportError(f"blocked: {name}")

sys.meta_path.insert(0, StandardLibraryOnly())
"""

USE_IT = """
import pkgutil
import proofs_check.checker, proofs_check.exact
from proofs_check.checker import barrier_certificate, barrier_problem, check_certificate
from proofs_check.exact import segment_enclosure

for package in (proofs_check.exact, proofs_check.checker):
    for found in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        __import__(found.name)
nets = [([[1, 0], [0, 1]], None, None), ([[0, 1], [1, 0]], None, None)]
data = [[1, 0], [0, 1], [1, -1], [-1, 1]], [1, 1, 1, 1]
certificate = barrier_certificate(segment_enclosure(*nets, *data), "linear")
problem = barrier_problem(nets, *data)
assert check_certificate(certificate, problem).accepted
certificate["statement"]["upper"] = "0.999"
assert not check_certificate(certificate, problem).accepted
heavy = {"numpy", "jax", "scipy", "modeconn", "hypothesis"} & {name.split(".")[0] for name in sys.modules}
assert not heavy, heavy
print("decided")
"""


def run_python(code):
    """Run code in a fresh interpreter at the root."""
    return subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_deciding_core_runs_with_everything_else_blocked():
    """Oracle: an import hook that refuses all but the standard library, in a fresh interpreter."""
    found = run_python(BLOCKER + USE_IT)
    assert found.stdout == "decided\n", found.stderr


@pytest.mark.parametrize("name", ["numpy", "modeconn.errors", "proofs_check.claims"])
def test_the_blocker_blocks(name):
    """Oracle: by construction; the hook itself must be able to refuse."""
    assert (
        f"blocked: {name.split('.')[0] if name != 'proofs_check.claims' else name}"
        in run_python(BLOCKER + f"import {name}").stderr
    )
