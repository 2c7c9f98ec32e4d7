"""Which parameters a recipe may set, by their names and wherever they stand.

A name may be a parameter's of an estimator, a key of a search's grid, or one of a net,
which takes any name: what counts is each part between ``__``.
"""

from ..exceptions import RecipeError

# parameters that name places on the machine of whoever fits, or other machines
PLACES = ("memory", "checkpoint", "federation")
# parts of a skorch net that start programs or processes, or read files
CLOSED_PARTS = (
    "compile",
    "dataset",
    "device",
    "iterator_train",
    "iterator_valid",
    "torch_load_kwargs",
)
NET_NAMES = (
    "batch_size",
    "callbacks",
    "classes",
    "criterion",
    "lr",
    "max_epochs",
    "module",
    "optimizer",
    "predict_nonlinearity",
    "threshold",
    "train_split",
    "use_caching",
    "verbose",
    "warm_start",
    "iterator_train__drop_last",
    "iterator_train__shuffle",
)
NET_PREFIXES = ("callbacks__", "criterion__", "module__", "optimizer__")
ONE_PROCESS = "n_jobs"  # how many processes a site gives is its own business
EVALUATED = "pre_dispatch"  # an expression, in scikit-learn's searches
NOT_KEYS = (ONE_PROCESS, EVALUATED)


def check_name(cls, name, place):
    """Refuse a parameter of a class that no recipe sets.

    Parameters
    ----------
    cls : type
        The class.
    name : str
        The parameter.
    place : str
        What holds the instance, for errors.
    """
    if name.split("__")[-1] in PLACES:
        raise RecipeError(f"{place}__{name} names a place at this site")
    if name.split("__")[-1] == EVALUATED:
        raise RecipeError(f"{place}__{name} is no parameter that a recipe sets")
    if _is_net(cls) and name not in NET_NAMES and not name.startswith(NET_PREFIXES):
        raise RecipeError(
            f"{place}__{name} is no parameter of a net that a recipe sets; leave it out"
        )


def check_key(key, place):
    """Refuse a key of a dict, such as a search's grid, that sets such a parameter."""
    if not isinstance(key, str):
        return
    parts = key.split("__")
    if parts[-1] in PLACES:
        raise RecipeError(f"{place}[{str(key)!r}] names a place at this site")
    closed = set(parts) & set(CLOSED_PARTS)
    if (closed and not key.endswith(NET_NAMES[-2:])) or parts[-1] in NOT_KEYS:
        raise RecipeError(
            f"{place}[{str(key)!r}] is no parameter that a recipe sets; leave it out"
        )


def _is_net(cls):
    from skorch import NeuralNet

    return issubclass(cls, NeuralNet)
