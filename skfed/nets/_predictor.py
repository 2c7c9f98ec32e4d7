"""The last step of a client's Pipeline: the trained net as a scikit-learn model."""

import copy

import numpy as np
import torch
from sklearn.base import (
    BaseEstimator,
    ClassifierMixin,
    MultiOutputMixin,
    RegressorMixin,
)

from ._copies import twin
from ._prototype import is_binary, net_dtype


class TrainedNet:
    """A skorch net with its final weights, to be shared by clients' Pipelines.

    Parameters
    ----------
    net : skorch.NeuralNet
        The initialised net.
    """

    def __init__(self, net):
        self.net = net

    def __repr__(self):
        return f"<trained {type(self.net.module_).__name__}>"

    def outputs(self, Z):
        """Return the module's outputs for aligned rows (n, q), in evaluation mode."""
        Z = np.array(Z, dtype=np.float64, order="C")
        with torch.inference_mode():
            try:
                return _infer(self._evaluating(double=True), Z)
            except (RuntimeError, TypeError):  # bound to the type it was trained in
                return _infer(self._evaluating(double=False), Z)

    def probabilities(self, Z):
        """Return what skorch makes of the outputs as probabilities, (n, n_classes)."""
        proba = self.net._get_predict_nonlinearity()(self.outputs(Z)).numpy()
        return proba / proba.sum(axis=1, keepdims=True)

    def label_probabilities(self, Z):
        """Return each label's probability, (n, C), which need not sum to 1.

        skorch takes a log-loss of logits for one of two classes, which it is not here.
        """
        of_logits = isinstance(self.net.criterion_, torch.nn.BCEWithLogitsLoss)
        if self.net.predict_nonlinearity == "auto":
            own = torch.sigmoid if of_logits else torch.nn.Identity()
        else:
            own = self.net._get_predict_nonlinearity()
        return own(self.outputs(Z)).numpy()

    def _evaluating(self, double):
        """Return a net that shares all but its module, which evaluates in float64.

        In float64 a row's prediction does not depend on the rows beside it by more
        than rounding, which in float32 shows.
        """
        module = copy.deepcopy(self.net.module_).eval()
        if double:
            module = module.double()
        return twin(self.net, module)


def _infer(net, Z):
    x = torch.as_tensor(Z, dtype=net_dtype(net), device=net.device)
    return net.infer(x).cpu().double()


class _ClientModel(BaseEstimator):
    """A trained net that predicts from aligned rows of one client."""

    def fit(self, X, y=None):
        """Refuse: the model is trained by the federation."""
        raise TypeError(
            "this step was trained by a federation; refit the federated estimator"
        )

    def __sklearn_is_fitted__(self):
        return True


class ClientClassifier(ClassifierMixin, _ClientModel):
    """Probabilities and labels from a trained net.

    Parameters
    ----------
    model : TrainedNet
        The trained net.
    classes : array of shape (n_classes,)
        Label of each output.
    """

    def __init__(self, model, classes):
        self.model = model
        self.classes = classes

    @property
    def classes_(self):
        """Label of each column of ``predict_proba``."""
        return np.asarray(self.classes)

    def predict_proba(self, Z):
        """Return probabilities of shape (n, n_classes) for aligned rows."""
        return self.model.probabilities(Z)

    def predict(self, Z):
        """Return the most probable label of each aligned row.

        A NeuralNetBinaryClassifier's own threshold decides where there is one.
        """
        proba = self.predict_proba(Z)
        if is_binary(self.model.net):
            return self.classes_[(proba[:, 1] > self.model.net.threshold).astype(int)]
        return self.classes_[proba.argmax(axis=1)]


class ClientLabelSets(MultiOutputMixin, ClientClassifier):
    """Probabilities of labels that do not exclude each other, from a trained net.

    Parameters
    ----------
    model : TrainedNet
        The trained net.
    classes : array of shape (C,)
        Label of each output.
    """

    def predict_proba(self, Z):
        """Return each label's probability, (n, C), for aligned rows."""
        return self.model.label_probabilities(Z)

    def predict(self, Z):
        """Return which labels are likelier than not, 0 or 1 of shape (n, C)."""
        return (self.predict_proba(Z) > 0.5).astype(int)


class ClientRegressor(RegressorMixin, _ClientModel):
    """Predictions in the client's own unit from a trained net.

    Parameters
    ----------
    model : TrainedNet
        The trained net.
    mean, scale : float or array of shape (m,)
        The client's target scaling: ``y = mean + scale * f(z)``.
    """

    def __init__(self, model, mean=0.0, scale=1.0):
        self.model = model
        self.mean = mean
        self.scale = scale

    def predict(self, Z):
        """Return the predicted targets of each aligned row, (n,) or (n, m)."""
        out = self.model.outputs(Z).numpy()
        if out.ndim == 1 or out.shape[1] == 1:
            out = out.reshape(len(out))
        return self.mean + self.scale * out
