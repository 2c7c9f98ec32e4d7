"""What a federated method decides: who trains, and what the server makes of it."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from ..exceptions import ClientError


@dataclass(frozen=True)
class Update:
    """What one client sent back from its local training.

    Parameters
    ----------
    client : hashable
        The client's name.
    n_rows : int
        Rows it trained on.
    weights : dict
        ``{parameter name: array}``; a parameter may be absent.
    owned : dict, default={}
        ``{parameter name: bool array of shape (q,)}`` for matrices that read the
        input: the columns which are not 0 in at least ``min_count`` of its rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import Update
    >>> Update("a", n_rows=20, weights={"bias": np.zeros(1)}).n_rows
    20
    """

    client: Any
    n_rows: int
    weights: dict
    owned: dict = field(default_factory=dict)


class Strategy(BaseEstimator):
    """Base class of federated strategies.

    The server calls :meth:`select` and :meth:`aggregate` once a round; both check
    their input and hand over to the hooks :meth:`_select` (may be overridden;
    uniform without replacement) and :meth:`_aggregate` (must be). There is one
    training loop in the package, and strategies are hooks in it.

    A method that trains even a single client differently from
    :class:`FedAvg` says why in the class
    attribute ``differs_alone``, a text; see :func:`skfed.testing.check_strategy`.

    Examples
    --------
    A server that goes half the way to the clients' mean:

    >>> import numpy as np
    >>> from skfed.strategies import FedAvg, Strategy, Update
    >>> class HalfWay(FedAvg):
    ...     differs_alone = "the server's step is half the clients' mean step"
    ...     def _aggregate(self, weights, updates):
    ...         mean = super()._aggregate(weights, updates)
    ...         return {name: (weights[name] + mean[name]) / 2 for name in weights}
    >>> updates = [Update(client, 10, {"bias": np.array([4.0])}) for client in "ab"]
    >>> HalfWay().aggregate({"bias": np.zeros(1)}, updates)
    {'bias': array([2.])}
    >>> isinstance(HalfWay(), Strategy)
    True
    """

    differs_alone: str = ""

    _parameter_constraints: dict = {}

    def select(self, clients, fraction, rng, at_least=1):
        """Return the clients of a round, in sorted order.

        Parameters
        ----------
        clients : sequence
            All clients, sorted by name.
        fraction : float
            Share of the clients that train, in (0, 1].
        rng : numpy.random.Generator
            The round's generator.
        at_least : int, default=1
            Clients that a round needs.

        Returns
        -------
        chosen : tuple
            Client names.
        """
        share = math.ceil(round(fraction * len(clients), 9))
        n = min(len(clients), max(share, at_least))
        if n == len(clients):
            return tuple(clients)
        return tuple(clients[i] for i in sorted(self._select(len(clients), n, rng)))

    def aggregate(self, weights, updates):
        """Combine the clients' weights with the server's.

        Parameters
        ----------
        weights : dict
            ``{parameter name: array}`` before the round.
        updates : list of Update
            The clients' answers, sorted by client name.

        Returns
        -------
        weights : dict
            The same names, shapes and dtypes.

        Raises
        ------
        ClientError
            If a client's weights have another shape or are not finite.
        """
        for update in updates:
            problem = faulty(weights, update)
            if problem:
                raise ClientError(problem)
        new = self._aggregate(weights, updates)
        return {k: np.asarray(new[k], dtype=w.dtype) for k, w in weights.items()}

    def _select(self, n_clients, n, rng):
        """Return ``n`` of ``n_clients`` positions (hook)."""
        return rng.choice(n_clients, n, replace=False)

    def _aggregate(self, weights, updates):
        """Return the new weights, in float64 (hook)."""
        raise NotImplementedError


def faulty(weights, update):
    """Say what is wrong with an update, or return None."""
    for name, value in update.weights.items():
        if name not in weights or weights[name].shape != value.shape:
            wanted = weights[name].shape if name in weights else "no such parameter"
            return (
                f"client {update.client!r} sent {name!r} of shape {value.shape}; "
                f"expected {wanted}"
            )
        if not np.isfinite(value).all():
            return (
                f"client {update.client!r} sent weights that are not finite "
                f"({name!r}): its training diverged; lower the net's lr, or "
                "standardise columns and target (target_scaling='client')"
            )
    return None
