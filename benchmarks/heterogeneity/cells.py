"""The cells: which data, which dial, how many rows."""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from . import real, simulated

OVERLAPS = 0.0, 0.2, 0.5, 1.0
DIALS = {
    "linear maps": {"maps": True},
    "label shift": {"label_shift": True},
    "covariate shift": {"drift": True},
    "concept shift": {"concept": True},
    "size imbalance": {"imbalance": True},
    "everything": {
        "overlap": 0.5,
        "label_shift": True,
        "drift": True,
        "concept": True,
        "imbalance": True,
    },
}
# rows of a client in the grid of overlap x n: always, and if the wide grid is asked for
GRID = {
    "digits": ((20, 50), (100,)),
    "cancer": ((20,), (50, 100)),
    "wine": ((50,), (20,)),
    "diabetes": ((20,), (50, 100)),
    "classes": ((), (20, 50, 100)),
    "numbers": ((20, 50), (100,)),
}
MANY_ROWS = {"digits": False, "classes": True, "numbers": True}  # 500; True: if wide
OVERLAPS_OF_MANY = 0.2, 1.0
DIALLED = "digits", "diabetes"  # the others' dials are turned if wide
ALL_METHODS = "digits", "numbers", "diabetes", "house_prices", "bdf"
NEWCOMER_ROWS = {20: False, 50: False, 100: True}


class Cell(NamedTuple):
    """One cell; ``make(seed)`` draws its clients.

    ``overlap`` is the share of columns that a client keeps where that is known,
    ``wide`` marks those that are run if that is asked for, ``all_methods`` those on
    which every method is run; ``seconds`` is about what a draw takes with the base
    methods on one core.
    """

    name: str
    group: str
    data: str
    dial: str
    n: int | None
    overlap: float | None
    make: Callable
    wide: bool = False
    all_methods: bool = False
    seconds: float = 10.0


def cells():
    """Return all cells, the wide ones too; of real data only where its package is."""
    found = [*_overlap_cells(), *_dial_cells()]
    if real.available():
        found += [*_full_cells(), *_newcomer_cells()]
    return found


def quick_cells():
    """Return the few cells of ``--quick``."""
    wanted = (
        "cancer, overlap 0.2, n = 20",
        "wine, overlap 0, n = 50",
        "numbers, overlap 0.5, n = 20",
        "diabetes, covariate shift, n = 50",
        "wine, label shift, n = 50",
        "school_districts, newcomer, n = 20",
    )
    return [cell for cell in cells() if cell.name in wanted]


def _overlap_cells():
    for data, (always, wide) in GRID.items():
        grid = [(s, n, n in wide) for s in OVERLAPS for n in sorted(always + wide)]
        if data in MANY_ROWS:
            grid += [(s, 500, MANY_ROWS[data]) for s in OVERLAPS_OF_MANY]
        for overlap, n, rare in grid:
            every = n == 50 and overlap in (0.0, 0.5)
            dial = f"overlap {overlap:g}"
            yield _simulated(data, dial, n, "overlap", rare, every, overlap=overlap)
    yield _simulated("digits", "overlap 0", 60, "dial", False, False, overlap=0.0)


def _dial_cells():
    for data in GRID:
        for dial, turned in DIALS.items():
            every = dial in ("linear maps", "label shift", "everything")
            wide = data not in DIALLED
            yield _simulated(data, dial, 50, "dial", wide, every, **turned)


def _simulated(data, dial, n, group, wide, every, **turned):
    n_clients = 6 if data == "wine" else 5 if n >= 500 else 10
    make = partial(simulated.deal, data=data, n_rows=n, n_clients=n_clients, **turned)
    overlap = None if turned.get("maps") else turned.get("overlap", 1.0)
    return Cell(
        name=f"{data}, {dial}, n = {n}",
        group=group,
        data=data,
        dial=dial,
        n=n,
        overlap=overlap,
        make=make,
        wide=wide,
        all_methods=every and data in ALL_METHODS,
        seconds=n_clients * (1.3 + 0.25 * np.ceil(n / 32)),
    )


def _full_cells():
    for data, source in real.SOURCES.items():
        yield Cell(
            name=f"{data}, full",
            group="full",
            data=data,
            dial="full",
            n=None,
            overlap=None,
            make=partial(real.full, data=data),
            all_methods=data in ALL_METHODS,
            seconds=source.full,
        )


def _newcomer_cells():
    for data, source in real.SOURCES.items():
        if not source.turns:
            continue
        for n, wide in NEWCOMER_ROWS.items():
            yield Cell(
                name=f"{data}, newcomer, n = {n}",
                group="newcomer",
                data=data,
                dial="newcomer",
                n=n,
                overlap=None,
                make=partial(real.newcomer, data=data, n_rows=n),
                wide=wide,
                seconds=source.new * real.turns_of(source, n),
            )
