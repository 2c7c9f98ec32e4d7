"""The last step of a client's Pipeline: the trained net as a scikit-learn model."""

import copy

import numpy as np
import torch
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin

from ._prototype import net_dtype


class _ClientModel(BaseEstimator):
    """A trained net that predicts from aligned rows of one client."""

    def fit(self, X, y=None):
        """Refuse: the model is trained by the federation."""
        raise TypeError(
            "this step was trained by a federation; refit the federated estimator"
        )

    def __sklearn_is_fitted__(self):
        return True

    def __repr__(self, N_CHAR_MAX=700):
        return f"{type(self).__name__}({self.net.module.__name__})"

    def _forward(self, Z):
        """Return the module's outputs for aligned rows, in evaluation mode."""
        net = _double(self.net)
        Z = np.array(Z, dtype=np.float64, order="C")
        x = torch.as_tensor(Z, dtype=net_dtype(net), device=net.device)
        with torch.inference_mode():
            return net.infer(x)


def _double(net):
    """Return a net that shares all but its module, which is float64 and evaluates.

    In float64 a row's prediction does not depend on the rows beside it by more than
    rounding, which in float32 shows.
    """
    module = copy.deepcopy(net.module_).eval()
    if torch.device(net.device).type != "mps":  # has no float64
        module = module.double()
    twin = object.__new__(type(net))
    twin.__dict__.update(net.__dict__)
    twin.__dict__["module_"] = module
    return twin


class ClientClassifier(ClassifierMixin, _ClientModel):
    """Probabilities and labels from a trained net.

    Parameters
    ----------
    net : skorch.NeuralNetClassifier
        The trained net.
    classes : array of shape (n_classes,)
        Label of each output.
    """

    def __init__(self, net, classes):
        self.net = net
        self.classes = classes

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return np.asarray(self.classes)

    def predict_proba(self, Z):
        """Return probabilities of shape (n, n_classes) for aligned rows."""
        out = self._forward(Z).double()
        nonlinearity = self.net._get_predict_nonlinearity()
        proba = nonlinearity(out).cpu().numpy()
        return proba / proba.sum(axis=1, keepdims=True)

    def predict(self, Z):
        """Return the most probable label of each aligned row."""
        return self.classes_[self.predict_proba(Z).argmax(axis=1)]


class ClientRegressor(RegressorMixin, _ClientModel):
    """Predictions in the client's own unit from a trained net.

    Parameters
    ----------
    net : skorch.NeuralNetRegressor
        The trained net.
    mean, scale : float
        The client's target scaling: ``y = mean + scale * f(z)``.
    """

    def __init__(self, net, mean=0.0, scale=1.0):
        self.net = net
        self.mean = mean
        self.scale = scale

    def predict(self, Z):
        """Return the predicted target of each aligned row, shape (n,)."""
        out = self._forward(Z).double().cpu().numpy()
        return self.mean + self.scale * out.reshape(len(out))
