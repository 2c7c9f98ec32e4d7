"""Server optimizers: a torch optimizer over the clients' mean step."""

from numbers import Real

from .._compat import Interval
from ._server_step import ServerStep

POSITIVE = Interval(Real, 0, None, closed="neither")


class ServerOptimizer(ServerStep):
    """A torch optimizer on the server, whose gradient is w - mean of the clients."""

    differs_alone = "the server's optimizer changes the step of a single client too"

    def _step(self, weights, updates, server):
        import torch

        mean = self._mean(weights, updates)
        points = {
            name: torch.tensor(value, dtype=torch.float64)
            for name, value in weights.items()
        }
        for name, point in points.items():
            point.grad = point - torch.as_tensor(mean[name])
        if not points:
            return {}
        optimizer = self._optimizer(list(points.values()))
        self._load(optimizer, points, server.memory)
        optimizer.step()
        for name, point in points.items():
            for key, value in optimizer.state[point].items():
                if value is not None:
                    kept = torch.as_tensor(value).numpy().copy()
                    server.memory.setdefault(key, {})[name] = kept
        return {name: point.numpy() for name, point in points.items()}

    @staticmethod
    def _load(optimizer, points, memory):
        """Give the optimizer back what it knew after the last round."""
        import torch

        for key, values in memory.items():
            for name, value in values.items():
                optimizer.state[points[name]][key] = torch.tensor(value)

    def _optimizer(self, points):
        """Return the torch optimizer of some tensors (hook)."""
        raise NotImplementedError
