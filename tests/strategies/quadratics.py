"""Clients whose loss is a quadratic, driven as the training loop drives a net's."""

import numpy as np

from skfed.strategies import ClientRound, Evaluate, ServerRound, Train, Trained, Update


class Quadratic:
    """F(w) = (w - b)' A (w - b) / 2, with ``steps`` full gradient steps an epoch."""

    def __init__(self, A, b, steps, n_rows=1):
        self.A, self.b, self.steps, self.n_rows = np.diag(A), np.array(b), steps, n_rows
        self.memory: dict = {}

    def loss(self, w):
        return (w - self.b) @ self.A @ (w - self.b) / 2

    def train(self, request, lr):
        w = request.weights["w"].copy()
        anchor = (request.anchor or request.weights)["w"]
        shift = (request.shift or {"w": 0.0})["w"]
        rate, steps = lr * request.lr_scale, self.steps * (request.epochs or 1)
        for _ in range(steps):
            gradient = self.A @ (w - self.b) + shift + request.pull * (w - anchor)
            w = w - rate * gradient
        return Trained({"w": w}, self.loss(w), steps, rate)

    def update(self, name, strategy, weights, shared, lr):
        client = ClientRound(weights, shared, self.memory)
        procedure, answer = strategy.client_update(client), None
        while True:
            try:
                request = procedure.send(answer)
            except StopIteration as end:
                return Update(
                    name, self.n_rows, end.value, {}, self.steps, lr, client.extra
                )
            if isinstance(request, Train):
                answer = self.train(request, lr)
            else:
                assert isinstance(request, Evaluate)
                answer = self.loss(request.weights["w"])


def run(strategy, clients, rounds, lr, start=(0.0, 0.0)):
    """Return the server's weights after some rounds, and the clients' memories."""
    weights = {"w": np.array(start)}
    sizes = {f"c{k}": client.n_rows for k, client in enumerate(clients)}
    server = ServerRound(sizes)
    for client in clients:
        client.memory = {}
    for r in range(1, rounds + 1):
        server.round = r
        shared = strategy.server_message(weights, server)
        updates = [
            client.update(name, strategy, weights, shared, lr)
            for name, client in zip(sizes, clients, strict=True)
        ]
        weights = strategy.aggregate(weights, updates, server)
    return weights["w"]


def optimum(clients, uniform=False):
    """Return the minimiser of the sum of losses, weighted by rows."""
    shares = [1 if uniform else c.n_rows for c in clients]
    A = sum(p * c.A for p, c in zip(shares, clients, strict=True))
    return np.linalg.solve(
        A, sum(p * c.A @ c.b for p, c in zip(shares, clients, strict=True))
    )
