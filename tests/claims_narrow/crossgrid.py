"""Brute force for d = 1: level sets of narrow nets flooded on a grid, with nothing of the cells."""

from __future__ import annotations

import heapq
import itertools

import numpy as np

STEPS = 60
SIZE = 2.0
"""Grid: |u_j| = 0, SIZE / STEPS, ..., SIZE."""


class CrossGrid:
    """Nets of width m on one input: each neuron is a point of a cross, four arms (sign of u, output sign) glued at 0.

    Nodes are tuples of m numbers: 0 for u = 0, else 1 + arm * steps + k. Neighbours differ by one step of one neuron:
    along such a step the loss is convex (no x_i . u changes sign), so the minimax path value over the grid is that of
    a real path: never below the barrier, and close to it for a fine grid.
    """

    def __init__(self, X, y, width, fixed=False, steps=STEPS, size=SIZE):
        self.width, self.steps = width, steps
        signs = (1,) if fixed else (1, -1)
        self.arms = [(side, s) for side in (1, -1) for s in signs]
        axis = [(0.0, 1)] + [(side * size * (k + 1) / steps, s) for side, s in self.arms for k in range(steps)]
        self.axis = axis
        f = np.array([[s * max(x * u, 0.0) for x in X] for u, s in axis])  # (nodes of a cross, n)
        total = np.zeros((len(axis),) * width + (len(y),))
        for j in range(width):
            shape = [1] * width + [len(y)]
            shape[j] = len(axis)
            total = total + f.reshape(shape)
        self.loss = np.square(total - np.array(y, float)).sum(-1) / 2

    def nearest(self, u, s):
        """Return the node of a cross nearest to a neuron."""
        return min(range(len(self.axis)), key=lambda k: abs(self.axis[k][0] - u) + (self.axis[k][1] != s and u != 0))

    def along(self, k):
        """Return the neighbours of a node of a cross."""
        if k == 0:
            return [1 + arm * self.steps for arm in range(len(self.arms))]
        before = 0 if (k - 1) % self.steps == 0 else k - 1
        return [before] if k % self.steps == 0 else [before, k + 1]

    def neighbours(self, node):
        for j, k in enumerate(node):
            for other in self.along(k):
                yield (*node[:j], other, *node[j + 1 :])

    def levels_from(self, start):
        """Return the minimax path value from a node to every other."""
        level = np.full(self.loss.shape, np.inf)
        level[start] = self.loss[start]
        heap = [(level[start], start)]
        while heap:
            height, node = heapq.heappop(heap)
            if height > level[node]:
                continue
            for other in self.neighbours(node):
                through = max(height, self.loss[other])
                if through < level[other]:
                    level[other] = through
                    heapq.heappush(heap, (through, other))
        return level

    def components(self, c):
        """Return the number of components of {loss <= c} on the grid, and that up to permutations of the neurons."""
        left = set(map(tuple, np.argwhere(self.loss <= c).tolist()))
        members = []
        while left:
            frontier = [left.pop()]
            members.append(set(frontier))
            while frontier:
                for other in self.neighbours(frontier.pop()):
                    if other in left:
                        left.remove(other)
                        members[-1].add(other)
                        frontier.append(other)
        orbits = {
            frozenset(
                k
                for k, other in enumerate(members)
                for order in itertools.permutations(range(self.width))
                if tuple(next(iter(one))[j] for j in order) in other
            )
            for one in members
        }
        return len(members), len(orbits)
