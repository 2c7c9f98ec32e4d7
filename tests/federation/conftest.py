import contextlib
import importlib

import pytest


@contextlib.contextmanager
def workers():
    distributed = pytest.importorskip("distributed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, dashboard_address=":0", silence_logs=50
    )
    with cluster, distributed.Client(cluster, set_as_default=False) as client:
        client.run(importlib.import_module, "skfed.federation._dask_worker")
        yield client


@pytest.fixture(scope="module")
def dask_client():
    """A client of two worker processes on this machine."""
    with workers() as client:
        yield client


@pytest.fixture
def doomed_dask_client():
    """The same for one test, in which a client hangs: its worker is of no more use."""
    with workers() as client:
        yield client
