"""From the clients' states to what predicts: Pipelines, mixtures and their report."""

import numpy as np
import pandas as pd

from ..nets._copies import copied
from ..personalization._members import Local
from ..personalization._mixed import MixedClassifier, MixedLabelSets, MixedRegressor
from ._client_heads import client_head
from ._own import own_of, personal
from ._plan import assemble
from ._weights import set_weights

MIXED = {
    "classification": MixedClassifier,
    "multilabel": MixedLabelSets,
    "regression": MixedRegressor,
}


def client_net(result, state):
    """Return a net with the weights by which a client predicts."""
    net = copied(result.net)
    own = own_of(state)
    weights = personal(
        result.strategy, result.parts, result.weights, result.shared, own
    )
    set_weights(net, weights)
    net.module_.eval()
    return net


def head_pipeline(net, result, state, task, kind="federated"):
    """Return a client's Pipeline that ends in a head of a network.

    Parameters
    ----------
    net : skorch.NeuralNet
        The shared net, for clients without private weights.
    result : Result
        The network's result.
    state : dict
        The client's state of that network.
    task : str
        The task.
    kind : str, default="federated"
        The head.
    """
    if any(own_of(state).values()):
        net = client_net(result, state)
    classes = None if task == "regression" else np.asarray(result.classes)
    head = client_head(net, kind, state, task, classes)
    return assemble(state["fitted"], head)


def mixtures(pipelines, plan, result, states):
    """Return ``{client: mixture}``; the shared net where a client has no weights."""
    known = {"": result, **result.networks}
    nets = {
        name: client_net(one, {}) if one.coef is None else None
        for name, one in known.items()
    }
    found = {}
    for client in result.clients:
        state = states[client]
        found[client] = pipelines[client]
        if "weights" not in state:
            continue
        models = dict(state.get("own_models", {}))
        for network in plan.members:
            if isinstance(network, Local) or network.name not in known:
                continue
            if client not in known[network.name].clients:
                continue
            inner = state["scopes"][network.name] if network.name else state
            for name, kind in network.heads.items():
                if kind != "federated" and kind not in inner.get("heads", {}):
                    continue  # it failed in making this one
                one = known[network.name]
                models[name] = head_pipeline(
                    nets[network.name], one, inner, plan.task, kind
                )
        if not set(state["weights"]) <= set(models):  # it failed at one of them
            continue
        models = {name: models[name] for name in state["weights"]}
        outputs: tuple = (np.asarray(result.classes),)
        if plan.task == "regression":
            outputs = state["center"], state.get("fixed")
        found[client] = MIXED[plan.task](models, state["weights"], *outputs)
    return found


def report(result, states):
    """Return, per client and member, the weight and the evidence for it."""
    rows = []
    for client in result.clients:
        told = states[client].get("report")
        if told is None:
            continue
        for j, member in enumerate(result.members):
            rows.append(
                {
                    "client": client,
                    "member": member,
                    "weight": told["weights"][j],
                    "loss": told["losses"][j],
                    "mixture_loss": told["mixture"],
                    "n_rows": told["n_rows"],
                }
            )
    columns = ["client", "member", "weight", "loss", "mixture_loss", "n_rows"]
    frame = pd.DataFrame(rows, columns=columns)
    return frame.set_index(["client", "member"])
