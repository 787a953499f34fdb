"""What the compiler makes of the device programs for a named GPU: compiled, not run; no GPU is needed.

    python benchmarks/aot_profile.py [--chip h200] [--json FILE] [--only TEXT]

Needs JAX >= 0.11 with its CUDA plugin (``pip install "jax[cuda13]"``); says so and stops where it is missing. For
every program: the kernels of its loops (a training step, a product of an iteration) and those outside, and the bytes
these read and write if no cache helps. A step of the fleet must read and write weights and moments once; over what the
compiled step moves, this is the share of the memory floor it cannot exceed. The fused program goes to memory once a
launch. What bounds it is the rate of instructions, counted in the machine code (with ``nvdisasm``, from
``nvidia-cuda-nvdisasm``) as if every scheduler issued one a cycle. Real programs stay below either bound.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

os.environ["JAX_PLATFORMS"] = "cpu"
DUMP = tempfile.TemporaryDirectory()
os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} --xla_dump_to={DUMP.name} --xla_dump_emitter_re=ptx"

import jax  # noqa: E402
import numpy as np  # noqa: E402
from chips import CHIPS, Chip  # noqa: E402
from machine_code import Code, machine_code  # noqa: E402
from programs_in_hlo import Part, part_of  # noqa: E402
from records import environment  # noqa: E402

from modeconn.cells.nnls_batch import _solve  # noqa: E402
from modeconn.nets import Net  # noqa: E402
from modeconn.optim import polar_factor  # noqa: E402
from modeconn.paths.device import batch_peaks  # noqa: E402
from modeconn.train.fused import advance_fused, block_of  # noqa: E402
from modeconn.train.program import Lanes, Recipe, advance, begin  # noqa: E402

SCHEMA = "modeconn.compiled/1"
POINTS = 32


class Case(NamedTuple):
    """A program to compile: the function, and the shapes of its arguments."""

    name: str
    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    size: dict[str, int]
    dtype: str = "float32"


def shape(dtype: Any, *sizes: int) -> jax.ShapeDtypeStruct:
    return jax.ShapeDtypeStruct(sizes, dtype)


def fleet_case(name: str, program: str, d: int, m: int, nets: int) -> Case:
    f32, recipe = np.float32, Recipe(name, (), "half_squared_error", "constant", None)
    lanes = Lanes(shape(np.uint32, nets), shape(np.int32, nets), shape(f32, nets), shape(f32, nets), {})
    start = Net(shape(f32, nets, d, m), shape(f32, nets, 1, m))
    state = jax.eval_shape(lambda lanes, start: begin(recipe, lanes, start), lanes, start)
    key, count = jax.eval_shape(lambda: jax.random.key(0)), shape(np.int32)
    data = shape(f32, POINTS, d), shape(f32, POINTS, 1)
    run = advance_fused if program == "fused" else advance
    arguments = (key, lanes, state, *data, count, shape(np.int32, 1), count)
    size = {"nets": nets, "points": POINTS, "d": d, "width": m}
    label = f"fleet {name} {d}x{m} {program}"
    return Case(label, lambda *a: run(recipe, *a), arguments, size)


def barrier_case(pairs: int, d: int, m: int) -> Case:
    f64 = np.float64
    net = Net(shape(f64, pairs, d, m), shape(f64, pairs, 1, m), shape(f64, pairs, m))
    ends = (shape(f64, pairs), shape(f64, pairs))
    arguments = net, net, shape(f64, POINTS, d), shape(f64, POINTS, 1), ends, ends
    return Case(
        "exact barrier", batch_peaks, arguments, {"pairs": pairs, "points": POINTS, "d": d, "width": m}, "float64"
    )


def nnls_case(problems: int, n: int, k: int) -> Case:
    arguments = shape(np.float64, n, k), shape(np.float64, n), shape(np.bool_, problems, k)
    solve = lambda *a: _solve(*a, steps=6 * min(n, k) + 2 * k)  # noqa: E731
    return Case("NNLS over cells", solve, arguments, {"problems": problems, "n": n, "columns": k}, "float64")


def polar_case(method: str, *sizes: int) -> Case:
    function = lambda G: polar_factor(G, method)  # noqa: E731
    for _ in sizes[:-2]:
        function = jax.vmap(function)
    size = dict(zip(("matrices", "rows", "columns")[-len(sizes) :], sizes, strict=True))
    return Case(f"polar {method} {'x'.join(map(str, sizes))}", function, (shape(np.float32, *sizes),), size)


def cases() -> list[Case]:
    """Return the programs, at the sizes the benchmarks run them at on an accelerator."""
    fleets = [("adamw", 4, 16, 65536), ("lion", 4, 16, 65536), ("adamw", 32, 128, 4096)]
    small = [fleet_case(name, "fused", *rest) for name, *rest in fleets[:2]]
    return [
        *(fleet_case(name, "plain", *rest) for name, *rest in fleets),
        *small,
        barrier_case(4096, 4, 16),
        polar_case("jacobi", 65536, 4, 16),
        polar_case("iteration", 4096, 32, 128),
        polar_case("halley", 4096, 4096),
        nnls_case(4096, 32, 64),
    ]


def compiled(case: Case, device: jax.Device) -> tuple[Part, Code | None]:
    """Return the kernels of the program compiled for the device, and the code of its own kernel if it has one."""
    place = jax.sharding.SingleDeviceSharding(device)
    target = jax.sharding.AbstractDevice(device.device_kind, 1, platform="gpu")
    mesh = jax.sharding.AbstractMesh((1,), ("x",), abstract_device=target)
    before = set(Path(DUMP.name).iterdir())
    with (
        jax.default_matmul_precision("highest"),
        jax.enable_x64(case.dtype == "float64"),
        jax.sharding.use_abstract_mesh(mesh),
    ):
        given = jax.tree.map(lambda x: jax.ShapeDtypeStruct(x.shape, x.dtype, sharding=place), case.arguments)
        text = jax.jit(case.function).trace(*given).lower(lowering_platforms=("cuda",)).compile().as_text()
    written = [path for path in set(Path(DUMP.name).iterdir()) - before if path.suffix == ".ptx"]
    own = [path for path in written if "train_block" in path.read_text()]
    return part_of(text), machine_code(own[0]) if own else None


def operations(case: Case) -> float | None:
    """Return the floating point operations by XLA's count, the bodies of loops once; library calls count nothing."""
    with jax.default_matmul_precision("highest"), jax.enable_x64(case.dtype == "float64"):
        counted = jax.jit(case.function).lower(*case.arguments).cost_analysis()
    return None if counted is None else counted.get("flops")


