"""Clients that come to, and go from, a federation of several quantities."""

from collections.abc import Callable
from typing import Any

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ..data._pool import values_of
from ..exceptions import ClientError
from ._read_tasks import task_name


class TaskNewcomerMixin:
    """``add_client`` and ``drop_client`` where a client's quantity has to be said."""

    client_classes_: dict
    fit: Callable
    set_params: Callable
    target_classes_: dict
    target_names_: dict
    tasks_: dict
    _add: Callable
    _recipes: dict[str, Any]

    def add_client(self, name, X, y=None, *, target_name=None):
        """Let a new client join, without another round of the others.

        Parameters
        ----------
        name : hashable
            The client's name, new to the federation.
        X : table of shape (n, d)
            Its rows.
        y : array of shape (n,), default=None
            Its target. Without one the client predicts by the shared net.
        target_name : str, default=None
            What it predicts, one of the values of ``target_names_``; needed where the
            clients predict several things.

        Returns
        -------
        self : object
            The estimator, which now predicts for this client too.

        Raises
        ------
        ClientError
            If the name is taken, the target or a label is unknown, or the client cannot
            be aligned.
        """
        check_is_fitted(self)
        y = None if y is None else values_of(y)
        return self._add(name, X, y, self._known_target(name, target_name))

    def _known_target(self, name, target_name=None):
        known = list(self._recipes)
        if target_name is None and len(known) == 1:
            return known[0]
        if target_name not in known:
            raise ClientError(
                f"say what client {name!r} predicts: add_client(..., target_name=) "
                f"takes one of {known}, not {target_name!r}"
            )
        return target_name

    def _refit_without(self, name, rest):
        """Refit, and forget what was said of the client."""
        for parameter in ("tasks", "target_names"):
            given = getattr(self, parameter)
            if isinstance(given, dict):
                kept = {client: v for client, v in given.items() if client != name}
                self.set_params(**{parameter: kept})
        return self.fit(rest)

    def _target_of_unseen(self, name):
        return self._known_target(name)

    def _welcome(self, name, labels, group):
        """Keep what a newcomer predicts."""
        plan, result = self._recipes[group]
        self.tasks_ = {**self.tasks_, name: task_name(plan, result, labels)}
        self.target_names_ = {**self.target_names_, name: group}
        if plan.task != "regression":
            classes = self.target_classes_[group]
            own = np.unique(np.asarray(labels, dtype=classes.dtype))
            self.client_classes_ = {**self.client_classes_, name: own}
