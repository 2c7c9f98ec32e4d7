"""Clients on the workers of a Dask cluster."""

import contextlib
import logging

from sklearn.base import BaseEstimator

from ..exceptions import ClientError


class DaskFederation(BaseEstimator):
    """Run the clients of a federation on the workers of a Dask cluster.

    Each client has a home on one worker, which holds its table and its state for the
    whole fit. A worker gets one message a broadcast, for all of its clients, so that
    many small clients cost little. Clients are trained one by one; the results are the
    same bits as in one process with ``engine="loop"``.

    Parameters
    ----------
    client : distributed.Client or str, default=None
        A client of a running cluster, or the address of its scheduler. None starts
        workers on this machine for each fit, and ends them with it.
    n_workers : int, default=2
        Processes to start without ``client``.
    timeout : float, default=None
        Seconds for the answers to a broadcast, unless the broadcast says it. A worker
        does its clients' tasks one after the other in that time. None waits for ever.

    Raises
    ------
    ImportError
        At the start of a fit, without ``pip install 'skfed[dask]'``.
    ClientError
        At the start of a fit, if the cluster has no worker in a process of its own.

    See Also
    --------
    skfed.data.TablePath : A table that is read by the worker.
    InProcessFederation : Clients of this process, or of joblib's.

    Notes
    -----
    *Faults.* A client that fails, or does not answer in time, is a failure of that
    client, and the fit goes on if ``min_clients`` allows. One that hangs fails at once
    from then on, until it comes to an end; the other clients of its worker move to
    another. If a worker dies, its clients move as well, with their tables but without
    their states: they are sent again what they had answered, which gives the same
    states and the same results. Without a worker that is free, they fail.

    *What leaves the client.* With :class:`~skfed.data.TablePath` the rows stay at the
    worker; at the end of the fit the clients' fitted Pipelines come to the caller. Who
    can reach a scheduler can run code on its workers: a Dask cluster is one party, not
    many.

    *Scripts.* Workers are started as new processes, which import the script that
    started them: write ``fit`` below ``if __name__ == "__main__":``.

    Examples
    --------
    >>> from skfed.federation import DaskFederation
    >>> DaskFederation(n_workers=4, timeout=60)
    DaskFederation(n_workers=4, timeout=60)
    """

    def __init__(self, client=None, n_workers=2, timeout=None):
        self.client = client
        self.n_workers = n_workers
        self.timeout = timeout

    def open(self, handle, sites):
        """Start a session of one fit.

        Parameters
        ----------
        handle : callable
            ``handle(task, payload, state, site) -> payload``, run at the client.
        sites : dict
            ``{client name: Site}``.

        Returns
        -------
        session : DaskSession
            Answers broadcasts; its ``close`` ends what this call has started.
        """
        try:
            import distributed
        except ImportError as error:
            raise ImportError(
                "DaskFederation needs Dask's distributed: pip install 'skfed[dask]'"
            ) from error
        from ._dask_session import DaskSession

        ends = contextlib.ExitStack()
        with contextlib.ExitStack() as unless_opened:
            unless_opened.enter_context(ends)
            client, more = self._connect(distributed, ends)
            _check_workers(client)
            session = DaskSession(client, handle, sites, self.timeout, more, ends.close)
            unless_opened.pop_all()
        return session

    def _connect(self, distributed, ends):
        """Return a client of the cluster, and what starts another worker if we may."""
        if isinstance(self.client, distributed.Client):
            if self.client.asynchronous:
                raise ClientError(
                    "DaskFederation needs a client that waits, and client= is one with "
                    "asynchronous=True"
                )
            return self.client, None
        if self.client is not None:
            client = distributed.Client(self.client, set_as_default=False)
            ends.callback(client.close)
            return client, None
        cluster = distributed.LocalCluster(
            n_workers=self.n_workers,
            threads_per_worker=1,
            processes=True,
            dashboard_address=":0",
            silence_logs=logging.CRITICAL,
        )
        ends.callback(cluster.close)
        client = distributed.Client(cluster, set_as_default=False)
        ends.callback(client.close)
        client.wait_for_workers(self.n_workers)
        return client, lambda: cluster.scale(self.n_workers + 1)

    def __getstate__(self):
        """Keep the address of the scheduler in place of a connection to it."""
        state = super().__getstate__()
        scheduler = getattr(self.client, "scheduler", None)
        return state if scheduler is None else {**state, "client": scheduler.address}

    def __sklearn_clone__(self):
        """Share the connection, which cannot be copied."""
        return type(self)(self.client, self.n_workers, self.timeout)


def _check_workers(client):
    """Refuse workers that are threads of this process."""
    if any(a.startswith("inproc:") for a in client.scheduler_info()["workers"]):
        raise ClientError(
            "the Dask workers are threads of this process, which would share its nets; "
            "make the cluster with processes=True"
        )
