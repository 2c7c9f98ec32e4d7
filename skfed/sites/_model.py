"""What a site predicts by, kept in its directory after a fit."""

import pickle
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..exceptions import ClientError
from ..training._recipe import skfed_version
from ._config import SiteConfig
from ._read_config import read_config
from ._source import read_table
from ._store import write_whole

FILE = "pipeline.pkl"


@dataclass(frozen=True)
class SiteModel:
    """A site's part of a fitted federation.

    Parameters
    ----------
    config : SiteConfig
        The site's configuration.
    fit : str
        The fit that it comes from.
    pipeline : Pipeline
        The site's steps and the shared net.
    predictor : estimator
        What predicts: the personalizer's mixture, or the Pipeline without one.
    report : DataFrame or None
        The weights of the mixture and the evidence for them.

    Examples
    --------
    What a site keeps is built by a fit; here by hand:

    >>> import pandas as pd
    >>> from pathlib import Path
    >>> from sklearn.dummy import DummyRegressor
    >>> from skfed.sites import DataConfig, SiteConfig, SiteModel
    >>> X = pd.DataFrame({"area": [70.0, 90.0]})
    >>> mean = DummyRegressor().fit(X, [200.0, 260.0])
    >>> data = DataConfig(csv=Path("houses.csv"))
    >>> config = SiteConfig("north", ("price",), Path("north"), data)
    >>> SiteModel(config, "a fit", mean, mean, None).predict(X)
    array([230., 230.])
    """

    config: SiteConfig
    fit: str
    pipeline: Any
    predictor: Any
    report: Any

    def predict(self, X=None):
        """Predict the target of each row.

        Parameters
        ----------
        X : DataFrame of shape (n, d), default=None
            Rows with the columns of the fit; None is the site's own table.

        Returns
        -------
        y : array of shape (n,) or (n, m)
            Labels or numbers.
        """
        return self.predictor.predict(self._table(X))

    def predict_proba(self, X=None):
        """Return the probabilities of the labels, columns in the order of ``classes_``.

        Parameters
        ----------
        X : DataFrame of shape (n, d), default=None
            Rows with the columns of the fit; None is the site's own table.

        Returns
        -------
        proba : array of shape (n, n_classes)
            Rows sum to 1.
        """
        return self.predictor.predict_proba(self._table(X))

    def _table(self, X):
        return read_table(self.config)[0] if X is None else X


def save_model(directory, fit, kept):
    """Write what a site predicts by; the site alone reads it back."""
    found = {"skfed": skfed_version(), "fit": fit, **kept}
    data = pickle.dumps(found, protocol=pickle.HIGHEST_PROTOCOL)
    write_whole(directory / FILE, data)


def load_pipeline(config):
    """Return what a site predicts by after a fit.

    Parameters
    ----------
    config : SiteConfig, str or Path
        The site's configuration, or its file.

    Returns
    -------
    model : SiteModel
        Predicts for the site's rows.

    Raises
    ------
    ClientError
        If no fit has ended at this site, or it was one of another skfed.

    Notes
    -----
    The file is a pickle that this site has written itself: load none from elsewhere.
    """
    if not isinstance(config, SiteConfig):
        config = read_config(config)
    path = Path(config.state) / FILE
    if not path.exists():
        raise ClientError(
            f"site {config.name!r} has no Pipeline yet: no fit has ended, and there is "
            f"no {path}"
        )
    found = pickle.loads(path.read_bytes())
    if found.pop("skfed") != skfed_version():
        raise ClientError(
            f"{path} was written by another version of skfed; install that, or fit anew"
        )
    return SiteModel(config, **found)
