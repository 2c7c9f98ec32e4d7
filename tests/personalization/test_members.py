import pytest
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor

from skfed.alignment import UnionAligner
from skfed.personalization._members import AUTO, Local, Network, Pooled, resolve


@pytest.mark.parametrize("task", list(AUTO))
def test_heads_of_the_main_network_are_one_specification(task):
    names, specs = resolve(AUTO[task], task)
    assert names == AUTO[task]
    networks = [spec for spec in specs if isinstance(spec, Network)]
    assert len(networks) == 1 and networks[0].name == ""
    assert "federated" in networks[0].heads


def test_estimators_are_local_and_aligners_are_networks():
    given = ["local", ("forest", RandomForestClassifier()), ("union", UnionAligner())]
    names, specs = resolve(given, "classification")
    assert names == ["local", "forest", "union"]
    assert [type(spec) for spec in specs] == [Local, Local, Network]
    assert specs[2].changes(5) == {"aligner": given[2][1]}


def test_members_of_the_other_task_are_left_out():
    assert resolve(["local", "prior", "pooled"], "regression")[0] == ["local", "pooled"]
    assert isinstance(resolve(["pooled"], "regression")[1][0], Pooled)


@pytest.mark.parametrize(
    "members, error, text",
    [
        (["loca"], ValueError, "unknown member 'loca'"),
        (["local", "local"], ValueError, "distinct"),
        ([("forest", RandomForestRegressor())], TypeError, "no classification model"),
        ([("what", 3)], TypeError, "give an estimator"),
        (["pooled"], ValueError, "no member"),
    ],
)
def test_bad_members_are_named(members, error, text):
    with pytest.raises(error, match=text):
        resolve(members, "classification")
