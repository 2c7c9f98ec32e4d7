"""Checks of a strategy inside the federated estimators."""

import warnings
from collections.abc import Callable

import numpy as np
from sklearn.base import clone

from ..federation import InProcessFederation
from ..training._weights import get_weights
from ._data import make_clients
from ._fit_checks import (
    ESTIMATORS,
    assert_engines_agree,
    assert_isolation_changes_nothing,
    few_folds,
)


def check_strategy_inside_estimators(strategy):
    """Check that passing all messages and states through bytes changes no bit."""
    for i, target in enumerate(strategy.tasks):
        # the folds of a personalizer are the same protocol in either task
        personalizers = None if i else few_folds(), None
        for fraction, personalizer in zip((1.0, 0.5), personalizers, strict=True):
            model = ESTIMATORS[target](
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
    for target in strategy.tasks:
        clients = make_clients("one client", target)
        found = []
        for method in (None, strategy):
            model = ESTIMATORS[target](strategy=method, n_rounds=3, random_state=0)
            (predictor,) = model.fit(clients).pipelines_.values()
            found.append(get_weights(predictor[-1].model.net))
        for name, value in found[0].items():
            np.testing.assert_allclose(
                found[1][name],
                value,
                rtol=1e-6,
                atol=1e-7,
                err_msg=f"{strategy!r} differs from local training for one client; set "
                "differs_alone to the reason if it must",
            )


def check_strategy_of_equal_clients(strategy):
    """Check that clients with the same rows, and one full step, train as one would.

    A method with ``differs_alone`` is let off.
    """
    if strategy.differs_alone:
        return
    for target in strategy.tasks:
        (rows,) = make_clients("one client", target).values()
        found = []
        for names, method in (("a", None), ("abc", strategy)):
            model = ESTIMATORS[target](
                net=_net(target, batch_size=-1),
                strategy=method,
                personalizer=None,
                n_rounds=3,
                random_state=0,
            )
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                model.fit(dict.fromkeys(names, rows))
            found.append(get_weights(model.pipelines_["a"][-1].model.net))
        for name, value in found[0].items():
            np.testing.assert_allclose(
                found[1][name],
                value,
                rtol=1e-4,
                atol=1e-6,
                err_msg=f"{strategy!r}: three clients with the same rows train "
                "otherwise than one; set differs_alone to the reason if they must",
            )


def check_strategy_on_every_engine(strategy):
    """Check that clients which are trained together end as if trained one by one."""
    for target in strategy.tasks:
        model = ESTIMATORS[target](
            net=_net(target, module__dtype="float64", batch_size=8),
            strategy=strategy,
            personalizer=None,
            local_epochs=2,
            n_rounds=3,
            random_state=0,
        )
        assert_engines_agree(model, make_clients("partly shared", target), strategy)


def check_strategy_keeps_home_at_home(strategy):
    """Check that no message holds a parameter that ``kept_at_home`` names."""
    for target in strategy.tasks:
        federation = _Watched()
        model = ESTIMATORS[target](
            net=_net(target, module__batch_norm=True),
            strategy=strategy,
            personalizer=None,
            federation=federation,
            n_rounds=3,
            random_state=0,
        )
        model.fit(make_clients("same columns", target))
        width = len(model.aligned_names_)
        home = clone(strategy).kept_at_home(model.net_, width)
        named = {n for n in model.ledger_["name"] if n.rpartition("/")[2] in home}
        assert not named, f"{strategy!r} sends {named}, which it keeps at home"
        for client, sent in federation.sent:
            for name, value in federation.home(client).items():
                if value.size < 2 or not np.ptp(value):
                    continue
                same = [
                    key
                    for key, part in sent.items()
                    if np.shape(part) == value.shape and np.allclose(part, value)
                ]
                assert not same, f"{strategy!r} sends {name!r} as {same}"


def _net(target, **params):
    """Return the default net with a learning rate, as a caller's own."""
    from ..nets._prototype import default_net

    return default_net(target).set_params(lr=0.05, **params)


class _Watched(InProcessFederation):
    """Keep what clients sent in training, and what they kept."""

    sent: list
    home: Callable

    def open(self, handle, sites):
        session = super().open(handle, sites)
        broadcast, self.sent, self.home = session.broadcast, [], lambda client: {}

        def watched(ask):
            answers = broadcast(ask)
            if ask.task == "train":
                self.sent = list(answers.items())  # of the last round
                self.home = lambda c: session.states[c].get("own", {}).get("home", {})
            return answers

        session.broadcast = watched
        return session
