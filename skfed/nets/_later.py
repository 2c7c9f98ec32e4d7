"""An optimizer that is made when somebody needs it."""

import contextlib
from functools import partial

from torch.optim import Optimizer


class Later(Optimizer):
    """Stands for an optimizer, and makes it at its first use.

    torch loads its compiler with the first optimizer, which takes longer than a small
    fit; stacked clients need none.

    Parameters
    ----------
    kind : type
        Class of the optimizer.
    *args, **settings : object
        What it is made with.
    """

    def __init__(self, kind, *args, **settings):
        self.__dict__.update(_make=partial(kind, *args, **settings), _made=None)

    @property
    def now(self):
        """The optimizer itself."""
        if self.__dict__["_made"] is None:
            self.__dict__["_made"] = self.__dict__["_make"]()
        return self.__dict__["_made"]

    def __getattribute__(self, name):
        if name in ("now", "__dict__", "__class__", "__reduce_ex__"):
            return object.__getattribute__(self, name)
        return getattr(self.now, name)

    def __reduce_ex__(self, protocol):
        return _itself, (self.now,)


def _itself(optimizer):
    return optimizer


@contextlib.contextmanager
def optimizer_later(net, wanted=True):
    """Let a net's optimizer be made later, if it is initialised while this lasts.

    Parameters
    ----------
    net : skorch.NeuralNet
        The net.
    wanted : bool, default=True
        Whether to do so.
    """
    kind = net.optimizer
    if wanted:
        net.__dict__["optimizer"] = partial(Later, kind)
    try:
        yield
    finally:
        net.__dict__["optimizer"] = kind
