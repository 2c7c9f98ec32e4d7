import json
import re
from dataclasses import fields

import numpy as np
import pytest
import torch
from sklearn.compose import ColumnTransformer, make_column_selector
from sklearn.model_selection import KFold
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import FunctionTransformer, OrdinalEncoder, StandardScaler
from skorch import NeuralNetClassifier, NeuralNetRegressor
from skorch.callbacks import EpochScoring, GradientNormClipping

from skfed import FederatedClassifier, FederatedMultiTask, FederatedRegressor
from skfed.alignment import FactorAligner, ScoreAligner, UnionAligner
from skfed.data._reader import read_clients
from skfed.exceptions import RecipeError
from skfed.nets import SkipMLP
from skfed.personalization import Personalizer
from skfed.preprocessing import TableEncoder
from skfed.strategies import FedProx
from skfed.testing import (
    all_aligners,
    all_strategies,
    all_transformers,
    instances,
    public_classes,
)
from skfed.training._recipe import encode, encode_plan
from skfed.training._recipe_read import Reader, decode_plan
from tests.clients import make_clients


def plan_of(estimator, task="classification"):
    cohort = read_clients(make_clients(task))
    (group,) = estimator._groups(cohort, {})
    return group.plan


def told(value):
    """Describe a value with all that is in it, down to what compares by itself."""
    if isinstance(value, np.ndarray):
        return value.dtype.str, value.shape, value.tolist()
    if isinstance(value, list | tuple):
        return type(value), [told(item) for item in value]
    if isinstance(value, dict):
        return {key: told(item) for key, item in value.items()}
    if hasattr(value, "get_params"):
        given = value.get_params(deep=False).items()
        own = {k: told(v) for k, v in given if not k.startswith("_")}
        return type(value), own
    if hasattr(value, "__dict__") and not isinstance(value, type) and vars(value):
        return type(value), {key: told(item) for key, item in vars(value).items()}
    return type(value), value


def back(value):
    """Return a value that has been text in between."""
    node = json.loads(json.dumps(encode(value, "it")))
    return Reader(("skfed", "sklearn", "skorch", "torch.nn", "torch.optim"), 1).decode(
        node, "it"
    )


def personalizers():
    found = [cls for _, cls in public_classes() if issubclass(cls, Personalizer)]
    return [cls() for cls in found]


@pytest.mark.parametrize(
    "part",
    [
        *instances(all_aligners()),
        *instances(all_strategies()),
        *instances([p for p in all_transformers() if p[0] != "FederatedComposite"]),
        *personalizers(),
    ],
    ids=repr,
)
def test_every_part_comes_back_as_it_was(part):
    assert told(back(part)) == told(part)


@pytest.mark.parametrize(
    "value",
    [
        None,
        True,
        3,
        0.1,
        float("inf"),
        "text",
        [1, None, "a"],
        (1, (2.5, "b")),
        {"a": 1, 2: [3]},
        {(1, "x"): None},
        slice(1, None, 2),
        np.float32(0.1),
        np.int64(7),
        np.bool_(True),
        np.str_("name"),
        np.arange(6.0).reshape(2, 3),
        np.array(["a", "bc"]),
        np.array(["a", 1, None], dtype=object),
        np.zeros((0, 2)),
        np.dtype("float32"),
        np.float32,
        float,
        torch.float64,
        torch.sigmoid,
        np.log1p,
        torch.nn.ReLU,
        torch.optim.AdamW,
        SkipMLP,
        KFold(3, shuffle=True, random_state=0),
        make_column_selector(dtype_include="number"),
    ],
    # without addresses, which differ from process to process
    ids=lambda value: re.sub(r" at 0x\w+", "", repr(value)),
)
def test_values_come_back_as_they_were(value):
    found = back(value)
    assert told(found) == told(value)
    assert back({1, 2}) == {1, 2}
    assert np.isnan(back(float("nan")))


