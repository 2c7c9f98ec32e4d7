"""What a checkpoint costs: bytes on disk and processor time of a round.

``python -m benchmarks.checkpoints`` cuts scikit-learn's digits into clients and fits
the default net without a personalizer, with a journal. A round's bytes are the size of
its file; its time is what writing that file took, the median over the rounds.
"""

import tempfile
import time
import warnings
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
from sklearn.datasets import load_digits

from skfed import FederatedClassifier
from skfed.exceptions import AlignmentWarning
from skfed.federation._journal import Journal
from skfed.strategies import FedAvg, Scaffold

CASES = (10, FedAvg()), (100, FedAvg()), (10, Scaffold())
N_ROUNDS = 20


def measure(n_clients, strategy):
    """Return one row of the table."""
    X, y = load_digits(return_X_y=True)
    parts = np.array_split(np.arange(len(X)), n_clients)
    spent, plain = [], Journal.write

    def write(self, asks, found, session):
        begun = time.process_time()
        plain(self, asks, found, session)
        spent.append((asks[0].task, time.process_time() - begun, self.n_steps - 1))

    Journal.write = write
    try:
        with tempfile.TemporaryDirectory() as directory, warnings.catch_warnings():
            warnings.simplefilter("ignore", AlignmentWarning)
            FederatedClassifier(
                strategy=strategy,
                personalizer=None,
                n_rounds=N_ROUNDS,
                random_state=0,
                checkpoint=directory,
            ).fit([(X[rows], y[rows]) for rows in parts])
            rounds = [own for own in spent if own[0] == "train"]
            sizes = [
                (Path(directory) / f"{step:06d}.npz").stat().st_size
                for _, _, step in rounds
            ]
    finally:
        Journal.write = plain
    return {
        "clients": n_clients,
        "strategy": type(strategy).__name__,
        "a round on disk, KB": median(sizes) / 1e3,
        "writing it, CPU ms": 1e3 * median(seconds for _, seconds, _ in rounds),
    }


def main():
    """Print the table."""
    table = pd.DataFrame([measure(*case) for case in CASES])
    print(table.to_string(index=False, float_format="{:.3g}".format))


if __name__ == "__main__":
    main()
