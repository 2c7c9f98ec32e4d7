"""Whole fits in which a client goes wrong on a Dask worker."""

import os
import signal
import time

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


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["raise", "nan"])
def test_a_client_that_goes_wrong_does_as_in_one_process(kind, dask_client, tmp_path):
    with pytest.warns(ClientFailureWarning, match="client 'b'"):
        known = fitted(kind, tmp_path / "here")
    with pytest.warns(ClientFailureWarning, match="client 'b'"):
        found = fitted(kind, tmp_path / "there", DaskFederation(dask_client))
    assert same_weights(known, found)
    assert list(found.history_["client"]) == list(known.history_["client"])


@pytest.mark.slow
def test_a_client_that_hangs_is_as_one_that_fails(doomed_dask_client, tmp_path):
    with pytest.warns(ClientFailureWarning, match="client 'b'"):
        known = fitted("raise", tmp_path / "here")
    federation = DaskFederation(doomed_dask_client, timeout=20)
    begun = time.monotonic()
    with pytest.warns(ClientFailureWarning, match="no answer within 20 s"):
        found = fitted("hang", tmp_path / "there", federation)
    assert time.monotonic() - begun < 100  # it is waited for once only
    assert same_weights(known, found)
    assert list(found.history_["client"]) == list(known.history_["client"])


@pytest.mark.slow
def test_too_few_clients_end_the_fit_with_their_names(doomed_dask_client, tmp_path):
    federation = DaskFederation(doomed_dask_client, timeout=20)
    text = "client 'b' failed in task 'train' of round 3: no answer within 20 s"
    with pytest.raises(TooFewClientsError, match=text):
        fitted("hang", tmp_path / "there", federation, min_clients=None)
