"""Columns hashed by name into a fixed width, so that no schema is agreed on."""

from hashlib import blake2b
from numbers import Integral

import numpy as np
from sklearn.utils import check_random_state, check_scalar

from ._base import Aligner

_MODES = ("sign", "gaussian")


class HashingAligner(Aligner):
    r"""Align by name to a fixed width: each column adds to outputs its name decides.

    A row becomes :math:`z = \sum_{v \in V_k} x_v R_v`, where the vector :math:`R_v`
    of a column comes from a hash of its name and of a seed. Equal names have equal
    vectors everywhere, so no list of columns is agreed on, and a client with columns
    that nobody has seen can join at any time. On standardised columns, what a client
    lacks adds 0, the average. For two columns
    :math:`E \langle R_u, R_v \rangle = 1[u = v]`, hence inner products of rows are
    right on average over seeds, with collision noise of about :math:`1 / \sqrt{q}`
    per pair of columns.

    Parameters
    ----------
    n_components : int, default=64
        The width q. Twice the number of columns of all clients, or more, keeps most
        of them apart; with fewer, use another aligner if the columns are known.
    mode : {"sign", "gaussian"}, default="sign"
        "sign": a column adds to one output, with a random sign:
        :math:`R_v = s(v) e_{h(v)}`. "gaussian": it adds to all,
        :math:`R_v \sim N(0, I / q)`.
    random_state : int, RandomState instance or None, default=0
        The seed of the hash. An int is the seed itself, the same in any federation;
        otherwise the server draws one for all clients.

    Attributes
    ----------
    components_ : ndarray of shape (d_k, n_components)
        The vectors of this client's columns, as rows.
    seed_ : int
        The seed.
    feature_names_out_ : list of str
        "hash0", "hash1", ...
    n_features_in_ : int
        Number of columns of this client.
    feature_names_in_ : ndarray of str objects of shape (d_k,)
        Names of this client's columns, when it gave a DataFrame.

    Raises
    ------
    skfed.exceptions.ClientError
        If column names are repeated or are not strings.

    See Also
    --------
    UnionAligner : Keeps all columns apart when their names may be sent.
    RandomProjectionAligner : The negative control, which goes by position.

    Notes
    -----
    What leaves the client: nothing but the fact that it takes part, not even names.
    NaN cells add nothing.

    The published method also hashes "client:name", which gives every client weights
    of its own. A step does not know its client's name, so that is not offered;
    :class:`SharedPrivateAligner` has private weights.

    References
    ----------
    .. [1] K. Weinberger, A. Dasgupta, J. Langford, A. Smola, J. Attenberg, "Feature
       Hashing for Large Scale Multitask Learning", ICML 2009.

    Examples
    --------
    Two clients, who agree on nothing but the seed, place "age" equally.

    >>> import pandas as pd
    >>> from skfed.alignment import HashingAligner
    >>> one = pd.DataFrame({"age": [1.0, 2.0]})
    >>> two = pd.DataFrame({"dose": [0.0, 0.0], "age": [1.0, 2.0]})
    >>> aligner = HashingAligner(n_components=8)
    >>> bool((aligner.fit_transform(one) == aligner.fit_transform(two)).all())
    True
    """

    accepts_nan = True

    def __init__(self, n_components=64, mode="sign", random_state=0):
        self.n_components = n_components
        self.mode = mode
        self.random_state = random_state

    def _check_parameters(self):
        """Raise on a width below 1 or an unknown mode."""
        check_scalar(self.n_components, "n_components", Integral, min_val=1)
        if self.mode not in _MODES:
            raise ValueError(f"mode must be one of {_MODES}, got {self.mode!r}")

    def _client_statistics(self, X, names, y, shared):
        """Send nothing."""
        return {}

    def _merge(self, statistics, shared):
        """Return one seed for all."""
        if isinstance(self.random_state, Integral):
            return {"seed": int(self.random_state)}
        draw = check_random_state(self.random_state)
        return {"seed": int(draw.randint(2**31 - 1))}

    def _fit_shared(self, X, names, y, shared):
        """Hash this client's names."""
        q, self.seed_ = int(self.n_components), shared["seed"]
        vector = _sign_vector if self.mode == "sign" else _gaussian_vector
        self.components_ = np.array([vector(self.seed_, name, q) for name in names])
        self.feature_names_out_ = [f"hash{j}" for j in range(q)]

    def _transform(self, X):
        """Add up the columns' vectors, NaN as 0."""
        return np.where(np.isnan(X), 0.0, X) @ self.components_


def _digest(seed, name):
    """Return 32 bytes that follow from seed and name on every machine.

    Python's own hash of a str is salted anew in every process.
    """
    token = f"{seed}:{name}".encode(errors="surrogatepass")
    return blake2b(token, digest_size=32).digest()


def _sign_vector(seed, name, width):
    """Return plus or minus one unit vector; place and sign come from other bytes."""
    digest = _digest(seed, name)
    vector = np.zeros(width)
    vector[int.from_bytes(digest[:16], "little") % width] = 1 - 2 * (digest[16] & 1)
    return vector


def _gaussian_vector(seed, name, width):
    """Return a vector of expected squared length 1."""
    draw = np.random.default_rng(int.from_bytes(_digest(seed, name), "little"))
    return draw.standard_normal(width) / np.sqrt(width)
