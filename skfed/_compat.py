"""The only file that imports private or version-dependent names."""

from sklearn.base import _fit_context as fit_context
from sklearn.utils import _safe_indexing as safe_indexing
from sklearn.utils.validation import _check_feature_names as check_feature_names

__all__ = ["check_feature_names", "fit_context", "safe_indexing"]
