"""Methods whose server does not simply go to the clients' mean."""

from ._fedavg import FedAvg


class ServerStep(FedAvg):
    """Base class: the parameters make a step of the method's, buffers are averaged."""

    def _aggregate(self, weights, updates, server):
        buffers = {n: w for n, w in weights.items() if n in server.buffers}
        parameters = {n: w for n, w in weights.items() if n not in server.buffers}
        step = self._step(parameters, updates, server)
        return {**self._mean(buffers, updates), **step}

    def _step(self, weights, updates, server):
        """Return the new parameters, in float64 (hook)."""
        raise NotImplementedError
