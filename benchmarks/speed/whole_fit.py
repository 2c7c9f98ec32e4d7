"""Where the time of a whole default fit goes, by the clients' tasks."""

import time
import warnings
from contextlib import contextmanager

from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.exceptions import ConvergenceWarning

from skfed import FederatedClassifier, FederatedRegressor
from skfed.datasets import load_house_prices, load_schools, make_heterogeneous_clients
from skfed.exceptions import AlignmentWarning
from skfed.federation import InProcessFederation

KINDS = {
    "train": "local training",
    "evaluate": "local training",
    "describe": "alignment",
    "align": "alignment",
    "own_models": "clients' own models",
}
PARTS = "local training", "alignment", "clients' own models", "other tasks", "server"
OUTSIDE = PARTS[1:]


def collections():
    """Return ``{name: (estimator, clients)}``."""
    regressor = FederatedRegressor(random_state=0)
    classifier = FederatedClassifier(random_state=0)
    schools = load_schools(return_clients=True)
    X, y = load_digits(return_X_y=True)
    digits = make_heterogeneous_clients(
        10, 100, X=X, y=y, feature_overlap=0.5, test_size=0.4, random_state=0
    ).clients
    return {
        "house prices": (regressor, load_house_prices(return_clients=True)),
        "schools": (regressor, schools),
        "digits": (classifier, digits),
    }


class Timed(InProcessFederation):
    """Clients in this process, and the processor time of their tasks.

    Attributes
    ----------
    seconds : dict
        ``{(task, whether in a fold): seconds}``.
    """

    def open(self, handle, sites):
        """Start a session whose broadcasts are timed."""
        session = super().open(handle, sites)
        self.seconds: dict = {}
        plain, together = session.broadcast, session.broadcast_all
        inside = False

        @contextmanager
        def timed(asks):
            nonlocal inside
            outer, inside = not inside, True
            started = time.process_time()
            try:
                yield
            finally:
                inside = not outer
            if outer:
                spent = (time.process_time() - started) / len(asks)
                for ask in asks:
                    key = ask.task, ask.payload.get("fold", -1) >= 0
                    self.seconds[key] = self.seconds.get(key, 0.0) + spent

        def broadcast(ask):
            with timed([ask]):
                return plain(ask)

        def broadcast_all(asks):
            with timed(asks):
                return together(asks)

        session.broadcast, session.broadcast_all = broadcast, broadcast_all
        return session


def measure(say=lambda text: None, repeats=3):
    """Fit the default and the plain estimator; return rows of the table.

    Parameters
    ----------
    say : callable, default=lambda text: None
        Told what goes on.
    repeats : int, default=3
        Fits of each; those with the median time are shown.

    Returns
    -------
    rows : list of dict
        ``clients``, ``plain`` and ``default`` (CPU seconds), ``ratio``, the share of
        the default fit that each of :data:`PARTS` takes, and that of training in folds.
    """
    rows = []
    for name, (model, clients) in collections().items():
        bare = clone(model).set_params(personalizer=None)
        plain = sorted(_seconds(clone(bare), clients) for _ in range(repeats))
        fits = [_shares(clone(model), clients) for _ in range(repeats)]
        fits = sorted(fits, key=lambda fit: fit["default"])
        middle = fits[repeats // 2]
        own = {"clients": name, "plain": plain[repeats // 2], **middle}
        own["ratio"] = own["default"] / own["plain"]
        rows.append(own)
        say(
            f"{name}: {own['default']:.1f} s, without a personalizer {own['plain']:.1f}"
        )
    return rows


def _seconds(model, clients):
    """Return the processor time of a fit."""
    started = time.process_time()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlignmentWarning)
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(clients)
    return time.process_time() - started


def _shares(model, clients):
    """Return the processor time of a fit, and the share of each part."""
    federation = Timed()
    whole = _seconds(model.set_params(federation=federation), clients)
    found = dict.fromkeys(PARTS, 0.0)
    folds = 0.0
    for (task, in_fold), spent in federation.seconds.items():
        kind = KINDS.get(task, "other tasks")
        found[kind] += spent / whole
        if in_fold and kind == "local training":
            folds += spent / whole
    found["server"] = 1.0 - sum(found.values())
    return {"default": whole, **found, "training in folds": folds}
