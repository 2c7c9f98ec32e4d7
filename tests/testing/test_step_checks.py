"""Every check refuses an aligner that is wrong in one way only."""

import itertools

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skfed.alignment import Aligner, NegativeControl
from skfed.exceptions import ClientError
from skfed.preprocessing import FederatedStandardScaler
from skfed.testing import (
    ALIGNER_CHECKS,
    TRANSFORMER_CHECKS,
    check_aligner,
    check_federated_transformer,
)

COUNTER = itertools.count()


class Centred(Aligner):
    """Union of columns, centred by the mean over all clients: nothing is wrong."""

    def __init__(self, shift=0.0):
        self.shift = shift

    def _client_statistics(self, X, names, y, shared):
        self._n_columns = X.shape[1]
        return {"names": names, "sums": X.sum(axis=0), "n_rows": len(X)}

    def _merge(self, statistics, shared):
        sums, counts = {}, {}
        for message in statistics.values():
            for name, value in zip(message["names"], message["sums"], strict=True):
                sums[name] = sums.get(name, 0.0) + value
                counts[name] = counts.get(name, 0) + message["n_rows"]
        names = sorted(sums)
        return {"names": names, "mean": np.array([sums[n] / counts[n] for n in names])}

    def _fit_shared(self, X, names, y, shared):
        if X.shape[1] != self._n_columns:
            raise ValueError("another table")
        self._at = [shared["names"].index(name) for name in names]
        self.mean_ = shared["mean"]
        self.feature_names_out_ = list(shared["names"])

    def _transform(self, X):
        Z = np.zeros((len(X), len(self.mean_)))
        Z[:, self._at] = X - self.mean_[self._at] + self.shift
        return Z


class FitsOtherwise(Centred):
    def fit(self, X, y=None):
        super().fit(X, y)
        self.mean_ = self.mean_ + 1
        return self


class SendsRows(Centred):
    def _client_statistics(self, X, names, y, shared):
        message = super()._client_statistics(X, names, y, shared)
        return message | {"first": X[:, 0].copy()}


class SendsRowsAsText(Centred):
    def _client_statistics(self, X, names, y, shared):
        message = super()._client_statistics(X, names, y, shared)
        return message | {"first": ",".join(map(str, X[:, 0]))}


class SendsRowsAsList(Centred):
    def _client_statistics(self, X, names, y, shared):
        message = super()._client_statistics(X, names, y, shared)
        return message | {"first": X[:, 0].tolist()}


class SendsObjects(Centred):
    def _client_statistics(self, X, names, y, shared):
        message = super()._client_statistics(X, names, y, shared)
        return message | {"names": np.array(names, dtype=object)}


class SendsRowsWithGaps(Centred):
    accepts_nan = True

    def _client_statistics(self, X, names, y, shared):
        message = super()._client_statistics(np.nan_to_num(X), names, y, shared)
        return message | {"gaps": np.flatnonzero(np.isnan(X).any(axis=1))}

    def _transform(self, X):
        return super()._transform(np.nan_to_num(X))


class ForgetsInPickle(Centred):
    def __getstate__(self):
        state = dict(super().__getstate__())
        state.pop("_n_columns", None)
        return state


class CannotBePickled(Centred):
    def _client_statistics(self, X, names, y, shared):
        self._function = lambda: None
        return super()._client_statistics(X, names, y, shared)


class TrustsTheFirstClient(Centred):
    def _merge(self, statistics, shared):
        answer = super()._merge(statistics, shared)
        first, *_ = statistics.values()
        return answer | {"mean": answer["mean"] + first["sums"][0]}


class TrustsTheFirstRow(Centred):
    def _client_statistics(self, X, names, y, shared):
        message = super()._client_statistics(X, names, y, shared)
        return message | {"sums": message["sums"] + X[0]}


class IsRandom(Centred):
    def _merge(self, statistics, shared):
        answer = super()._merge(statistics, shared)
        return answer | {"mean": answer["mean"] + next(COUNTER) / 100}


class MovesTheGlobalGenerator(Centred):
    def _merge(self, statistics, shared):
        np.random.random()  # noqa: NPY002
        return super()._merge(statistics, shared)


class LearnsInTransform(Centred):
    def _transform(self, X):
        self.n_rows_seen_ = len(X)
        return super()._transform(X)


class CentresByTheBatch(Centred):
    def _transform(self, X):
        return super()._transform(X - X.mean(axis=0))


class TransformsWithLabels(Centred):
    def transform(self, X, y=None):
        return super().transform(X)


