"""Registers, spills and instructions of a GPU kernel, read from its machine code."""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import NamedTuple

__all__ = ["Code", "machine_code"]

_UNROLLED, _POWER_TRIPS = 4, 8
"""Data points of one trip of the loop over them; trips of the loop that raises beta to the number of steps, 2^8."""


class Loop(NamedTuple):
    """Instructions first..last of the code, and whether it reads memory."""

    first: int
    last: int
    reads: bool


class Code(NamedTuple):
    """What a kernel takes.

    Attributes:
        registers: of a thread.
        spilled: bytes a thread keeps in memory for want of registers.
        loops: by length.
    """

    registers: int
    spilled: int
    loops: list[Loop]

    def instructions(self, points: int) -> float:
        """Return the instructions of a warp in one training step: the body of the largest loop, inner ones unrolled."""
        step = self.loops[-1]
        total = float(step.last - step.first + 1)
        for loop in self.loops[:-1]:
            if step.first <= loop.first and loop.last <= step.last:
                trips = points / _UNROLLED if loop.reads else _POWER_TRIPS
                total += (trips - 1) * (loop.last - loop.first + 1)
        return total


def _tool(name: str) -> str | None:
    """Return the path of one of NVIDIA's tools: on the PATH, or in its Python packages."""
    packages = Path(sysconfig.get_paths()["purelib"])
    found = [*packages.glob(f"nvidia/*/bin/{name}"), *packages.glob(f"triton/backends/nvidia/bin/{name}")]
    return shutil.which(name) or (str(found[0]) if found else None)


def machine_code(ptx: Path) -> Code | None:
    """Return what the assembler makes of a PTX file; ``None`` where NVIDIA's tools are not installed, which is said."""
    ptxas, nvdisasm = _tool("ptxas"), _tool("nvdisasm")
    if ptxas is None or nvdisasm is None:
        print("ptxas or nvdisasm is not installed: machine code is left out", flush=True)
        return None
    target = re.findall(r"^\.target (\w+)", ptx.read_text(), re.MULTILINE)[0]
    cubin = ptx.with_suffix(".cubin")
    command = [ptxas, f"-arch={target}", "-v", str(ptx), "-o", str(cubin)]
    report = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    listing = subprocess.run([nvdisasm, "-c", str(cubin)], capture_output=True, text=True, check=True).stdout
    spilled = sum(int(size) for size in re.findall(r"(\d+) bytes spill", report))
    return Code(int(re.findall(r"Used (\d+) registers", report)[0]), spilled, _loops(listing))


def _loops(listing: str) -> list[Loop]:
    """Return the loops of a listing, shortest first: from a branch back to the label it goes to."""
    labels: dict[str, int] = {}
    code: list[str] = []
    for line in listing.splitlines():
        if found := re.match(r"^\.(L_\w+):", line):
            labels[found.group(1)] = len(code)
        elif found := re.match(r"^\s+/\*[0-9a-f]{4,}\*/\s+(.*);", line):
            code.append(found.group(1))
    loops = []
    for last, line in enumerate(code):
        target = re.search(r"\bBRA\b.*`\(\.(L_\w+)\)", line)
        first = labels.get(target.group(1), last) if target else last
        if first < last:
            loops.append(Loop(first, last, any("LDG" in step for step in code[first:last])))
    return sorted(loops, key=lambda loop: loop.last - loop.first)
