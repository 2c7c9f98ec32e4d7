import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from skfed.testing import (
    ALIGNER_CHECKS,
    STRATEGY_CHECKS,
    TRANSFORMER_CHECKS,
    all_aligners,
    all_estimators,
    all_strategies,
    all_transformers,
    instances,
)


def one_line(estimator):
    return " ".join(repr(estimator).split())


# The checks' random numbers are rare categories to the encoders, which they name.
@pytest.mark.filterwarnings("ignore:categories are left out")
# scikit-learn cannot look for NaN in a dok matrix before it converts it, and says so.
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix for nan or inf")
@parametrize_with_checks(instances(all_estimators()), xfail_strict=True)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", ALIGNER_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("aligner", instances(all_aligners()), ids=one_line)
def test_aligner_checks(aligner, check):
    check(clone(aligner))


@pytest.mark.parametrize("check", TRANSFORMER_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("step", instances(all_transformers()), ids=one_line)
def test_transformer_checks(step, check):
    check(clone(step))


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("strategy", instances(all_strategies()), ids=one_line)
def test_strategy_checks(strategy, check):
    check(clone(strategy))
