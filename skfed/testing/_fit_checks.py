"""Checks inside the federated estimators: nothing lives outside messages and state."""

import numpy as np
from sklearn.base import clone

from ..alignment import Aligner
from ..estimators import FederatedClassifier, FederatedRegressor
from ..federation import InProcessFederation
from ..training._weights import get_weights
from ._data import make_clients
from ._generators import generator_states
from ._step import clients_for, output

ESTIMATORS: dict[str, type] = {
    "classification": FederatedClassifier,
    "regression": FederatedRegressor,
}


def check_step_inside_estimators(step):
    """Check that passing all messages and states through bytes changes no bit."""
    steps = {"encoder": step}
    if isinstance(step, Aligner):
        steps = {"encoder": "passthrough", "aligner": step}
    for target, estimator in ESTIMATORS.items():
        clients = clients_for(step, target=target)
        if not _returns_numbers(step, clients):  # an imputer hands text on
            clients = clients_for(step, target=target, text=False)
        model = estimator(**steps, n_rounds=2, random_state=0)
        assert_isolation_changes_nothing(model, clients, step)


def _returns_numbers(step, clients):
    X, y = clients["a"]
    return output(clone(step).fit(X, y), X).dtype.kind in "fiub"


def check_strategy_inside_estimators(strategy):
    """Check that passing all messages and states through bytes changes no bit."""
    for target, estimator in ESTIMATORS.items():
        for fraction, personalizer in ((1.0, "auto"), (0.5, None)):
            model = estimator(
                strategy=strategy,
                personalizer=personalizer,
                n_rounds=4,
                client_fraction=fraction,
                random_state=0,
            )
            clients = make_clients("partly shared", target)
            assert_isolation_changes_nothing(model, clients, strategy)
            asked = model.history_.groupby("round")["client"].size()
            expected = int(np.ceil(fraction * len(clients)))
            assert (asked == expected).all(), (
                f"{strategy!r} trains {asked.tolist()} clients a round, not {expected}"
            )


def check_strategy_of_one_client(strategy):
    """Check that with one client a fit is that client's training, as with FedAvg.

    A method that moves even a single client elsewhere says why in its class attribute
    ``differs_alone``, a text.
    """
    if getattr(strategy, "differs_alone", ""):
        return
    for target, estimator in ESTIMATORS.items():
        clients = make_clients("one client", target)
        model = estimator(n_rounds=3, random_state=0).fit(clients)
        plain = get_weights(model.net_)
        model = estimator(strategy=strategy, n_rounds=3, random_state=0).fit(clients)
        for name, found in get_weights(model.net_).items():
            np.testing.assert_allclose(
                found,
                plain[name],
                rtol=1e-6,
                atol=1e-7,
                err_msg=f"{strategy!r} differs from local training for one client; set "
                "differs_alone to the reason if it must",
            )


def assert_isolation_changes_nothing(model, clients, part):
    """Fit the same model three times, once isolated: weights and predictions agree."""
    tables = {name: X for name, (X, _) in clients.items()}
    before = generator_states()
    fits = []
    for isolate in (False, True, False):
        model.set_params(federation=InProcessFederation(isolate=isolate))
        model.fit(clients)
        fits.append((get_weights(model.net_), model.predict(tables)))
    (weights, predicted), *others = fits
    for kind, (again, other) in zip(("isolated", "second"), others, strict=True):
        message = f"{part!r}: the {kind} fit gives other "
        for name, expected in weights.items():
            np.testing.assert_array_equal(
                again[name], expected, err_msg=message + "weights"
            )
        for name, expected in predicted.items():
            np.testing.assert_array_equal(
                other[name], expected, err_msg=message + "predictions"
            )
    assert generator_states() == before, f"{part!r} moves a global random generator"
