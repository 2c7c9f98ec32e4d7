"""The target of one plain table, checked as scikit-learn does."""

from sklearn.utils import column_or_1d
from sklearn.utils.validation import _check_y

from ..data._wide_target import as_array


def checked_plain_target(estimator, y, numeric):
    """Return a target as array of shape (n,) or (n, m)."""
    values = as_array(y)
    several = values.ndim == 2
    y = values if several else column_or_1d(y, warn=True)
    return _check_y(y, multi_output=several, y_numeric=numeric, estimator=estimator)
