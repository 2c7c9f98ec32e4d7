"""When to stop, by the clients' validation loss."""

import numpy as np

from ..exceptions import ClientError


class Best:
    """Early stopping on the clients' summed validation loss.

    Attributes
    ----------
    round : int
        The best round so far, 0 before any.
    """

    def __init__(self, plan):
        self.patience, self.tol = plan.n_iter_no_change, plan.tol
        self.loss, self.round, self.model, self.bad = np.inf, 0, None, 0
        self.losses: dict = {}

    def update(self, round, losses, model, records):
        """Take a round's losses; return True when it is time to stop.

        A client that does not answer keeps its last loss, so that rounds are compared
        over the same clients.
        """
        self.losses.update(losses)
        n = sum(answer["n"] for answer in self.losses.values())
        if n == 0:
            raise ClientError(
                "early_stopping found no validation rows: give clients with more rows "
                "(not n_samples=1) or raise validation_fraction, since fewer than "
                "min_count rows are not held out"
            )
        for record in records:
            own = losses.get(record["client"])
            if own and own["n"]:
                record["valid_loss"] = own["loss"] / own["n"]
        loss = sum(a["loss"] / a.get("unit", 1.0) for a in self.losses.values()) / n
        self.bad = 0 if loss < self.loss - self.tol else self.bad + 1
        if loss < self.loss:
            self.loss, self.round, self.model = loss, round, model
        return self.bad >= self.patience

    def kept(self):
        """Return the best round's model and its number."""
        if not self.round:
            raise ClientError(
                "the validation loss was never finite: training diverged; lower net__lr"
            )
        return self.model, self.round
