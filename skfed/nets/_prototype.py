"""From the user's skorch net as prototype to a net of the aligned width."""

import difflib
import inspect
from typing import Any

import torch
from sklearn.base import clone
from skorch import (
    NeuralNet,
    NeuralNetBinaryClassifier,
    NeuralNetClassifier,
    NeuralNetRegressor,
)
from skorch.classifier import NeuralNetClassifier as _Classifier
from torch import nn

from ._later import optimizer_later
from ._losses import TargetwiseBCELoss, TargetwiseMSELoss
from ._modules import SkipMLP

INPUT_NAMES = (
    "n_inputs", "n_features", "n_features_in", "in_features", "num_features",
    "input_dim", "input_size", "input_units", "n_in", "d_in",
)  # fmt: skip
OUTPUT_NAMES = (
    "n_outputs", "n_classes", "n_outputs_out", "out_features", "num_classes",
    "output_dim", "output_size", "output_units", "n_out", "d_out",
)  # fmt: skip
WEIGHT_DECAY = {"classification": 0.01, "multilabel": 0.01, "regression": 0.03}
NETS: dict[str, tuple[Any, dict]] = {
    "classification": (NeuralNetClassifier, {"criterion": nn.CrossEntropyLoss}),
    "multilabel": (
        NeuralNet,
        {"criterion": TargetwiseBCELoss, "predict_nonlinearity": torch.sigmoid},
    ),
    "regression": (NeuralNetRegressor, {"criterion": nn.MSELoss}),
}
ACCEPTED = {
    "classification": (_Classifier, NeuralNetBinaryClassifier),
    "multilabel": (NeuralNet,),
    "regression": (NeuralNetRegressor,),
}
EXCLUSIVE = (nn.CrossEntropyLoss, nn.NLLLoss)  # their labels sum to 1
PREFIXES = ("module", "criterion", "optimizer")


def default_net(task):
    """Return the default skorch net for a task.

    Its learning rate is a placeholder: a fit sets it from the aligned rows.
    """
    shared = {
        "optimizer": torch.optim.SGD,
        "lr": 0.05,
        "batch_size": 32,
        "train_split": None,
        "callbacks": "disable",
        "verbose": 0,
        "optimizer__weight_decay": WEIGHT_DECAY[task],
    }
    kind, own = NETS[task]
    return kind(SkipMLP, **own, **shared)


def for_outputs(net, task, n_outputs):
    """Return the default net with the loss for that many outputs."""
    if task != "regression" or n_outputs == 1:
        return net
    return clone(net).set_params(criterion=TargetwiseMSELoss)


def check_net(net, task):
    """Raise a clear error before any client is touched if a net cannot be used.

    skorch accepts any parameter name with ``__`` and complains only when the net is
    initialised; here names are checked against the signatures of module, criterion
    and optimizer.
    """
    wanted = ACCEPTED[task][0]
    if isinstance(net, type) or not isinstance(net, ACCEPTED[task]):
        name = net.__name__ if isinstance(net, type) else type(net).__name__
        raise TypeError(
            f"net is {name}; {task} takes an instance of skorch's {wanted.__name__}"
        )
    if task == "multilabel":
        _check_label_sets(net)
    if isinstance(net.module, nn.Module):
        raise TypeError(
            "net holds a module instance, which would be trained in place; pass the "
            f"class {type(net.module).__name__} and its arguments as module__..."
        )
    attributes = set(inspect.signature(type(net).__init__).parameters)
    attributes |= set(inspect.signature(wanted.__mro__[1].__init__).parameters)
    for key in vars(net):
        if "__" not in key or key.startswith("_"):
            continue
        prefix, _, rest = key.partition("__")
        if prefix in PREFIXES:
            _check_name(net, prefix, rest)
        elif prefix not in ("callbacks", "dataset", "iterator_train", "iterator_valid"):
            _unknown(f"net__{key}", prefix, PREFIXES)


def _check_label_sets(net):
    criterion = net.criterion
    kind = criterion if isinstance(criterion, type) else type(criterion)
    if is_binary(net) or (isinstance(kind, type) and issubclass(kind, EXCLUSIVE)):
        raise TypeError(
            f"net is a {type(net).__name__} with {kind.__name__}, and y has several "
            "labels a row, which do not exclude each other; use "
            "skorch.NeuralNet(..., criterion=torch.nn.BCEWithLogitsLoss)"
        )


def _check_name(net, prefix, name):
    owner = getattr(net, prefix)
    if name.startswith("param_groups") or not callable(owner):
        return
    parameters = inspect.signature(owner).parameters
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return
    if name not in parameters:
        _unknown(f"net__{prefix}__{name}", name, parameters)