def record(case: Case, chip: Chip, device: jax.Device) -> dict[str, Any]:
    """Return what one program compiles to; bounds of the fleet are of the memory floor."""
    part, code = compiled(case, device)
    step = part.innermost()
    row: dict[str, Any] = {
        "case": case.name,
        "size": case.size,
        "dtype": case.dtype,
        "kernels": part.kernels,
        "bytes": part.bytes,
        "loops": part.nested(),
        "flops": None if case.name.endswith("fused") else operations(case),
    }
    if not case.name.startswith("fleet"):
        return row
    nets, weights = case.size["nets"], case.size["width"] * (case.size["d"] + 1)
    moments = {"adamw": 2, "lion": 1}[case.name.split()[1]]
    floor = 2 * 4 * weights * (1 + moments)
    row["floor_bytes_a_net_step"] = floor
    if "plain" in case.name:
        return row | {
            "kernels_a_step": step.kernels,
            "bytes_a_net_step": step.bytes / nets,
            "share_at_most": floor * nets / step.bytes,
        }
    row |= {"kernels_a_step": 0, "bytes_a_net_step": 0.0, "share_at_most": None}
    if code is None:
        return row
    block = block_of(case.size["d"] + 1, case.size["width"])
    issued = code.instructions(POINTS) / block
    share = chip.cores * 4 * chip.clock / issued * floor / chip.bandwidth
    own = {"registers": code.registers, "spilled_bytes": code.spilled, "warp_instructions_a_net_step": issued}
    return row | own | {"share_at_most": share}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--chip", choices=sorted(CHIPS), default="h200")
    parser.add_argument("--json", metavar="FILE", type=Path, help="write the records")
    parser.add_argument("--only", default="", help="cases whose name holds this text")
    options = parser.parse_args()
    if not any(importlib.util.find_spec(f"jax_cuda{version}_plugin") for version in (12, 13)):
        print('aot_profile: JAX\'s CUDA plugin is not installed; nothing was compiled. pip install "jax[cuda13]"')
        return 0
    from jax.experimental.topologies import get_topology_desc

    chip = CHIPS[options.chip]
    device = get_topology_desc(options.chip, "cuda", target_config=chip.config, topology="1x1x1").devices[0]
    rows = []
    for case in cases():
        if options.only in case.name:
            rows.append(record(case, chip, device))
            row = rows[-1]
            share = (
                ""
                if row.get("share_at_most") is None
                else f"  at most {100 * row['share_at_most']:.0f} % of the memory floor"
            )
            print(
                f"{row['case']:<32} compiled, not run  {json.dumps(row['loops'] or row['kernels'])}{share}", flush=True
            )
    if options.json is not None:
        chip_facts = {"kind": chip.kind, "bytes_per_s": chip.bandwidth, "cores": chip.cores, "clock": chip.clock}
        document = {"schema": SCHEMA, "compiled_for": chip_facts, "environment": environment(), "records": rows}
        options.json.write_text(json.dumps(document, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
