"""The linear recurrent network, and the one linear solve that makes it continue sums of sinusoids.

    h <- A h + B x            y = C h

Fed with its own answers it is h <- (A + B C) h, a linear map: what it can continue are sums of n^j z^n over the
eigenvalues z of A + B C (Stolzenburg et al. 2018, arXiv 1802.03308).

**Fit.** One frequency w, cos(w t + p), satisfies x_t + x_{t-2} = 2 cos(w) x_{t-1}, so k of them satisfy the recurrence
whose polynomial is the product of z^2 - 2 cos(w_i) z + 1. Each factor reads the same from both ends, so the product
does:

    x_t + x_{t-2k} = sum_{0<j<k} c_j (x_{t-j} + x_{t-2k+j}) + c_k x_{t-k}             for every t

k unknowns, linear. With x_t the sum of the sinusoids s_i(t), column j on the right is the sum over i of s_i(t - k) 2
cos((k - j) w_i): the matrix of columns is S T, where S holds the s_i at the different t and T the Chebyshev polynomials
of cos(w_i). T is invertible as the cosines differ, and S has independent columns from 2 k different t on, as 2 k
different exponentials have. So from 4 k numbers on the solution is unique, hence the true one; and if only r
frequencies are there, the rank is r. The layer keeps the last 2 k numbers: A shifts them, B puts in x, C holds the
coefficients. 2 k is the least: the sums span 2 k dimensions.

**Error.** The fitted polynomial reads the same from both ends whatever the rounding, so its roots come in pairs z, 1/z,
and as those on the unit circle are simple, they stay on it while the error is small: frequencies are off by delta ~ eps
cond / gap, and phases by n delta after n steps, so the error grows linearly in n and amplitudes do not drift. Feeding
answers back adds eps at each step, which simple roots on the circle also carry no more than linearly. (Without the
symmetry amplitudes drift as exp(n delta): no more than phases at first, without bound in the end.) cond is that of the
columns, large where frequencies are close to each other, to 0 or to pi; 0 is a frequency too, a constant, but at a
double root, whose error grows as n^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from compiler.errors import DataError
from compiler.fastweight.layer import Floats


@dataclass(frozen=True, slots=True, eq=False)
class LinearRecurrent:
    """A layer of the linear recurrent network: A (s, s), B (s, d) and C (m, s)."""

    A: Floats
    B: Floats
    C: Floats

    @property
    def inputs(self) -> int:
        """The dimension of tokens."""
        return int(self.B.shape[1])

    @property
    def outputs(self) -> int:
        """The dimension of answers."""
        return int(self.C.shape[0])

    @property
    def dtype(self) -> np.dtype[Any]:
        """In which it computes."""
        return self.C.dtype

    def start(self, batch: int) -> Floats:
        """Zero, (B, s)."""
        return np.zeros((batch, len(self.A)), self.dtype)

    def step(self, state: Floats, x: Floats) -> tuple[Floats, Floats]:
        """One linear map."""
        h = state @ self.A.T + x @ self.B.T
        return h, h @ self.C.T


def fit(series: Floats, sinusoids: int) -> LinearRecurrent:
    """The layer that continues sequences of numbers (B, n), each a sum of the same `sinusoids` frequencies.

    A layer with tokens and answers of dimension 1, the answer being the next number. Noise, and more frequencies, get
    the best fit by least squares. A DataError for fewer than 4 numbers a sinusoid, or fewer frequencies than named.
    """
    k, n, dtype = sinusoids, series.shape[1], np.result_type(series.dtype, np.float16)
    if n < 4 * k:
        raise DataError(f"{n} numbers of {k} sinusoids: at least {4 * k} are needed")
    windows = np.lib.stride_tricks.sliding_window_view(series.astype(np.float64), 2 * k + 1, axis=1)
    window = windows.reshape(-1, 2 * k + 1)
    both = window + window[:, ::-1]
    columns = np.concatenate([both[:, 1:k], window[:, k : k + 1]], axis=1)
    found, _, rank, _ = np.linalg.lstsq(columns, both[:, 0], rcond=None)
    if rank < k:
        raise DataError(f"the numbers are a sum of {rank} sinusoids, not of {k}: ask for {rank}")
    coefficients = np.concatenate([found[:-1], found[-1:], found[:-1][::-1], [-1.0]])
    return LinearRecurrent(
        A=np.eye(2 * k, k=-1, dtype=dtype),
        B=np.eye(2 * k, 1, dtype=dtype),
        C=coefficients[None].astype(dtype),
    )


def continued(layer: LinearRecurrent, series: Floats, steps: int) -> Floats:
    """The next numbers (B, steps) after sequences (B, n), n >= 1: read them, then feed answers back."""
    state = layer.start(len(series))
    for number in series.T:
        state, y = layer.step(state, number[:, None].astype(layer.dtype))
    answers = np.empty((len(series), steps), layer.dtype)
    for t in range(steps):
        answers[:, t] = y[:, 0]
        state, y = layer.step(state, y)
    return answers
