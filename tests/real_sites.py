"""Small sites on disk, each with its own table and directory, for tests."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from skfed.federation import Failure
from skfed.federation._envelope import Request, decode_answer, encode_request
from skfed.sites import DataConfig, PolicyConfig, SiteConfig


def make_sites(directory, clients, **policy):
    """Write clients' tables and return their sites' configurations, and what they read.

    Parameters
    ----------
    directory : Path
        Gets a file and a directory for each site.
    clients : dict
        ``{name: (table, y)}``.
    **policy : dict
        Of all sites.
    """
    configs, here = [], {}
    for name, (table, y) in clients.items():
        path = Path(directory) / f"{name}.csv"
        y = np.asarray(y)
        target = [f"y{j}" for j in range(y.shape[1])] if y.ndim == 2 else ["y"]
        frame = table.assign(**dict(zip(target, np.atleast_2d(y.T), strict=True)))
        frame.to_csv(path, index=False)
        read = pd.read_csv(path)
        own = read[target[0]] if len(target) == 1 else read[target]
        here[name] = read[list(table.columns)], own
        configs.append(
            SiteConfig(
                name,
                tuple(target),
                Path(directory) / name,
                DataConfig(csv=path),
                PolicyConfig(**policy),
            )
        )
    return configs, here


def with_policy(config, **changes):
    """Return a site's configuration with other rules."""
    return replace(config, policy=replace(config.policy, **changes))


def ask(runner, task, payload=None, fit="fit", number=0):
    """Return a site's decoded answer to one message."""
    request = Request(task, payload or {}, fit, number)
    return decode_answer(runner.answer(encode_request(request)))


def log_of(config):
    """Return the lines of a site's log."""
    path = config.policy.log or Path(config.state) / "sent.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text().splitlines()]


def refused(answer):
    """Tell an answer with which nothing but a reason left the site."""
    return isinstance(answer, Failure) and answer.reason.startswith("Refusal: ")
