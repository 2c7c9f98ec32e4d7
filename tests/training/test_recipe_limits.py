"""What a recipe cannot make a site do, though all of it is of known packages."""

import json

import numpy as np
import pytest
import torch
from sklearn.compose import ColumnTransformer
from sklearn.decomposition import PCA, KernelPCA
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE, SelectKBest, VarianceThreshold
from sklearn.impute import MissingIndicator, SimpleImputer
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import FeatureUnion, Pipeline, make_pipeline
from sklearn.preprocessing import Binarizer, PolynomialFeatures, TargetEncoder
from skorch import NeuralNetClassifier

from skfed import FederatedClassifier, FederatedRegressor
from skfed.alignment import AnchorAligner, AutoAligner
from skfed.exceptions import RecipeError
from skfed.federation import DaskFederation
from skfed.nets import SkipMLP
from skfed.personalization import HierarchicalStacking
from skfed.personalization._members import Local
from skfed.preprocessing import FederatedComposite, FederatedStandardScaler, TableReader
from skfed.training._recipe import ALLOWED_CLASSES, encode, encode_plan
from skfed.training._recipe_read import Reader, decode_plan
from tests.training.test_recipe import of_class, plan_of, with_node


def read(**parameters):
    """Return a recipe's plan as a site decodes it."""
    return decode_plan(encode_plan(plan_of(FederatedClassifier(**parameters))))


@pytest.mark.parametrize(
    "node",
    [
        of_class("skfed.estimators.FederatedRegressor"),
        of_class("skfed.FederatedRegressor", personalizer=None),
        of_class("skfed.federation.DaskFederation", address="tcp://there:8786"),
        of_class("skfed.federation.FlowerFederation"),
        of_class("skfed.testing.LoopbackFederation", configs=[]),
        of_class("skfed.metrics.ClientScorer"),
        of_class("skfed.nets._predictor.ClientClassifier"),
        of_class("skfed.sites.SiteModel"),
        of_class("sklearn.utils._mocking.CheckingClassifier"),
        of_class("sklearn.frozen.FrozenEstimator", estimator=1),
        of_class("sklearn.feature_extraction.text.CountVectorizer"),
        of_class("skorch.hf.AccelerateMixin"),
        of_class("skorch.llm.ZeroShotClassifier"),
        of_class("skorch.helper.SliceDataset", dataset=1),
        of_class("skorch.net.torch.fx.GraphModule"),
        {"type": "skorch.net.torch.fx.GraphModule"},
        {"type": "torch.nn.parallel.DistributedDataParallel"},
        {"type": "torch.nn.DataParallel"},
    ],
)
def test_known_packages_have_classes_that_no_recipe_names(node):
    local = encode(Local("x", "given"), "it")
    member = {**local, "params": {**local["params"], "estimator": node}}
    for change in ({"members": [member]}, {"aligner": node}):
        with pytest.raises(RecipeError, match="no recipe|site allows|single rows"):
            decode_plan(with_node(change))
    node = encode(LogisticRegression(), "it")
    member["params"]["estimator"] = node
    assert decode_plan(with_node({"members": [member]}))


@pytest.mark.parametrize("name", ["skfed.FederatedRegressor", "skfed.estimators"])
def test_no_list_makes_a_site_fit_a_federation(name):
    node = encode(FederatedRegressor(), "it")
    with pytest.raises(RecipeError, match="no recipe is made"):
        Reader((*ALLOWED_CLASSES, name), 1).decode(node, "it")


def test_a_driver_reads_its_own_estimator_without_places():
    reader = Reader(ALLOWED_CLASSES, 1, estimators=True)
    node = encode(FederatedRegressor(n_rounds=3), "it")
    assert reader.decode(node, "it").n_rounds == 3
    for name in ("checkpoint", "federation", "memory"):
        node["params"] = {name: "/tmp"}
        with pytest.raises(RecipeError, match="names a place"):
            reader.decode(node, "it")
    with pytest.raises(RecipeError, match="federation"):
        encode(FederatedRegressor(federation=DaskFederation("tcp://there:1")), "it")


@pytest.mark.parametrize(
    "parameters",
    [
        {"compile": True},
        {"compile__options": {"cpp.cxx": ["/bin/true"]}},
        {"device": "cuda"},
        {"iterator_train__num_workers": 2},
        {"iterator_valid__num_workers": 2},
        {"iterator_train": {"type": "torch.nn.Linear"}},
        {"dataset__length": 3},
        {"torch_load_kwargs": {"dict": []}},
        {"anything": 1},
    ],
)
def test_nets_take_no_other_parameters(parameters):
    net = of_class("skorch.NeuralNet", module={"type": "torch.nn.Linear"}, **parameters)
    with pytest.raises(RecipeError, match="no parameter of a net"):
        decode_plan(with_node({"net": net}))


def test_a_net_that_sites_refuse_is_refused_before():
    net = NeuralNetClassifier(SkipMLP, device="cuda")
    with pytest.raises(RecipeError, match="net__device"):
        encode(net, "net")


def test_usual_parameters_of_nets_pass():
    net = NeuralNetClassifier(
        SkipMLP,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        optimizer__weight_decay=0.1,
        module__hidden=4,
        lr=0.1,
        max_epochs=3,
        batch_size=8,
        train_split=None,
        callbacks="disable",
        verbose=0,
        warm_start=True,
        classes=[0, 1],
    )
    assert read(net=net).net.optimizer__weight_decay == 0.1


