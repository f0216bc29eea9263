"""Colours from gradients: takes the seams out of a fill.

Pérez et al., Poisson Image Editing (2003). For the hole's pixels u, the known ones held fixed,
solves the screened Poisson problem
min sum over neighbours p, q of w_pq (u_q - u_p - g_pq)^2
  + screen * sum over p of (u_p - colour_p)^2.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_matrix
from scipy.sparse.linalg import splu

from dancecli.types import BoolArray, FloatArray

Values = NDArray[np.float64]

_PAIRS = (
    ((slice(None), slice(None, -1)), (slice(None), slice(1, None))),
    ((slice(None, -1), slice(None)), (slice(1, None), slice(None))),
)
"""Every pixel and its right neighbour; every pixel and the one below it."""


def from_gradients(
    colour: FloatArray,
    gradients: FloatArray,
    hole: BoolArray,
    screen: float = 1e-3,
    down: float = 1.0,
) -> FloatArray:
    """The picture whose hole follows the gradients, float32 (h, w, 3).

    colour: float32 (h, w, 3). gradients: (h, w, 6), differences to the right and down.
    screen: how much the colour itself holds; 1 / sqrt(screen) pixels is how far a mismatch spreads.
    down: weight of the differences between rows, those along rows being 1.
    """
    out = colour.copy()
    out[hole] = _solve(*_equations(colour, gradients, hole, screen, down))
    return out


def _equations(
    colour: FloatArray, gradients: FloatArray, hole: BoolArray, screen: float, down: float
) -> tuple[Values, NDArray[np.int64], Values, Values]:
    """Diagonal (N,), pairs of unknowns (2, M), their weights (M,) and right sides (N, 3)."""
    count = int(hole.sum())
    number = np.full(hole.shape, -1)
    number[hole] = np.arange(count)
    right = screen * colour[hole].astype(np.float64)
    links: list[NDArray[np.int64]] = []
    weights: list[Values] = []
    degree = np.full(count, screen)
    sides = ((slice(0, 3), 1.0), (slice(3, 6), down))
    for (first, second), (channels, weight) in zip(_PAIRS, sides, strict=True):
        p, q, gradient = number[first], number[second], gradients[..., channels][first]
        for here, there, sign, known in ((p, q, -1, colour[second]), (q, p, 1, colour[first])):
            inside, edge = here >= 0, (here >= 0) & (there < 0)
            degree[here[inside]] += weight
            right[here[inside]] += weight * sign * gradient[inside]
            right[here[edge]] += weight * known[edge]
        both = (p >= 0) & (q >= 0)
        links.append(np.stack([p[both], q[both]]))
        weights.append(np.full(int(both.sum()), weight))
    return degree, np.concatenate(links, 1), np.concatenate(weights), right


def _solve(degree: Values, links: NDArray[np.int64], weights: Values, right: Values) -> FloatArray:
    count = len(degree)
    rows = np.concatenate([links[0], links[1], np.arange(count)])
    columns = np.concatenate([links[1], links[0], np.arange(count)])
    values = np.concatenate([-weights, -weights, degree])
    matrix = coo_matrix((values, (rows, columns)), (count, count)).tocsc()
    factors = splu(matrix, permc_spec="MMD_AT_PLUS_A", options={"SymmetricMode": True})
    solved: FloatArray = factors.solve(right).astype(np.float32)
    return solved
