"""Federated versions of scikit-learn's preprocessing, equal to a pooled fit."""

from ._composite import FederatedComposite, as_federated, federated_leaves
from ._federated import FederatedTransformer
from ._one_hot_encoder import FederatedOneHotEncoder
from ._quantile_transformer import FederatedQuantileTransformer
from ._simple_imputer import FederatedSimpleImputer
from ._standard_scaler import FederatedStandardScaler
from ._table_encoder import TableEncoder
from ._table_reader import TableReader

__all__ = [
    "FederatedComposite",
    "FederatedOneHotEncoder",
    "FederatedQuantileTransformer",
    "FederatedSimpleImputer",
    "FederatedStandardScaler",
    "FederatedTransformer",
    "TableEncoder",
    "TableReader",
    "as_federated",
    "federated_leaves",
]
