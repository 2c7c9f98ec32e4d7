"""IFCA: clients find their cluster, and each cluster has its own model."""

from numbers import Integral

import numpy as np

from .._compat import Interval
from ._arrays import difference, norm
from ._fedavg import FedAvg
from ._messages import Evaluate, Train


class IFCA(FedAvg):
    """Iterative federated clustering.

    The server keeps one model for each cluster. A client takes the one with the least
    loss on its rows and trains it, and the server averages each cluster's models [1]_.

    Parameters
    ----------
    n_clusters : int, default=2
        Number of models.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        As in :class:`FedAvg`.
    ownership : bool, default=True
        As in :class:`FedAvg`.

    Notes
    -----
    What leaves the client: its weights, and the number of its cluster. A round sends
    all models to each client.

    The paper starts from models drawn at random, and anew where that fails. Here all
    clients train the same model in the first round, and the clusters start at those of
    their weights that lie farthest apart. The estimator's ``net_`` is the average of
    all clusters; ``pipelines_`` have those of the clients.

    References
    ----------
    .. [1] A. Ghosh, J. Chung, D. Yin, K. Ramchandran, "An Efficient Framework for
       Clustered Federated Learning", NeurIPS 2020.

    Examples
    --------
    >>> from skfed.strategies import IFCA
    >>> IFCA(n_clusters=3)
    IFCA(n_clusters=3)
    """

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "n_clusters": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(self, n_clusters=2, weighting="rows", ownership=True):
        self.n_clusters = n_clusters
        self.weighting = weighting
        self.ownership = ownership

    def _server_message(self, weights, server):
        """Send the models of all clusters."""
        return {key: v for key, v in server.memory.items() if key.startswith("cluster")}

    def _client_update(self, client):
        """Choose the model with the least loss, and train it."""
        start = client.weights
        if client.shared:
            losses = {}
            for key in sorted(client.shared):
                model = _with(client.weights, client.shared[key])
                losses[key] = yield Evaluate(model)
            chosen = min(losses, key=lambda key: losses[key])
            client.memory["cluster"] = client.extra["cluster"] = int(chosen[7:])
            start = _with(client.weights, client.shared[chosen])
        trained = yield Train(start)
        return trained.weights

    def _personal_weights(self, weights, shared, memory):
        """Return the weights of the client's cluster."""
        cluster = shared.get(f"cluster{int(memory.get('cluster', -1))}", {})
        return _with(weights, cluster)

    def _aggregate(self, weights, updates, server):
        if "cluster0" not in server.memory:
            chosen = self._nearest(self._farthest(updates), updates)
        else:
            chosen = [int(u.extra.get("cluster", 0)) for u in updates]
        rows = server.memory.setdefault("rows", np.zeros(self.n_clusters))
        rows = server.memory["rows"] = rows.copy()
        for k in range(self.n_clusters):
            members = [u for u, c in zip(updates, chosen, strict=True) if c == k]
            old = server.memory.get(f"cluster{k}", weights)
            model = self._mean(old, members)
            server.memory[f"cluster{k}"] = {
                name: np.asarray(value, weights[name].dtype)
                for name, value in model.items()
            }
            if members:
                rows[k] = sum(self._weight(u) for u in members)
        models = [server.memory[f"cluster{k}"] for k in range(self.n_clusters)]
        shares = rows / rows.sum()
        return {
            name: old + np.tensordot(shares, [m[name] - old for m in models], axes=1)
            for name, old in weights.items()
        }

    def _farthest(self, updates):
        """Return the weights of clients that lie farthest apart, one per cluster."""
        centres = [max(updates, key=lambda u: (u.n_rows, str(u.client))).weights]
        while len(centres) < min(self.n_clusters, len(updates)):
            apart = [
                min(norm(difference(u.weights, c)) for c in centres) for u in updates
            ]
            centres.append(updates[int(np.argmax(apart))].weights)
        return centres

    @staticmethod
    def _nearest(centres, updates):
        return [
            int(np.argmin([norm(difference(u.weights, c)) for c in centres]))
            for u in updates
        ]


def _with(weights, model):
    return {**weights, **model}