PIPELINE = Pipeline(
    [
        (
            "columns",
            ColumnTransformer(
                [
                    ("text", OrdinalEncoder(dtype=np.float32), ["kind"]),
                    ("rest", "passthrough", make_column_selector(dtype_include=float)),
                ],
                remainder=StandardScaler(with_mean=False),
            ),
        ),
        ("inner", make_pipeline(FunctionTransformer(np.exp), StandardScaler())),
    ]
)
NET = NeuralNetClassifier(
    SkipMLP,
    criterion=torch.nn.CrossEntropyLoss,
    optimizer=torch.optim.AdamW,
    lr=np.float32(0.1),
    module__hidden=(8, 4),
    optimizer__betas=(0.8, 0.9),
    callbacks=[("clip", GradientNormClipping(1.0))],
    iterator_train__shuffle=True,
)


@pytest.mark.parametrize(
    "estimator, task",
    [
        (FederatedClassifier(), "classification"),
        (FederatedRegressor(), "regression"),
        (FederatedMultiTask(), "classification"),
        (FederatedClassifier(PIPELINE, net=NET, strategy=FedProx(mu=0.1)), None),
        (
            FederatedClassifier(
                TableEncoder(min_count=7),
                make_pipeline(FactorAligner(n_components=2), UnionAligner()),
                n_rounds=np.int64(3),
                classes=np.array([0, 1, 2]),
                random_state=1,
            ),
            None,
        ),
        (
            FederatedRegressor(
                net=NeuralNetRegressor(SkipMLP, train_split=None), personalizer=None
            ),
            "regression",
        ),
    ],
)
def test_recipes_come_back_as_they_were(estimator, task):
    plan = plan_of(estimator, task or "classification")
    text = encode_plan(plan)
    found = decode_plan(text)
    for one in fields(plan):
        if not one.name.startswith("_"):
            assert told(getattr(found, one.name)) == told(getattr(plan, one.name))
    assert encode_plan(found) == text


def local_class():
    class Mine(FactorAligner):
        pass

    return Mine()


@pytest.mark.parametrize(
    "change, name, remedy",
    [
        ({"encoder": FunctionTransformer(lambda X: X)}, "encoder__func", "function"),
        ({"aligner": local_class()}, "aligner", "installed at every site"),
        ({"net": NeuralNetClassifier(SkipMLP())}, "net__module", "give its class"),
        (
            {"encoder": make_pipeline(StandardScaler(), memory="/tmp/cache")},
            "encoder__memory",
            "leave it out",
        ),
        (
            {"aligner": ScoreAligner(cv=np.random.default_rng(0))},
            "aligner__cv",
            "give an int",
        ),
        (
            {
                "encoder": FunctionTransformer(
                    kw_args={"a": np.datetime64("2020-01-01")}
                )
            },
            "encoder__kw_args['a']",
            "numbers or texts",
        ),
    ],
)
def test_what_cannot_be_written_is_named(change, name, remedy):
    plan = plan_of(FederatedClassifier(random_state=0))
    for field, value in change.items():
        setattr(plan, field, value)
    with pytest.raises(RecipeError) as caught:
        encode_plan(plan)
    assert str(caught.value).startswith(name)
    assert remedy in str(caught.value)


def test_the_fit_before_stays_with_the_server():
    plan = plan_of(FederatedClassifier(random_state=0))
    plan.before = object()
    assert decode_plan(encode_plan(plan)).before is None


def with_node(change):
    """Return a recipe of which a part has been replaced."""
    recipe = json.loads(encode_plan(plan_of(FederatedClassifier(random_state=0))))
    recipe["plan"] |= change
    return json.dumps(recipe)


def of_class(name, **params):
    return {"class": name, "params": params}


