import inspect

import pytest
from sklearn.base import BaseEstimator

import skfed.testing
from skfed.alignment import Aligner, FactorAligner, PadAligner
from skfed.estimators import FederatedClassifier, FederatedRegressor
from skfed.preprocessing import FederatedComposite, FederatedTransformer, TableReader
from skfed.strategies import FedAvg, Strategy
from skfed.testing import (
    all_aligners,
    all_estimators,
    all_strategies,
    all_transformers,
    instances,
    public_classes,
)
from skfed.testing._instances import INNER, PARAMETERS


def classes(found):
    return {cls for _, cls in found}


def test_each_kind_is_found_once():
    aligners, strategies = classes(all_aligners()), classes(all_strategies())
    steps, estimators = classes(all_transformers()), classes(all_estimators())
    assert {FactorAligner, PadAligner} <= aligners
    assert FedAvg in strategies
    assert FederatedComposite in steps
    assert {FederatedClassifier, FederatedRegressor, TableReader} <= estimators
    assert aligners | steps < estimators
    assert not aligners & steps
    assert not strategies & estimators
    assert not {Aligner, FederatedTransformer, Strategy} & (
        aligners | steps | estimators | strategies
    )
    names = [name for name, _ in public_classes()]
    assert names == sorted(set(names))


def test_new_class_needs_its_import_line_only(monkeypatch):
    class HospitalAligner(FactorAligner):
        pass

    HospitalAligner.__module__ = "skfed.alignment._hospital"
    assert HospitalAligner not in classes(all_aligners())
    monkeypatch.setattr(
        "skfed.alignment.HospitalAligner", HospitalAligner, raising=False
    )
    with_name = [*skfed.alignment.__all__, "HospitalAligner"]
    monkeypatch.setattr("skfed.alignment.__all__", with_name)
    assert ("HospitalAligner", HospitalAligner) in all_aligners()
    assert ("HospitalAligner", HospitalAligner) in all_estimators()
    assert [type(one) for one in instances([("HospitalAligner", HospitalAligner)])] == [
        HospitalAligner
    ]


def test_classes_of_others_are_not_taken_for_ours(monkeypatch):
    monkeypatch.setattr("skfed.alignment.BaseEstimator", BaseEstimator, raising=False)
    with_name = [*skfed.alignment.__all__, "BaseEstimator"]
    monkeypatch.setattr("skfed.alignment.__all__", with_name)
    assert BaseEstimator not in classes(public_classes())


def test_table_of_parameters_has_no_stale_entry():
    found = dict(public_classes())
    assert set(PARAMETERS) | set(INNER) <= set(found)
    for name, variants in PARAMETERS.items():
        known = inspect.signature(found[name]).parameters
        for given in variants:
            assert set(given) <= set(known)


def test_every_class_has_an_instance():
    found = [*all_estimators(), *all_strategies()]
    built = instances(found)
    assert {type(one) for one in built} == classes(found)
    assert len(built) >= len(found)


def test_class_that_needs_arguments_is_refused():
    class Needy(BaseEstimator):
        def __init__(self, table):
            self.table = table

    with pytest.raises(TypeError, match="table"):
        instances([("Needy", Needy)])
