"""What a server takes for an answer: names, kinds, shapes and finite numbers.

One function for each task makes ``Broadcast.expects``. Whether updates are finite is
left to the rounds, which first try a smaller step, and whether statistics fit each
other to those who merge them.
"""

import math
from numbers import Integral, Real

import numpy as np

from ._answers import STATISTIC
from ._weights import EXTRA, PREFIX

MOST = 2**53  # that a float holds exactly; no count is as large
OF_A_ROUND = "n_rows", "n_steps", "lr", "loss", "seconds"
MOST_COLUMNS = 2**20  # and labels: the net's first and last layer grow with them


def described(groups, labelled=True):
    """Return what answers to "describe" have to be, of clients with a target or not."""

    def expects(client, answer):
        plan, labels = groups.of(client).plan, answer.get("labels")
        m = answer.get("n_targets", 1)
        wanted = {"n_rows": whole(1)}
        if "columns" in answer:
            wanted["columns"] = texts
        else:
            wanted["width"] = whole(1, MOST_COLUMNS)
        if not labelled:
            return problem(answer, wanted)
        if "n_targets" in answer or plan.task == "multilabel":
            wanted["n_targets"] = whole(2, MOST_COLUMNS)
        if plan.task != "regression":
            wanted["labels"] = _labels
        if plan.task == "classification" and plan.tells_labels:
            n_labels = len(labels) if isinstance(labels, list) else 0
            wanted["label_counts"] = numbers((n_labels,), least=0)
        if plan.tells_target and "target_n" in answer:
            shape = () if m == 1 else (m,)
            wanted["target_mean"] = numbers(shape)
            wanted["target_m2"] = numbers(shape, least=0)
            wanted["target_n"] = whole(1)
        return problem(answer, wanted)

    return expects


def aligned(groups):
    """Return what answers to "align" have to be: statistics, or the end."""
    steps = [step for _, _, step in groups.plan.steps()]
    gaps = {name for step in steps for name in _may_be_nan(step)}

    def expects(client, answer):
        if "done" not in answer:
            place = {"position": whole(0, len(steps) - 1), "exchange": whole(0)}
            return problem(answer, place) or statistics(client, answer, gaps)
        names = answer.get("names")
        flags = _flags(len(names) if isinstance(names, list) else 0)
        wanted = {"names": texts, "owned": flags, "private": flags}
        if not groups.of(client).plan.own_lr:
            wanted["curvature"] = numbers((), least=0)
        return problem(answer, wanted)

    return expects


def trained(groups):
    """Return what updates have to be, but for being finite."""
    known = {
        group.name: {n: value.shape for n, value in group.result.weights.items()}
        for group in groups
    }
    of_a_round = {
        "n_rows": whole(1),
        "n_steps": whole(0),
        "lr": numbers((), least=0),
        "loss": numbers((), finite=False),
        "seconds": numbers((), least=0),
    }

    def expects(client, answer):
        shapes = known[groups.of(client).name]
        for name, shape in shapes.items():
            value = answer.get(PREFIX + name)
            if not isinstance(value, np.ndarray) or value.shape != shape:
                wanted = {PREFIX + name: numbers(shape, finite=False)}
                return problem(answer, wanted)
        for entry in answer:
            if not entry.startswith(EXTRA):
                continue
            name = entry[len(EXTRA) :].partition("/")[2]  # of a parameter
            if name in shapes:
                text = problem(answer, {entry: numbers(shapes[name], finite=False)})
                if text is not None:
                    return text
        return None if _usual(answer) else problem(answer, of_a_round)

    return expects


def _usual(answer):
    """Tell at once whether the numbers of a round are right: it is asked often."""
    n_rows, n_steps, lr, loss, seconds = map(answer.get, OF_A_ROUND)
    return (
        type(n_rows) is type(n_steps) is int
        and type(lr) is type(loss) is type(seconds) is float
        and 1 <= n_rows <= MOST
        and 0 <= n_steps <= MOST
        and 0 <= lr < math.inf
        and 0 <= seconds < math.inf
    )


def evaluated(client, answer):
    """Say what is wrong with an answer to "evaluate"."""
    return problem(answer, {"loss": _a_loss, "n": whole(0)})


