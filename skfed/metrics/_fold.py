"""One fold of a comparison: fit every model, predict the held-out rows."""

import warnings
from dataclasses import dataclass, field

import numpy as np
from sklearn.base import clone

from ..data._tables import take
from ..exceptions import AlignmentWarning, ClientError, NegativeControlWarning
from ._baselines import alone, constant, named_frames, tuned_linear, union_frame


@dataclass
class Fold:
    """What a fold found.

    Attributes
    ----------
    predictions : dict
        ``{method: {client: (predicted, proba, classes)}}`` of the test rows; the last
        two are None in regression.
    constants : dict
        ``{(method, client): reason}`` of baselines that could not be fitted and
        predict a constant; the client is None for pooled ones.
    """

    predictions: dict = field(default_factory=dict)
    constants: dict = field(default_factory=dict)


def fit_fold(estimator, X, y, task, train, test, methods):
    """Fit all methods on the training rows and predict the test rows.

    Clients without training rows, or that failed in the federated fit, are left out.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AlignmentWarning)
        warnings.simplefilter("ignore", NegativeControlWarning)
        return _fit_fold(estimator, X, y, task, train, test, methods)


def _fit_fold(estimator, X, y, task, train, test, methods):
    frames = named_frames(X.tables, getattr(estimator, "columns", "auto"))
    fit, targets = _tables(X[train], frames, y[train])
    new, _ = _tables(X[test], frames, y[test])
    federated = clone(estimator).set_params(checkpoint=None)  # of another fit
    federated.fit({name: (fit[name], targets[name]) for name in fit})
    new = {name: new[name] for name in federated.client_names_ if name in new}
    fold = Fold({"federated": _federated_predictions(federated, new)})

    def learnt(learn, table, target, method, client=None):
        try:
            return learn(estimator, table, target, task)
        except ClientError as error:
            fold.constants[method, client] = str(error)
            return constant(table, target, task)

    for method, learn in (("local", alone), ("local_linear", tuned_linear)):
        if method in methods:
            fold.predictions[method] = {
                name: _predictions(
                    learnt(learn, fit[name], targets[name], method, name), table
                )
                for name, table in new.items()
            }
    units = _units(estimator, targets, task)
    columns = sorted({column for frame in frames.values() for column in frame})
    for method, learn in (("pooled", alone), ("pooled_linear", tuned_linear)):
        if method in methods:
            union = union_frame(list(fit.values()), columns)
            scaled = [(targets[n] - mean) / scale for n, (mean, scale) in units.items()]
            target = np.concatenate(scaled if units else list(targets.values()))
            model = learnt(learn, union, target, method)
            fold.predictions[method] = {
                name: _in_units(
                    _predictions(model, union_frame([table], columns)), units.get(name)
                )
                for name, table in new.items()
            }
    return fold


def _units(estimator, targets, task):
    """Return each client's target mean and deviation, if the estimator uses them."""
    if task != "regression" or estimator.target_scaling != "client":
        return {}
    return {
        name: (y.mean(axis=0), np.where(y.std(axis=0), y.std(axis=0), 1.0))
        for name, y in targets.items()
    }


def _in_units(predictions, unit):
    """Return a pooled model's predictions in the client's own units."""
    if unit is None:
        return predictions
    mean, scale = unit
    return mean + scale * predictions[0], None, None


def _tables(X, frames, y):
    """Return the clients' rows of a subset as frames, and their targets."""
    tables, targets = {}, {}
    for name, where, _ in X.items():
        tables[name] = take(frames[name], X.row[where])
        targets[name] = y[where]
    return tables, targets


def _federated_predictions(model, tables):
    labels = model.predict(tables) if tables else {}
    if not hasattr(model, "predict_proba"):
        return {name: (labels[name], None, None) for name in labels}
    proba = model.predict_proba(tables) if tables else {}
    return {name: (labels[name], proba[name], model.classes_) for name in labels}


def _predictions(model, table):
    if not hasattr(model, "predict_proba"):
        return model.predict(table), None, None
    return model.predict(table), model.predict_proba(table), model.classes_
