"""A product q·k taken apart: by dimensions, and along the singular directions of the head that it belongs to."""

from dataclasses import dataclass

import numpy as np

_RANK = 1e-10  # of the largest eigenvalue, below which a direction holds nothing


@dataclass(frozen=True)
class Basis:
    """Directions along which scores are largest, the strongest first; see `own_basis`.

    asks, answers: float64 [d, r]; sizes: float64 [r]. A query's part in a direction is q·asks, a key's k·answers.
    """

    asks: np.ndarray
    sizes: np.ndarray
    answers: np.ndarray

    def parts(self, query: np.ndarray, key: np.ndarray) -> np.ndarray:
        """float64 [r]: what each direction gives to q·k; their sum is q·k where both lie in what the basis spans."""
        return (query @ self.asks) * self.sizes * (key @ self.answers)


def own_basis(queries: np.ndarray, keys: np.ndarray) -> Basis:
    """The singular directions of A Bᵀ from the Gram matrices AᵀA and BᵀB [d, d], without forming A Bᵀ.

    With A, B the queries and keys of a corpus [n, d] it is the matrix of all their scores; with A = W_Qᵀ, B = W_Kᵀ
    [width, d] it is W_Qᵀ W_K, which asks with one token's residual stream and answers with another's. By polar
    decomposition A = U_A (AᵀA)^½, so A Bᵀ has the singular values of (AᵀA)^½ (BᵀB)^½ = U S Vᵀ (a matrix [d, d]), and
    q·k = Σ_r (q (AᵀA)^-½ u_r) s_r (v_r (BᵀB)^-½ k).
    """
    (root_a, inverse_a), (root_b, inverse_b) = _roots(queries), _roots(keys)
    left, sizes, right = np.linalg.svd(root_a @ root_b)
    rank = int((sizes > _RANK * max(float(sizes.max(initial=0.0)), 1e-300)).sum())
    return Basis(inverse_a @ left[:, :rank], sizes[:rank], inverse_b @ right.T[:, :rank])


def _roots(gram: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The symmetric square root of a Gram matrix, and its pseudo-inverse."""
    values, vectors = np.linalg.eigh(np.asarray(gram, np.float64))
    kept = values > _RANK * max(float(values.max(initial=0.0)), 1e-300)
    roots = np.sqrt(np.where(kept, values, 0.0))
    inverse = np.divide(1.0, roots, out=np.zeros_like(roots), where=kept)
    return (vectors * roots) @ vectors.T, (vectors * inverse) @ vectors.T
