"""When to stop, by the clients' validation loss."""

import numpy as np

from ..exceptions import ClientError


class Best:
    """Early stopping on the clients' summed validation loss."""

    def __init__(self, plan):
        self.patience, self.tol = plan.n_iter_no_change, plan.tol
        self.loss, self.round, self.weights, self.bad = np.inf, 0, {}, 0

    def update(self, round, losses, weights, records):
        """Take a round's losses; return True when it is time to stop."""
        n = sum(answer["n"] for answer in losses.values())
        if n == 0:
            raise ClientError(
                "early_stopping found no validation rows (clients with n_samples=1, "
                "or few): raise validation_fraction or give clients with more rows"
            )
        for record in records:
            own = losses.get(record["client"])
            if own and own["n"]:
                record["valid_loss"] = own["loss"] / own["n"]
        loss = sum(answer["loss"] for answer in losses.values()) / n
        self.bad = 0 if loss < self.loss - self.tol else self.bad + 1
        if loss < self.loss:
            self.loss, self.round, self.weights = loss, round, weights
        return self.bad >= self.patience
