"""The states of the global random generators, which no code of skfed may move."""

import random

import joblib
import numpy as np
import torch


def generator_states():
    """Return a hash of the global states of Python's, numpy's and torch's generator."""
    state = np.random.get_state()  # noqa: NPY002 - what is watched
    states = (random.getstate(), state, torch.get_rng_state().numpy())
    return joblib.hash(states)
