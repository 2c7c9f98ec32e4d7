"""Whole fits in which a client goes wrong on a Dask worker."""

import os
import signal
import time
import warnings

import pytest
import torch
from skorch import NeuralNetClassifier

from skfed import FederatedClassifier, TooFewClientsError
from skfed.exceptions import ClientFailureWarning
from skfed.federation import DaskFederation
from skfed.nets import SkipMLP
from tests.clients import make_clients, same_weights

FAULTY = 55  # rows of client "b", by which its batch is told apart


class FaultyLoss(torch.nn.CrossEntropyLoss):
    """Goes wrong for one client from its third training step on."""

    def __init__(self, kind, folder):
        super().__init__()
        self.kind, self.folder = kind, folder

    def forward(self, output, target):
        loss = super().forward(output, target)
        if len(target) != FAULTY or not output.requires_grad:
            return loss
        with open(os.path.join(self.folder, "steps"), "a+b") as file:
            file.write(b".")
            steps = file.tell()
        if steps < 3:
            return loss
        if self.kind == "raise":
            raise KeyError("bad")
        if self.kind == "hang":
            time.sleep(600)
        if self.kind == "nan":
            return loss * float("nan")
        flag = os.path.join(self.folder, "killed")
        if self.kind == "kill" and not os.path.exists(flag):
            open(flag, "w").close()
            os.kill(os.getpid(), signal.SIGKILL)
        return loss


def fitted(kind, folder, federation=None, **parameters):
    folder.mkdir(exist_ok=True)
    net = NeuralNetClassifier(
        SkipMLP,
        criterion=FaultyLoss,
        criterion__kind=kind,
        criterion__folder=str(folder),
        batch_size=-1,
    )
    given = {"n_rounds": 5, "personalizer": None, "min_clients": 2, **parameters}
    model = FederatedClassifier(
        net=net, engine="loop", random_state=0, federation=federation, **given
    )
    return model.fit(make_clients())


@pytest.mark.slow
def test_a_worker_killed_in_a_round_changes_no_bit(dask_client, tmp_path):
    known = fitted("none", tmp_path / "here")
    found = fitted("kill", tmp_path / "there", DaskFederation(dask_client))
    assert (tmp_path / "there" / "killed").exists()
    assert same_weights(known, found)
    assert len(found.history_) == 15
    dask_client.wait_for_workers(2)


def with_warnings(*arguments):
    """Fit; return the estimator and what it warned of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model = fitted(*arguments)
    assert {w.category for w in caught} == {ClientFailureWarning}
    assert all("client 'b'" in str(w.message) for w in caught)
    return model, [str(w.message) for w in caught]


def assert_same_fit(first, second):
    assert same_weights(first, second)
    assert list(first.history_["client"]) == list(second.history_["client"])


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["raise", "nan"])
def test_a_client_that_goes_wrong_does_as_in_one_process(kind, dask_client, tmp_path):
    known, texts = with_warnings(kind, tmp_path / "here")
    found, told = with_warnings(kind, tmp_path / "there", DaskFederation(dask_client))
    assert_same_fit(known, found)
    assert len(texts) == len(told)


@pytest.mark.slow
def test_a_client_that_hangs_is_as_one_that_fails(doomed_dask_client, tmp_path):
    known, _ = with_warnings("raise", tmp_path / "here")
    fitted("none", tmp_path / "warm", DaskFederation(doomed_dask_client))
    federation = DaskFederation(doomed_dask_client, timeout=20)
    found, told = with_warnings("hang", tmp_path / "there", federation)
    assert "no answer within 20 s" in told[0]
    assert all("at work for client 'b', which hangs" in text for text in told[1:])
    assert_same_fit(known, found)


@pytest.mark.slow
def test_too_few_clients_end_the_fit_with_their_names(doomed_dask_client, tmp_path):
    fitted("none", tmp_path / "warm", DaskFederation(doomed_dask_client))
    federation = DaskFederation(doomed_dask_client, timeout=20)
    text = "client 'b' failed in task 'train' of round 3: no answer within 20 s"
    with pytest.raises(TooFewClientsError, match=text):
        fitted("hang", tmp_path / "there", federation, min_clients=None)