def dealt(n_folds):
    """Return what answers to "split" have to be."""

    def expects(client, answer):
        return problem(answer, {"n_rows": numbers((n_folds,), least=0)})

    return expects


def summed(width):
    """Return what answers to "moments" have to be, for a model of some width."""

    def expects(client, answer):
        if "moments" not in answer:
            return problem(answer, {"n_rows": whole(1)})
        n = width + len(np.atleast_1d(answer.get("targets", 0)))
        return problem(answer, {"n_rows": whole(1), "moments": numbers((n, n))})

    return expects


def statistics(client, answer, gaps=()):
    """Say what is wrong with statistics: all are finite, but those with gaps."""
    for name, value in answer.items():
        last = name.removeprefix(STATISTIC).rpartition(":")[2]  # steps inside steps
        if name.startswith(STATISTIC) and not _finite(value) and last not in gaps:
            return f"sent {name.removeprefix(STATISTIC)!r} with NaN or infinity"
    return None


def _may_be_nan(step):
    """Yield the names of statistics that may be NaN, of a step and those inside it."""
    parts = step.get_params(deep=True).values() if hasattr(step, "get_params") else ()
    for part in (step, *parts):
        yield from getattr(part, "may_be_nan", ())


def problem(answer, wanted):
    """Say what is wrong with an answer's entries, or return None."""
    for name, check in wanted.items():
        if name not in answer:
            told = ", ".join(repr(own[:50]) for own in list(answer)[:5]) or "nothing"
            return f"sent no {name!r}, but {told}"
        text = check(answer[name])
        if text is not None:
            return f"sent {name!r} {text}"
    return None


def whole(least, most=MOST):
    """Return a check of whole numbers."""

    def check(value):
        if isinstance(value, bool) or not isinstance(value, Integral):
            return f"as {_kind(value)}; expected a whole number"
        if value < least or value > most:
            told = value if abs(int(value)) <= MOST else "beyond 2**53"
            return f"= {told}; expected {least} " + (
                "or more" if most == MOST else f"to {most}"
            )
        return None

    return check


def numbers(shape, finite=True, least=None):
    """Return a check of real numbers in an array of some shape."""

    def check(value):
        real = isinstance(value, np.ndarray | Real) and not isinstance(value, bool)
        if type(value) is int and abs(value) > MOST:
            return "beyond 2**53"
        if not real or np.asarray(value).dtype.kind not in "iuf":
            return f"as {_kind(value)}; expected numbers"
        if np.shape(value) != tuple(shape):
            return f"of shape {np.shape(value)}; expected {tuple(shape)}"
        if finite and not _finite(value):
            return "with NaN or infinity"
        if least is None or (value >= least if shape == () else (value >= least).all()):
            return None
        return f"with a number below {least:g}"

    return check


def texts(value):
    """Say what is wrong with a list of names."""
    if not isinstance(value, list) or not all(isinstance(v, str) for v in value):
        return f"as {_kind(value)}; expected names"
    return _too_many(value)


def _labels(value):
    if not isinstance(value, list):
        return f"as {_kind(value)}; expected a list"
    if any(type(label) is int and abs(label) >= 2**64 for label in value):
        return "with a number that no array holds"
    return _too_many(value) if _finite(value) else "with NaN or infinity"


def _too_many(values):
    n = len(values)
    return f"with {n} entries, more than {MOST_COLUMNS}" if n > MOST_COLUMNS else None


def _flags(n):
    def check(value):
        if getattr(getattr(value, "dtype", None), "kind", "") != "b":
            return f"as {_kind(value)}; expected flags"
        if value.shape != (n,):
            return f"of shape {value.shape}; expected {(n,)}"
        return None

    return check


def _a_loss(value):
    if isinstance(value, bool) or not isinstance(value, Real):
        return f"as {_kind(value)}; expected a number"
    return (
        None
        if value == value and value != -math.inf
        else f"= {value}, which is no loss"
    )


def _finite(value):
    if isinstance(value, list):
        return all(not isinstance(v, float) or np.isfinite(v) for v in value)
    kind = np.asarray(value).dtype.kind
    return bool(np.isfinite(value).all()) if kind in "fc" else True


def _kind(value):
    dtype = getattr(value, "dtype", None)
    return f"array of {dtype}" if dtype is not None else type(value).__name__