def _unknown(key, name, valid):
    valid = [v for v in valid if v not in ("self", "params")]
    close = difflib.get_close_matches(name, valid, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    raise ValueError(
        f"{key!r} is not a parameter of the net: {name!r} is none of {valid}{hint}"
    )


def build_net(net, n_inputs, n_outputs, seed, later=False):
    """Return a clone of the prototype, initialised for the aligned width.

    Parameters
    ----------
    net : skorch.NeuralNet
        The prototype; its module's input and output width are set where the module
        takes a parameter for them that the user has not set.
    n_inputs, n_outputs : int
        Aligned width and number of outputs.
    seed : int
        Seed of the initial weights; torch's global generator does not move.
    later : bool, default=False
        Whether its optimizer is made when it is needed; its settings are not checked
        before.

    Returns
    -------
    net : skorch.NeuralNet
        The initialised net.

    Raises
    ------
    ValueError
        If the module has nothing to average or cannot take the aligned width.
    """
    net = clone(net)
    params: dict = {"verbose": 0}
    parameters = inspect.signature(net.module).parameters
    for names, width in ((INPUT_NAMES, n_inputs), (OUTPUT_NAMES, n_outputs)):
        for name in names:
            key = f"module__{name}"
            if name in parameters and key not in vars(net):
                params[key] = width
    if isinstance(net, _Classifier) and net.classes is None:
        params["classes"] = list(range(n_outputs))
    net.set_params(**params)
    with torch.random.fork_rng(devices=[]), optimizer_later(net, later):
        torch.manual_seed(seed)
        try:
            net.initialize()
        except (TypeError, ValueError) as error:
            _check_learns(net)
            raise ValueError(
                f"the net cannot be initialised for {n_inputs} aligned columns: {error}"
            ) from error
        _check_width(net, n_inputs, n_outputs)
    return net


def _check_learns(net):
    module = getattr(net, "module_", None)
    if module is not None and not any(p.requires_grad for p in module.parameters()):
        raise ValueError(
            f"the net's module {type(module).__name__} has no parameters to average; "
            "a federation needs a module that learns"
        )


def _check_width(net, n_inputs, n_outputs):
    _check_learns(net)
    x = torch.zeros(2, n_inputs, dtype=net_dtype(net), device=net.device)
    net.module_.eval()
    try:
        with torch.no_grad():
            out = net.infer(x)
    except RuntimeError as error:
        raise ValueError(
            f"the net's module {type(net.module_).__name__} does not take the aligned "
            f"width {n_inputs}; give it a parameter named n_inputs (skfed sets it): "
            f"{error}"
        ) from error
    if out.ndim != 2 and not is_binary(net):
        raise ValueError(
            f"the net's module returns shape {tuple(out.shape)} for 2 rows; it has to "
            f"return a column for each output, here (2, {n_outputs})"
        )
    width = out.shape[1] if out.ndim > 1 else 1
    if width != n_outputs:
        raise ValueError(
            f"the net's module returns {width} outputs where {n_outputs} are needed; "
            "give it a parameter named n_outputs (skfed sets it)"
        )


def is_binary(net):
    """Tell a net with one output for two classes."""
    return isinstance(net, NeuralNetBinaryClassifier)


def n_outputs(net, task, n_classes, n_targets=1):
    """Return how many outputs the net needs."""
    if task != "classification":
        return n_targets
    return 1 if is_binary(net) else n_classes


def net_dtype(net):
    """Return the floating type of a net's parameters."""
    for parameter in net.module_.parameters():
        if parameter.is_floating_point():
            return parameter.dtype
    return torch.get_default_dtype()


def input_parameters(net, n_inputs):
    """Return the names of the weight matrices that read the input columns.

    A matrix (h, n_inputs) reads the input when zeroed input columns get a gradient
    of exactly zero and the others do not; found by two backward passes, so that it
    holds for any module, whatever its layers are called.
    """
    found: list[str] = []
    candidates = {
        name: p
        for name, p in net.module_.named_parameters()
        if p.ndim == 2 and p.shape[1] == n_inputs and p.requires_grad
    }
    if not candidates:
        return found
    net.module_.eval()
    with torch.random.fork_rng(devices=[]), torch.enable_grad():
        torch.manual_seed(0)
        even = torch.arange(n_inputs) % 2 == 0
        grads = []
        for kept in (even, ~even):
            x = torch.randn(64, n_inputs, dtype=net_dtype(net)) * kept
            out = net.infer(x.to(net.device))
            loss = (out * torch.randn_like(out)).sum()
            grads.append(
                torch.autograd.grad(loss, list(candidates.values()), allow_unused=True)
            )
    for name, with_even, with_odd in zip(candidates, *grads, strict=True):
        if with_even is None:
            continue
        even_cols = with_even.abs().sum(0).cpu()
        odd_cols = with_odd.abs().sum(0).cpu()
        silent = not even_cols[~even].any() and not odd_cols[even].any()
        if silent and (even_cols[even].any() or odd_cols[~even].any()):
            found.append(name)
    return found
