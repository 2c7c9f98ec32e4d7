import pytest

from skfed import FederatedClassifier, FederatedMultiTask, FederatedRegressor
from tests.clients import make_clients

SMALL = {"personalizer": None, "n_rounds": 3, "random_state": 0}


@pytest.fixture(autouse=True)
def drawn():
    """Draw every figure that a test leaves, as a user would, and close it."""
    pytest.importorskip("matplotlib").use("Agg")
    from matplotlib import pyplot as plt

    yield
    for number in plt.get_fignums():
        plt.figure(number).canvas.draw()
    plt.close("all")


@pytest.fixture(scope="session")
def clients():
    return make_clients(text_labels=True)


@pytest.fixture(scope="session")
def classifier(clients):
    return FederatedClassifier(**SMALL).fit(clients)


@pytest.fixture(scope="session")
def houses():
    """Clients that predict numbers, with names that are no plain text."""
    names = [3, ("b", 1), "_ward $12$ of a hospital with quite a long name"]
    parts = make_clients("regression").values()
    return dict(zip(names, parts, strict=True))


@pytest.fixture(scope="session")
def regressor(houses):
    return FederatedRegressor(**SMALL).fit(houses)


@pytest.fixture(scope="session")
def both(clients):
    """Two clients that predict numbers, and one that predicts classes."""
    return make_clients("regression") | {"c": clients["c"]}


@pytest.fixture(scope="session")
def multi_task(both):
    return FederatedMultiTask(**SMALL).fit(both)