class LeaksLabelsInFitTransform(Centred):
    def fit_transform(self, X, y=None):
        return self.fit(X, y).transform(X) + np.reshape(y, (-1, 1))


class TreatsRowsOfFitApart(Centred):
    """Takes the mean of the others from the rows of fit, and says so."""

    differs_in_fit = "a row of fit is no part of its own mean"

    def fit_shared_transform(self, X, y, shared):
        n = len(X)
        return self.fit_shared(X, y, shared).transform(X) * n / max(n - 1, 1)


class TreatsRowsOfFitApartInSilence(TreatsRowsOfFitApart):
    differs_in_fit = ""


class SaysItTakesNaN(Centred):
    def _read(self, X, y, reset):
        if np.isnan(np.asarray(X)).any():
            raise ValueError("NaN after all")
        return super()._read(X, y, reset)

    accepts_nan = True


class TakesNaNInSilence(Centred):
    def _read(self, X, y, reset):
        return super()._read(np.nan_to_num(X) if not reset else X.fillna(0), y, reset)


class TakesNaNInTransform(Centred):
    def _read(self, X, y, reset):
        return super()._read(X if reset else X.fillna(0), y, reset)


class HandsNaNOn(Centred):
    accepts_nan = True


class ReadsFramesOtherwise(Centred):
    def _transform(self, X):
        return super()._transform(X) + hasattr(self, "feature_names_in_")


class NamesByTheClient(Centred):
    def _fit_shared(self, X, names, y, shared):
        super()._fit_shared(X, names, y, shared)
        self.feature_names_out_ = [f"{n}{len(X)}" for n in self.feature_names_out_]


class IgnoresSetOutput(Centred):
    def set_output(self, *, transform=None):
        return self


class SetsItsParameter(Centred):
    def _fit_shared(self, X, names, y, shared):
        super()._fit_shared(X, names, y, shared)
        self.shift = 1.0


class IsFittedTooEarly(Centred):
    def _check_fitted(self):
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError("not fitted")

    def _transform(self, X):
        return super()._transform(X) if hasattr(self, "mean_") else X


class FailsBeforeFit(IsFittedTooEarly):
    def _transform(self, X):
        return X - self.mean_


class KeepsItsOwnColumns(Centred):
    def _fit_shared(self, X, names, y, shared):
        super()._fit_shared(X, names, y, shared)
        self.feature_names_out_ = list(names)

    def _transform(self, X):
        return X.copy()


class RefusesWithoutNames(Centred):
    def _merge(self, statistics, shared):
        common = set.intersection(*(set(m["names"]) for m in statistics.values()))
        if not common:
            raise ClientError("the clients have nothing in common")
        return super()._merge(statistics, shared)


class RefusesWithNames(RefusesWithoutNames):
    def _merge(self, statistics, shared):
        try:
            return super()._merge(statistics, shared)
        except ClientError as error:
            raise ClientError(f"{error}: {sorted(statistics)}") from error


class RefusesOtherColumns(Centred):
    needs_same_columns = True

    def _merge(self, statistics, shared):
        first, *others = statistics.values()
        for client, message in statistics.items():
            if set(message["names"]) != set(first["names"]):
                raise ClientError(f"client {client!r} has other columns")
        return super()._merge(statistics, shared)


class RefusesOtherColumnsWithoutSayingSo(RefusesOtherColumns):
    needs_same_columns = False


class TakesOtherColumnsAfterAll(Centred):
    needs_same_columns = True


class MasksWithNumbers(Centred):
    def _fit_shared(self, X, names, y, shared):
        super()._fit_shared(X, names, y, shared)
        self.private_columns_ = np.zeros(len(self.mean_))


class MasksEverything(Centred):
    def _fit_shared(self, X, names, y, shared):
        super()._fit_shared(X, names, y, shared)
        self.private_columns_ = np.ones(len(self.mean_), dtype=bool)


class GoesByPosition(Centred):
    def _client_statistics(self, X, names, y, shared):
        names = [f"x{j}" for j in range(len(names))]
        return super()._client_statistics(X, names, y, shared)

    def _fit_shared(self, X, names, y, shared):
        super()._fit_shared(X, [f"x{j}" for j in range(len(names))], y, shared)


class GoesByPositionAndSaysSo(NegativeControl, GoesByPosition):
    why_it_fails = "column j means something else at every client"


