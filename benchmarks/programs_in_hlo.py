"""Kernels and bytes of a compiled program, read from the text of its optimised HLO."""

from __future__ import annotations

import math
import re
from typing import Any, NamedTuple

__all__ = ["Part", "part_of"]

_FREE = {"parameter", "tuple", "get-tuple-element", "bitcast", "constant", "while", "call", "after-all", "opt-barrier"}
"""Instructions that launch nothing themselves."""

_COMPUTATION = re.compile(r"^(ENTRY )?%?([\w.\-]+) \(.*\) -> .* \{$")
_INSTRUCTION = re.compile(r"^(?:ROOT )?%?([\w.\-]+) = (\(.*?\)|\S+) ([\w\-]+)\((.*)$")
_ARRAY = re.compile(r"\b(pred|[a-z]+\d+)\[([\d,]*)\]")


class Part(NamedTuple):
    """Kernels that run once each time a part of a program runs, the bytes they read and write, and its loops."""

    kernels: int
    bytes: int
    loops: tuple[Part, ...]

    def innermost(self) -> Part:
        """Return the part that runs most often: the first loop of the first loop and so on."""
        return self.loops[0].innermost() if self.loops else self

    def nested(self) -> list[dict[str, Any]]:
        """Return the loops as JSON values."""
        return [{"kernels": p.kernels, "bytes": p.bytes, "loops": p.nested()} for p in self.loops]


def _bytes_of(type_text: str) -> int:
    """Return the size of an array type or of a tuple of them.

    Example:
        >>> _bytes_of("(f32[2,3]{1,0}, pred[4])")
        28
    """
    total = 0
    for kind, sizes in _ARRAY.findall(re.sub(r"/\*.*?\*/", "", type_text)):
        bits = 8 if kind == "pred" else int(re.sub(r"\D", "", kind))
        total += bits * math.prod(int(size) for size in sizes.split(",") if size) // 8
    return total


def part_of(text: str) -> Part:
    """Return the whole program; an operand counts in full even where a kernel reads a part of it."""
    bodies: dict[str, list[str]] = {}
    entry = name = ""
    for line in text.splitlines():
        if found := _COMPUTATION.match(line):
            name = found.group(2)
            entry = name if found.group(1) else entry
            bodies[name] = []
        elif name:
            bodies[name].append(line.strip())

    def part(name: str) -> Part:
        sizes: dict[str, int] = {}
        kernels = moved = 0
        loops: list[Part] = []
        for line in bodies[name]:
            found = _INSTRUCTION.match(line)
            if found is None:
                continue
            result, kind, opcode, rest = found.groups()
            sizes[result] = _bytes_of(kind)
            called = re.findall(r"\b(?:body|to_apply)=%?([\w.\-]+)", rest)
            if opcode == "while":
                loops.append(part(called[0]))
            elif opcode == "call":
                inner = part(called[0])
                kernels, moved, loops = kernels + inner.kernels, moved + inner.bytes, [*loops, *inner.loops]
            elif opcode not in _FREE:
                operands = re.findall(r"%([\w.\-]+)", rest.split("), ")[0])
                kernels += 1
                moved += sizes[result] + sum(sizes.get(operand, 0) for operand in operands)
        return Part(kernels, moved, tuple(loops))

    return part(entry)
