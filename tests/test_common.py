import string

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, clone
from sklearn.utils.estimator_checks import (
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
    parametrize_with_checks,
)

from skfed.testing import (
    ALIGNER_CHECKS,
    STRATEGY_CHECKS,
    TRANSFORMER_CHECKS,
    all_aligners,
    all_estimators,
    all_strategies,
    all_transformers,
    instances,
    public_classes,
)
from skfed.testing._aligner_checks import assert_same_columns_or_refused
from skfed.testing._data import make_clients


def one_line(estimator):
    return " ".join(repr(estimator).split())


def expected_failures(estimator):
    """A step that treats the rows of its fit apart cannot agree with transform."""
    reason = getattr(estimator, "differs_in_fit", "")
    checks = ("check_transformer_general", "check_transformer_data_not_an_array")
    return dict.fromkeys(checks, reason) if reason else {}


# The checks' random numbers are rare categories to the encoders, which they name.
@pytest.mark.filterwarnings("ignore:categories are left out")
# scikit-learn cannot look for NaN in a dok matrix before it converts it, and says so.
@pytest.mark.filterwarnings("ignore:Can't check dok sparse matrix for nan or inf")
@parametrize_with_checks(
    instances(all_estimators()),
    expected_failed_checks=expected_failures,
    xfail_strict=True,
)
def test_sklearn_checks(estimator, check):
    check(estimator)


@pytest.mark.parametrize("check", ALIGNER_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("aligner", instances(all_aligners()), ids=one_line)
def test_aligner_checks(aligner, check):
    check(clone(aligner))


schemas = st.dictionaries(
    st.text(string.ascii_lowercase, min_size=1, max_size=2),
    st.lists(st.sampled_from("pqrstuvw"), min_size=1, max_size=6, unique=True),
    min_size=1,
    max_size=6,
)


@pytest.mark.filterwarnings("ignore::skfed.exceptions.AlignmentWarning")
@pytest.mark.parametrize("aligner", instances(all_aligners()), ids=one_line)
@settings(max_examples=10)
@given(schemas, st.sampled_from(["classification", "regression", None]))
def test_aligner_gives_the_same_columns_for_any_schema(aligner, schema, target):
    assert_same_columns_or_refused(aligner, make_clients(schema, target, n_rows=30))


@pytest.mark.parametrize("check", TRANSFORMER_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("step", instances(all_transformers()), ids=one_line)
def test_transformer_checks(step, check):
    check(clone(step))


@pytest.mark.parametrize("check", STRATEGY_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("strategy", instances(all_strategies()), ids=one_line)
def test_strategy_checks(strategy, check):
    check(clone(strategy))


# Strategies and federations are parameters of an estimator and have no fit, so that
# scikit-learn's list does not reach them.
PARTS = [
    (name, cls)
    for name, cls in public_classes()
    if issubclass(cls, BaseEstimator) and not hasattr(cls, "fit")
]
PARAMETER_CHECKS = [
    check_get_params_invariance,
    check_no_attributes_set_in_init,
    check_parameters_default_constructible,
    check_set_params,
]


@pytest.mark.parametrize("check", PARAMETER_CHECKS, ids=lambda f: f.__name__)
@pytest.mark.parametrize("part", instances(PARTS), ids=one_line)
def test_parameter_contract_of_parts(part, check):
    check(type(part).__name__, clone(part))


def test_parts_are_found():
    assert {"FedAvg", "InProcessFederation"} <= {name for name, _ in PARTS}