WRONG = [
    (FitsOtherwise, "step_fit_is_the_three_acts", "three acts"),
    (SendsRows, "step_messages_do_not_follow_the_rows", "client 'a' changes its size"),
    (SendsRowsAsText, "step_messages_do_not_follow_the_rows", "number of rows"),
    (SendsRowsAsList, "step_messages_do_not_follow_the_rows", "number of rows"),
    (SendsRowsWithGaps, "step_messages_do_not_follow_the_rows", "number of rows"),
    (SendsObjects, "step_fit_is_the_three_acts", "'names' as array of Python objects"),
    (ForgetsInPickle, "step_state_can_be_pickled", "_n_columns"),
    (CannotBePickled, "step_state_can_be_pickled", "store no lambda"),
    (CannotBePickled, "step_inside_estimators", "lambda"),
    (TrustsTheFirstClient, "step_order_of_clients", "order of the clients"),
    (TrustsTheFirstRow, "step_order_of_rows", "order of the rows"),
    (IsRandom, "step_deterministic", "second fit"),
    (IsRandom, "step_inside_estimators", "the isolated fit gives other weights"),
    (MovesTheGlobalGenerator, "step_deterministic", "global random generator"),
    (LearnsInTransform, "step_transform_changes_nothing", "changes the step"),
    (CentresByTheBatch, "step_transform_sees_rows_only", "other rows"),
    (TransformsWithLabels, "step_transform_sees_rows_only", r"\['y'\]"),
    (LeaksLabelsInFitTransform, "step_transform_sees_rows_only", "fit_transform"),
    (
        TreatsRowsOfFitApartInSilence,
        "step_transform_sees_rows_only",
        r"differs from fit\(",
    ),
    (SaysItTakesNaN, "step_nan_as_the_tag_says", "NaN after all"),
    (TakesNaNInSilence, "step_nan_as_the_tag_says", "takes NaN, but not its tag"),
    (TakesNaNInTransform, "step_nan_as_the_tag_says", "transform takes NaN"),
    (HandsNaNOn, "aligner_fills_nan", "returns NaN"),
    (ReadsFramesOtherwise, "step_frame_and_array", "different numbers"),
    (NamesByTheClient, "step_same_columns_same_names", "'b' has"),
    (NamesByTheClient, "aligner_gives_all_clients_the_same_columns", "another one"),
    (IgnoresSetOutput, "step_set_output", "ignores set_output"),
    (SetsItsParameter, "step_parameters", "fit sets parameters"),
    (IsFittedTooEarly, "step_statistics_are_no_fit", "without being fitted"),
    (FailsBeforeFit, "step_statistics_are_no_fit", "raises AttributeError"),
    (KeepsItsOwnColumns, "aligner_gives_all_clients_the_same_columns", "has the col"),
    (
        RefusesWithoutNames,
        "aligner_gives_all_clients_the_same_columns",
        "names none of",
    ),
    (
        RefusesOtherColumnsWithoutSayingSo,
        "aligner_gives_all_clients_the_same_columns",
        "has other columns",
    ),
    (
        TakesOtherColumnsAfterAll,
        "aligner_gives_all_clients_the_same_columns",
        "declares needs_same_columns, and fits",
    ),
    (MasksWithNumbers, "aligner_private_columns", "float64"),
    (MasksEverything, "aligner_private_columns", "keeps all columns private"),
    (GoesByPosition, "aligner_order_of_columns", "order of the columns"),
]
BY_NAME = {check.__name__.removeprefix("check_"): check for check in ALIGNER_CHECKS}


@pytest.mark.parametrize("aligner, name, text", WRONG)
def test_check_refuses_what_is_wrong(aligner, name, text):
    with pytest.raises(Exception, match=text):
        BY_NAME[name](aligner())


def test_every_check_of_an_aligner_refuses_something():
    assert {name for _, name, _ in WRONG} == set(BY_NAME)
    assert len(BY_NAME) == len(ALIGNER_CHECKS)


@pytest.mark.parametrize(
    "aligner",
    [
        Centred(),
        Centred(shift=2.0),
        TreatsRowsOfFitApart(),
        RefusesWithNames(),
        RefusesOtherColumns(),
    ],
)
def test_sound_aligner_passes(aligner):
    check_aligner(aligner)


def test_negative_control_goes_by_position():
    BY_NAME["aligner_order_of_columns"](GoesByPositionAndSaysSo())


def test_composite_is_checked_as_a_step():
    for check in TRANSFORMER_CHECKS:
        assert check in ALIGNER_CHECKS
    with pytest.raises(TypeError, match="fitted on each client alone"):
        check_federated_transformer(StandardScaler())
    with pytest.raises(TypeError, match="use check_federated_transformer"):
        check_aligner(make_pipeline(FederatedStandardScaler(), Centred()))
