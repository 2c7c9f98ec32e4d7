"""What would leave a site: the first tasks of a default fit, made and not sent."""

import tempfile
from dataclasses import replace
from pathlib import Path

from ..alignment import FactorAligner
from ..estimators import FederatedClassifier, FederatedRegressor
from ..exceptions import ClientError
from ..federation import Failure
from ..federation._envelope import Request, decode_answer, encode_request
from ..training._introduce import TASKS, introduced
from ._runner import SiteRunner
from ._source import read_site

SHOWN = ("introduce", "prepare", "describe", "align")
COMPANY = 2  # clients that the site is told of, as it would be in a federation


class _Enough(Exception):
    """The tasks to be shown are done."""


def dry_run(config, aligner="auto"):
    """Return what would leave the site until the shared net is trained.

    Parameters
    ----------
    config : SiteConfig
        The site's configuration.
    aligner : {"auto", "factor"}, default="auto"
        The aligner of the recipe. Alone a site has all columns in common with itself,
        for which "auto" takes the union; "factor" shows what leaves where they differ.

    Returns
    -------
    answers : list of (str, dict)
        Task and payload of each message, in order.
    """
    cohort = read_site(config)
    task = introduced(config.name, cohort.targets[config.name], "auto").task
    regression = TASKS[task] == "regression"
    estimator = FederatedRegressor if regression else FederatedClassifier
    with tempfile.TemporaryDirectory() as directory:
        rules = replace(config.policy, log=None, dry_run=False)
        here = replace(config, state=Path(directory), policy=rules)
        session = _Session(SiteRunner(here))
        least = config.policy.min_count
        given = {}
        if aligner != "auto":
            given["aligner"] = FactorAligner(min_count=least)
        model = estimator(
            federation=_Federation(session),
            min_count=least,
            random_state=0,
            n_rounds=1,
            **given,
        )
        try:
            model.fit()
        except _Enough:
            return session.answers
    raise ClientError("the fit ended before its first round")


class _Federation:
    """A federation of one site."""

    remote = True

    def __init__(self, session):
        self.session = session

    def open(self, handle=None, sites=None):
        return self.session


class _Session:
    """Asks one site, and notes its answers."""

    def __init__(self, runner):
        self.runner, self.clients = runner, (runner.name,)
        self.answers: list = []

    def broadcast(self, ask):
        (client,) = ask.clients
        if ask.task not in SHOWN:
            raise _Enough
        message = dict(ask.message(client))
        if "n_clients" in message:
            message["n_clients"] = COMPANY
        request = Request(ask.task, message, ask.fit, ask.number(client))
        answer = decode_answer(self.runner.answer(encode_request(request)))
        if isinstance(answer, Failure):
            raise ClientError(f"the task {ask.task!r}: {answer.reason}")
        self.answers.append((ask.task, answer))
        return {client: answer}
