"""The states of the global random generators, which no code of skfed may move."""

import random

import joblib
import numpy as np
import torch


def generator_states():
    """Return a hash of the global states of Python's, numpy's and torch's generator."""
    states = (random.getstate(), np.random.get_state(), torch.get_rng_state().numpy())  # noqa: NPY002
    return joblib.hash(states)
