"""The checks that anybody's aligner, federated transformer or strategy can run."""

import functools
import warnings

from ..alignment import Aligner
from ..exceptions import AlignmentWarning, NegativeControlWarning, StrategyWarning
from ..preprocessing import as_federated
from ..strategies import Strategy
from ._act_checks import ACT_CHECKS
from ._aligner_checks import ALIGNER_ONLY_CHECKS
from ._fit_checks import check_step_inside_estimators
from ._strategy_checks import STRATEGY_ONLY_CHECKS
from ._strategy_fit_checks import (
    check_strategy_inside_estimators,
    check_strategy_keeps_home_at_home,
    check_strategy_of_equal_clients,
    check_strategy_of_one_client,
    check_strategy_on_every_engine,
)
from ._transform_checks import TRANSFORM_CHECKS


def _quiet(check):
    """Wrap a check: what is left out of its data on purpose need not be told."""

    @functools.wraps(check)
    def quiet_check(estimator):
        with warnings.catch_warnings():
            for category in (AlignmentWarning, NegativeControlWarning, StrategyWarning):
                warnings.simplefilter("ignore", category)
            check(estimator)

    return quiet_check


TRANSFORMER_CHECKS = [
    _quiet(c) for c in (*ACT_CHECKS, *TRANSFORM_CHECKS, check_step_inside_estimators)
]
ALIGNER_CHECKS = [*TRANSFORMER_CHECKS, *map(_quiet, ALIGNER_ONLY_CHECKS)]
STRATEGY_CHECKS = [
    _quiet(check)
    for check in (
        *STRATEGY_ONLY_CHECKS,
        check_strategy_inside_estimators,
        check_strategy_of_one_client,
        check_strategy_of_equal_clients,
        check_strategy_on_every_engine,
        check_strategy_keeps_home_at_home,
    )
]


def check_aligner(aligner):
    """Check that an aligner keeps the contract; for aligners written elsewhere.

    The single checks are in ``skfed.testing.ALIGNER_CHECKS``, for parametrised tests.
    scikit-learn's own contract is checked by
    :func:`sklearn.utils.estimator_checks.check_estimator`. The clients' columns differ
    in most of them; an aligner that declares ``needs_same_columns`` is given the same
    columns, and has to refuse other ones.

    Parameters
    ----------
    aligner : Aligner
        An unfitted aligner. It is cloned. Give a random one an integer
        ``random_state``.

    Raises
    ------
    AssertionError
        With the aligner and what it does, at the first check that fails.

    See Also
    --------
    check_federated_transformer : The same for steps before the aligner.

    Examples
    --------
    >>> from skfed.alignment import UnionAligner
    >>> from skfed.testing import check_aligner
    >>> check_aligner(UnionAligner())
    """
    if not isinstance(aligner, Aligner):
        raise TypeError(
            f"check_aligner takes a skfed.alignment.Aligner, got {aligner!r}; for "
            "other federated steps use check_federated_transformer"
        )
    for check in ALIGNER_CHECKS:
        check(aligner)


def check_federated_transformer(step):
    """Check that a federated step keeps the contract of its three acts.

    The single checks are in ``skfed.testing.TRANSFORMER_CHECKS``. A step whose tag
    ``categorical`` is set also gets a column of text.

    Parameters
    ----------
    step : FederatedTransformer or composite
        An unfitted step, or a Pipeline, ColumnTransformer or FeatureUnion that
        contains one. It is cloned. Give a random one an integer ``random_state``.

    Raises
    ------
    AssertionError
        With the step and what it does, at the first check that fails.

    See Also
    --------
    check_aligner : The same for the step that makes widths equal.

    Examples
    --------
    >>> from skfed.preprocessing import FederatedStandardScaler
    >>> from skfed.testing import check_federated_transformer
    >>> check_federated_transformer(FederatedStandardScaler())
    """
    federated = as_federated(step)
    if federated is None:
        raise TypeError(
            f"check_federated_transformer takes a step that is, or contains, a "
            f"FederatedTransformer; {step!r} is fitted on each client alone"
        )
    for check in TRANSFORMER_CHECKS:
        check(federated)


def check_strategy(strategy):
    """Check that a strategy keeps the contract of select and aggregate.

    The single checks are in ``skfed.testing.STRATEGY_CHECKS``. One of them wants
    that a single client is trained as :class:`~skfed.strategies.FedAvg` trains it; a
    method that cannot do so by nature says why in its class attribute
    ``differs_alone``, a text, and is let off.

    Parameters
    ----------
    strategy : Strategy
        It is cloned.

    Raises
    ------
    AssertionError
        With the strategy and what it does, at the first check that fails.

    Examples
    --------
    >>> from skfed.strategies import FedAvg
    >>> from skfed.testing import check_strategy
    >>> check_strategy(FedAvg())
    """
    if not isinstance(strategy, Strategy):
        raise TypeError(
            f"check_strategy takes a skfed.strategies.Strategy, got {strategy!r}"
        )
    for check in STRATEGY_CHECKS:
        check(strategy)
