"""Three hospitals on one laptop: ``python -m examples.sites.three_hospitals``.

Each has a table of its own, with columns that the others lack, and keeps it. A
SuperLink and three sites are started as processes, with TLS and a key for each site;
the classifier is fitted over them, and again with all tables in this process. The
weights must be the same, bit by bit.
"""

import argparse
import signal
import sys
import tempfile
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.datasets import load_breast_cancer

from skfed import FederatedClassifier
from skfed.exceptions import AlignmentWarning
from skfed.federation import FlowerFederation

from .loopback import BIN, Loopback

COLUMNS = {  # a hospital's measurements of a tumour, and its share of the rows
    "northside": (slice(0, 10), 0.5),
    "riverside": (slice(5, 20), 0.3),
    "southgate": (slice(10, 30), 0.2),
}
CONFIG = """\
name = "{name}"
target = "malignant"
state = "{name}_state"

[data]
csv = "{name}.csv"

[policy]
min_count = 5

[flower]
superlink = "{superlink}"
root_certificates = "ca.crt"
key = "{name}.key"
"""


def main():
    """Run the demonstration; return 0 if the weights agree."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--plain", action="store_true", help="without a personalizer")
    parser.add_argument("--keep", help="directory for keys, tables, logs")
    given = parser.parse_args()
    personalizer = None if given.plain else "auto"
    model = FederatedClassifier(
        n_rounds=given.rounds, personalizer=personalizer, random_state=0, engine="loop"
    )
    warnings.simplefilter("ignore", AlignmentWarning)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # ends the others as well
    with tempfile.TemporaryDirectory() as temporary:
        directory = Path(given.keep or temporary).resolve()
        with Loopback(directory) as loop:
            for name, table in hospitals().items():
                write_site(loop, name, table)
                start_site(loop, name)
            federation = FlowerFederation(
                loop.superlink,
                root_certificates=loop.certificate,
                clients=list(COLUMNS),
            )
            start = time.monotonic()
            model.set_params(federation=federation).fit()
            seconds = time.monotonic() - start
        alike = is_same(model, in_one_process(model, directory))
    print(f"fitted over three sites in {seconds:.0f} s")
    print(bytes_by_round(model.ledger_).to_string())
    print("weights are the same in one process:", alike)
    return 0 if alike else 1


def hospitals():
    """Return ``{name: table with the target}``."""
    frame = load_breast_cancer(as_frame=True).frame.sample(frac=1, random_state=0)
    frame["malignant"] = np.where(frame.pop("target") == 0, "yes", "no")
    tables, start = {}, 0
    for name, (columns, share) in COLUMNS.items():
        end = start + int(share * len(frame))
        rows = frame.iloc[start:end]
        tables[name] = rows[[*rows.columns[columns], "malignant"]]
        start = end
    return tables


def write_site(loop, name, table):
    """Write a hospital's table and configuration, register its key; return the file."""
    table.to_csv(loop.directory / f"{name}.csv", index=False)
    config = loop.directory / f"{name}.toml"
    config.write_text(CONFIG.format(name=name, superlink=loop.superlink))
    loop.register(name, loop.make_key(name))
    return config


def start_site(loop, name):
    """Start a hospital's site."""
    config = loop.directory / f"{name}.toml"
    loop.start(name, BIN / "python", "-m", "skfed.sites", "run", config)


def in_one_process(model, directory, names=tuple(COLUMNS)):
    """Return the same fit with all tables in this process."""
    clients = {}
    for name in names:
        table = pd.read_csv(directory / f"{name}.csv")
        clients[name] = table.drop(columns="malignant"), table["malignant"]
    return clone(model).set_params(federation=None).fit(clients)


def is_same(model, other):
    """Tell whether two fits have the same weights, bit by bit."""
    own, others = (m.net_.module_.state_dict() for m in (model, other))
    return own.keys() == others.keys() and all(
        np.array_equal(own[key].numpy(), others[key].numpy()) for key in own
    )


def bytes_by_round(ledger):
    """Return the bytes that a site receives and sends, before and in the rounds."""
    phase = np.where(ledger["round"] == 0, "before and after", "in rounds")
    table = ledger.groupby([phase, "direction", "client"])["bytes"].sum()
    return table.unstack().rename_axis(index=["", "direction"])


if __name__ == "__main__":
    sys.exit(main())
