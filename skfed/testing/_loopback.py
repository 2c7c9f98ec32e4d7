"""Real sites without a network: everything passes through bytes, in this process."""

from sklearn.base import BaseEstimator

from ..data._tables import sort_names
from ..exceptions import ClientError
from ..federation import Failure
from ..federation._envelope import (
    Request,
    decode_answer,
    encode_request,
)
from ..sites import SiteRunner


class LoopbackFederation(BaseEstimator):
    """Sites that own their data, in this process, behind a transport's bytes.

    Every message goes through :meth:`skfed.sites.SiteRunner.answer`, as it does where
    a network carries it.

    Parameters
    ----------
    configs : list of SiteConfig, str or Path
        The sites' configurations, or their files.
    fresh : bool, default=False
        Whether each message finds a site that has just been started, with nothing but
        what is in its directory.

    Attributes
    ----------
    remote : bool
        True: ``fit`` takes no data, as the sites own them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from sklearn.datasets import load_diabetes
    >>> from skfed import FederatedRegressor
    >>> from skfed.sites import DataConfig, SiteConfig, load_pipeline
    >>> from skfed.testing import LoopbackFederation
    >>> frame = load_diabetes(as_frame=True).frame
    >>> columns = {"a": ["age", "bmi", "bp"], "b": ["bmi", "bp", "s1"]}
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     sites = []
    ...     for k, (name, own) in enumerate(columns.items()):
    ...         path = Path(directory) / f"{name}.csv"
    ...         frame[k::2][[*own, "target"]].to_csv(path, index=False)
    ...         data, state = DataConfig(csv=path), Path(directory) / name
    ...         sites.append(SiteConfig(name, ("target",), state, data))
    ...     federation = LoopbackFederation(sites)
    ...     model = FederatedRegressor(
    ...         federation=federation, personalizer=None, n_rounds=3, random_state=0
    ...     ).fit()
    ...     predicted = load_pipeline(sites[0]).predict()
    >>> model.client_names_, predicted.shape
    (['a', 'b'], (221,))
    """

    remote = True

    def __init__(self, configs, fresh=False):
        self.configs = configs
        self.fresh = fresh

    def open(self, handle=None, sites=None):
        """Start a session.

        Parameters
        ----------
        handle, sites : None
            What a federation with the clients' tables would get; the sites have both.

        Returns
        -------
        session : object
            With the names of its ``clients``, and ``broadcast``.
        """
        return _Session(self.configs, self.fresh)


class _Session:
    may_lose = True

    def __init__(self, configs, fresh):
        self.fresh = fresh
        self._runners: dict = {}
        for config in configs:
            runner = SiteRunner(config)
            told = decode_answer(runner.answer(encode_request(Request("hello", {}))))
            if isinstance(told, Failure) or told["name"] in self._runners:
                raise ClientError(f"two sites are named {runner.name!r}")
            self._runners[told["name"]] = runner
        self.clients = tuple(sort_names(self._runners))

    def broadcast(self, ask):
        """Return ``{client: payload or Failure}``."""
        return {client: self._asked(client, ask) for client in ask.clients}

    def _asked(self, client, ask):
        runner = self._runners[client]
        if self.fresh:
            runner = SiteRunner(runner.config)
        message = ask.message(client)
        request = Request(ask.task, message, ask.fit, ask.number(client))
        return decode_answer(runner.answer(encode_request(request)))