@pytest.mark.parametrize(
    "key",
    [
        "memory",
        "a__memory",
        "a__federation",
        "checkpoint",
        "net__compile",
        "net__compile__options",
        "net__device",
        "net__iterator_train__num_workers",
        "a__n_jobs",
        "pre_dispatch",
    ],
)
def test_a_grid_does_not_set_what_a_parameter_may_not(key):
    search = GridSearchCV(make_pipeline(Ridge()), {key: ["/tmp"]})
    for name in (key, np.str_(key)):
        search.param_grid = {name: ["/tmp"]}
        node = encode(search, "it")
        with pytest.raises(RecipeError, match=key.rpartition("__")[2]):
            Reader(ALLOWED_CLASSES, 1).decode(node, "it")


def test_a_site_gives_one_process():
    personalizer = HierarchicalStacking(
        members=[("x", RandomForestClassifier(n_jobs=8))]
    )
    (member,) = [m for m in read(personalizer=personalizer).members if m.name == "x"]
    assert member.estimator.n_jobs is None


WITHIN = [
    lambda step: step,
    lambda step: make_pipeline(step, FederatedStandardScaler()),
    lambda step: Pipeline([("a", FeatureUnion([("b", step)]))]),
    lambda step: ColumnTransformer([("a", "passthrough", ["x"])], remainder=step),
    lambda step: FederatedComposite(make_pipeline(step, FederatedStandardScaler())),
]


@pytest.mark.parametrize("within", WITHIN)
@pytest.mark.parametrize(
    "step",
    [
        MissingIndicator(),
        VarianceThreshold(),
        SelectKBest(k=1),
        RFE(LogisticRegression()),
        SimpleImputer(),
        SimpleImputer(add_indicator=True, keep_empty_features=True),
        PCA(n_components=0.95),
        PCA(n_components="mle"),
        KernelPCA(),
        TargetEncoder(),
        GridSearchCV(make_pipeline(PCA(), Ridge()), {"pca__n_components": [1, 2]}),
    ],
    ids=repr,
)
@pytest.mark.parametrize("slot", ["encoder", "aligner"])
def test_columns_that_depend_on_cells_are_refused(slot, step, within):
    text = json.loads(with_node({slot: encode(within(step), slot)}))
    with pytest.raises(RecipeError, match="may tell values of single rows"):
        decode_plan(json.dumps(text))
    found = json.loads(with_node({}))
    cls = type(step)
    name = f"{cls.__module__}.{cls.__name__}"
    found["plan"][slot] = encode(step, slot)
    assert decode_plan(json.dumps(found), allowed=(*ALLOWED_CLASSES, name))


@pytest.mark.parametrize(
    "step",
    [
        Binarizer(),
        PolynomialFeatures(),
        PCA(),
        PCA(n_components=2),
        SimpleImputer(keep_empty_features=True),
        MissingIndicator(features="all"),
        TargetEncoder(target_type="continuous"),
    ],
    ids=repr,
)
def test_columns_that_follow_from_the_parameters_pass(step):
    for within in WITHIN:
        assert read(encoder=within(step), aligner="passthrough")


@pytest.mark.parametrize("within", WITHIN)
def test_a_reader_behind_other_steps_tells_which_columns_are_empty(within):
    with pytest.raises(RecipeError, match="TableReader.*a site reads first"):
        read(encoder=within(TableReader()))


def test_a_member_of_the_client_alone_may_search():
    search = GridSearchCV(
        make_pipeline(PCA(), LogisticRegression()), {"pca__whiten": [1]}
    )
    assert read(personalizer=HierarchicalStacking(members=[("x", search)]))


def test_an_aligner_of_one_more_network_is_looked_at_too():
    personalizer = HierarchicalStacking(
        members=["federated", ("x", make_pipeline(PCA(n_components=0.5)))]
    )
    with pytest.raises(RecipeError, match=r"members\[\d\]__aligner"):
        read(personalizer=personalizer)


def test_a_list_may_have_the_public_name():
    step = encode(SelectKBest(k=1), "it")
    name = "sklearn.feature_selection.SelectKBest"
    assert Reader((*ALLOWED_CLASSES, name), 1).decode(step, "it").k == 1
    assert Reader((name,), 1).decode(step, "it").k == 1


@pytest.mark.parametrize("aligner", [AnchorAligner([1, 2]), AutoAligner(anchors=[1])])
def test_anchors_ask_the_site(aligner):
    text = encode_plan(plan_of(FederatedClassifier(aligner=make_pipeline(aligner))))
    with pytest.raises(RecipeError, match=r"policy\.anchors"):
        decode_plan(text, anchors=False)
    assert decode_plan(text, anchors=True)


@pytest.mark.parametrize(
    "node",
    [
        {"array": "<U16384", "shape": [2000], "values": [1] * 2000},
        {"array": "<U16384", "shape": [2000], "values": ["a"] * 2000},
        {"array": "<U16384", "shape": [1], "values": ["a"]},
        {"array": "<U0", "shape": [1], "values": [""]},
        {"array": "S8", "shape": [1], "values": ["a"]},
        {"array": "V8", "shape": [1], "values": [1]},
    ],
)
def test_small_texts_make_no_large_arrays(node):
    with pytest.raises(RecipeError, match="texts|arrays"):
        Reader(ALLOWED_CLASSES, 1).decode(node, "it")