@pytest.mark.parametrize(
    "change, why",
    [
        ({"aligner": of_class("subprocess.Popen", args="true")}, "allows"),
        ({"aligner": of_class("os.system", command="true")}, "allows"),
        ({"aligner": of_class("sklearnx.Evil")}, "allows"),
        ({"aligner": of_class("sklearn.utils.os.system")}, "cannot be read|made"),
        ({"aligner": of_class("sklearn.utils._testing.Path")}, "cannot be read|made"),
        ({"aligner": of_class("sklearn.__main__")}, "no name of a class"),
        ({"aligner": of_class("sklearn.base.clone", estimator=1)}, "no recipe"),
        ({"aligner": of_class("skfed.sites.SiteRunner", config="x")}, "no recipe"),
        ({"aligner": of_class("torch.nn.Linear", in_features=1)}, "no recipe"),
        ({"aligner": of_class("skfed.alignment.Nothing")}, "cannot be read"),
        ({"aligner": of_class("skfed.nothing.Nothing")}, "cannot be read"),
        (
            {"aligner": of_class("skfed.alignment.FactorAligner", hm=1)},
            "cannot be read",
        ),
        ({"aligner": {"type": "sklearn.base.BaseEstimator"}}, "no recipe"),
        ({"aligner": {"torch function": "load"}}, "names a function"),
        ({"aligner": {"torch dtype": "load"}}, "should be"),
        ({"aligner": {"ufunc": "load"}}, "should be"),
        ({"aligner": {"numpy type": "memmap"}}, "should be"),
        ({"aligner": {"builtin": "eval"}}, "cannot be read"),
        ({"aligner": {"function": "eval"}}, "unknown kind"),
        ({"aligner": {"scalar": "O", "value": 1}}, "no recipe holds"),
        ({"aligner": {"scalar": "<U99999999", "value": "a"}}, "no recipe holds"),
        ({"aligner": {}}, "cannot be read"),
        (
            {"encoder": of_class("sklearn.pipeline.Pipeline", steps=[], memory="/tmp")},
            "names a place",
        ),
        (
            {
                "net": of_class(
                    "skorch.NeuralNetClassifier",
                    module={"type": "torch.nn.Linear"},
                    callbacks=[
                        of_class("skorch.callbacks.Checkpoint", dirname="/tmp/x")
                    ],
                )
            },
            "callbacks do not run",
        ),
        ({"n_rounds": "many"}, "cannot be"),
        ({"n_rounds": True}, "cannot be"),
        ({"heads": []}, "cannot be"),
        ({"min_count": 4}, "min_count"),
        ({"min_count": {"scalar": "<i8", "value": 4}}, "min_count"),
        ({"min_count": "5"}, "min_count"),
        ({"min_count": float("nan")}, "min_count"),
        (
            {"aligner": of_class("skfed.alignment.FactorAligner", min_count=4)},
            "aligner__min_count",
        ),
        (
            {
                "encoder": of_class(
                    "sklearn.pipeline.Pipeline",
                    steps=[
                        {
                            "tuple": [
                                "a",
                                of_class(
                                    "skfed.preprocessing.TableEncoder", min_count=1
                                ),
                            ]
                        }
                    ],
                )
            },
            "min_count",
        ),
    ],
)
def test_what_may_not_be_read_is_refused(change, why):
    with pytest.raises(RecipeError, match=why):
        decode_plan(with_node(change), min_count=5)


def test_a_default_below_the_floor_is_refused():
    text = with_node({"min_count": 10})
    with pytest.raises(RecipeError, match="min_count=5 is less than"):
        decode_plan(text, min_count=10)


def test_deep_and_broken_texts_are_refused():
    nest = 0
    for _ in range(100):
        nest = [nest]
    with pytest.raises(RecipeError, match="too deeply"):
        decode_plan(with_node({"classes": nest}))
    for text in ("", "[]", "{", "[" * 100_000, '{"format": 99}'):
        with pytest.raises(RecipeError):
            decode_plan(text)
    recipe = json.loads(with_node({}))
    for broken in ({**recipe, "skfed": "0.0"}, {**recipe, "plan": {}}):
        with pytest.raises(RecipeError, match="install the same|the parts"):
            decode_plan(json.dumps(broken))


def test_a_site_may_allow_less():
    text = with_node({})
    with pytest.raises(RecipeError, match="allows"):
        decode_plan(text, allowed=("skfed", "sklearn"))


def test_callbacks_other_than_clipping_are_not_written_into_recipes():
    net = NeuralNetClassifier(SkipMLP, callbacks=[("s", EpochScoring("accuracy"))])
    plan = plan_of(FederatedClassifier(net=net, random_state=0))
    with pytest.raises(RecipeError, match="net__callbacks.*GradientNormClipping"):
        encode_plan(plan)
