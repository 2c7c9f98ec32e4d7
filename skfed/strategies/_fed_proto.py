"""FedProto: clients share the class means of their representations."""

from numbers import Real

import numpy as np

from .._compat import Interval
from ._fedavg import FedAvg
from ._messages import Represent, Train


class FedProto(FedAvg):
    r"""Federated prototypes: no weight leaves a client.

    After its local epochs, a client sends the mean representation of each class; the
    server averages them by rows. In the next round, each row is drawn to its class's
    prototype, by :math:`\lambda` times the mean squared difference to it [1]_. The
    representation is the input of the output layer.

    Parameters
    ----------
    lam : float, default=1.0
        Weight of the prototypes.
    weighting : {"rows", "sqrt", "uniform"}, default="rows"
        Without effect; as in :class:`FedAvg`.
    ownership : bool, default=True
        Without effect; as in :class:`FedAvg`.

    Raises
    ------
    skfed.exceptions.ClientError
        If the net has no hidden layer.
    ValueError
        In regression, which has no classes.

    Notes
    -----
    What leaves the client: the number of rows and the mean representation (h,) of each
    class that has ``min_count`` rows. It is meant for nets of different kinds, which
    cannot be averaged, and gains less than averaging where nets can be.

    References
    ----------
    .. [1] Y. Tan et al., "FedProto: Federated Prototype Learning across Heterogeneous
       Clients", AAAI 2022.

    Examples
    --------
    >>> from skfed.strategies import FedProto
    >>> FedProto(lam=0.5)
    FedProto(lam=0.5)
    """

    differs_alone = "a single client too is drawn to its prototypes"
    tasks = ("classification",)
    one_label = True

    _parameter_constraints = {
        **FedAvg._parameter_constraints,
        "lam": [Interval(Real, 0, None, closed="left")],
    }

    def __init__(self, lam=1.0, weighting="rows", ownership=True):
        self.lam = lam
        self.weighting = weighting
        self.ownership = ownership

    def _kept_at_home(self, net, n_inputs):
        """Return the names of all parameters."""
        from ..nets._parts import all_parameters

        return all_parameters(net)

    def _server_message(self, weights, server):
        """Send the prototypes, and how many rows stand behind each."""
        return {k: server.memory[k] for k in ("prototypes", "counts") if server.memory}

    def _client_update(self, client):
        """Train with the pull to the prototypes, and send the client's own."""
        penalty = None
        if "prototypes" in client.shared:
            penalty = self._pull(client)
        trained = yield Train(client.weights, penalty=penalty)
        z = yield Represent(trained.weights)
        counts = np.bincount(client.target, minlength=client.n_classes)
        counts[counts < client.min_count] = 0
        means = np.zeros((client.n_classes, z.shape[1]))
        for label in np.flatnonzero(counts):
            means[label] = z[client.target == label].mean(axis=0, dtype=np.float64)
        client.extra |= {"prototypes": means, "counts": counts}
        return trained.weights

    def _pull(self, client):
        """Return the term of a batch, given its representation and its rows."""
        import torch

        target = torch.as_tensor(client.target)
        prototypes = torch.as_tensor(np.array(client.shared["prototypes"]))
        known = torch.as_tensor(np.array(client.shared["counts"]) > 0)

        def penalty(z, rows):
            labels = target[rows.cpu()]
            squares = ((z - prototypes[labels].to(z)) ** 2).mean(dim=1)
            return self.lam * (squares * known[labels].to(z)).mean()

        return penalty

    def _aggregate(self, weights, updates, server):
        sent = [u.extra for u in updates if "counts" in u.extra]
        if sent:
            counts = sum(extra["counts"] for extra in sent)
            total = sum(e["prototypes"] * e["counts"][:, None] for e in sent)
            server.memory["prototypes"] = total / np.maximum(counts, 1)[:, None]
            server.memory["counts"] = counts
        return super()._aggregate(weights, updates, server)
