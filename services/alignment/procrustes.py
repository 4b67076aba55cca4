"""One cloud of points brought onto another by turning or mirroring, one scale and a shift.

Orthogonal Procrustes (Schönemann 1966): of matched points X and Y, both centred, with Yᵀ X = U diag(σ) Vᵀ, the rotation
is U Vᵀ. The scale makes both sizes equal, ‖X‖ / ‖Y‖ (Dryden & Mardia 1998, partial Procrustes of shapes of one size):
that of least squares, Σσ / ‖Y‖², shrinks a map that does not fit to a spot. What no turn and scale can explain of ‖X‖²
is 1 − (Σσ)² / (‖X‖² ‖Y‖²), the same whichever of them is moved: scipy.spatial.procrustes calls it the disparity.
"""

from dataclasses import dataclass

import numpy as np

from services.errors import NotStoredError
from services.numerics.linear import rotation_onto

LEAST_MORE = 2  # points beyond the dimensions: with fewer anything fits


@dataclass(frozen=True, eq=False)
class Fit:
    """turn [dims, dims], scale, shift [dims]: y ↦ scale · y · turn + shift · points: it was found from

    disparity: 0 the same, 1 nothing in common · size: root-mean-square distance of the target from its centre
    """

    turn: np.ndarray
    scale: float
    shift: np.ndarray
    disparity: float
    size: float
    points: int

    def apply(self, layout: np.ndarray) -> np.ndarray:
        """float64 [n, dims]: a layout where the fit brings it."""
        return self.scale * (np.asarray(layout, np.float64) @ self.turn) + self.shift


def fit(target: np.ndarray, moved: np.ndarray) -> Fit:
    """What brings `moved` nearest to `target`, both [n, dims] of the same points in the same order.

    Raises:
        NotStoredError: there are too few points, they lie in one place, or they are not finite; it says which.
    """
    target, moved = np.asarray(target, np.float64), np.asarray(moved, np.float64)
    good = np.isfinite(target).all(axis=1) & np.isfinite(moved).all(axis=1)
    target, moved = target[good], moved[good]
    points, dims = target.shape
    if points < dims + LEAST_MORE:
        raise NotStoredError(f"The heads share {points} points: too few to bring one map onto the other.")
    centres = target.mean(axis=0), moved.mean(axis=0)
    x, y = target - centres[0], moved - centres[1]
    squares = float((x**2).sum()), float((y**2).sum())
    if min(squares) <= 1e-24 * max(1.0, float((target**2).sum()), float((moved**2).sum())):
        raise NotStoredError("All shared points of one of the heads lie in one place, so the maps cannot be fitted.")
    turn = rotation_onto(y, x)
    overlap = float(np.einsum("ij,ij->", y @ turn, x))
    scale = float(np.sqrt(squares[0] / squares[1]))
    left = max(0.0, 1.0 - overlap**2 / (squares[0] * squares[1]))
    size = float(np.sqrt(squares[0] / points))
    return Fit(turn, scale, centres[0] - scale * (centres[1] @ turn), left, size, points)


def moved_by(target: np.ndarray, brought: np.ndarray, size: float) -> np.ndarray:
    """How far each point lies from where it is in the other map, in sizes of the target (`Fit.size`): float64 [n]."""
    return np.linalg.norm(np.asarray(target, np.float64) - brought, axis=1) / size
