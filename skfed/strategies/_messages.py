"""What server and clients of a strategy know in a round, and what they ask for."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Update:
    """What one client sent back from its local training.

    Parameters
    ----------
    client : hashable
        The client's name.
    n_rows : int
        Rows it trained on.
    weights : dict
        ``{parameter name: array}``; a parameter may be absent.
    owned : dict, default={}
        ``{parameter name: bool array of shape (q,)}`` for matrices that read the
        input: the columns which are not 0 in at least ``min_count`` of its rows.
    n_steps : int, default=1
        Optimizer steps it made.
    lr : float, default=1.0
        Learning rate of these steps.
    extra : dict, default={}
        What the strategy sends besides: arrays, numbers, or dicts
        ``{parameter name: array}``.
    importance : float, default=1.0
        Factor of its weight in an average, by which clients that predict different
        quantities are balanced.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import Update
    >>> Update("a", n_rows=20, weights={"bias": np.zeros(1)}).n_rows
    20
    """

    client: Any
    n_rows: int
    weights: dict
    owned: dict = field(default_factory=dict)
    n_steps: int = 1
    lr: float = 1.0
    extra: dict = field(default_factory=dict)
    importance: float = 1.0


@dataclass
class ServerRound:
    """What the server's side of a strategy knows in a round.

    Parameters
    ----------
    sizes : dict, default={}
        ``{client: rows}`` of all clients of the fit, whether they train or not.
    round : int, default=1
        The round's number.
    buffers : frozenset of str, default=frozenset()
        Names that are no parameters: the running statistics of normalisation layers.
    memory : dict, default={}
        What the strategy keeps from round to round: arrays, numbers, or dicts
        ``{parameter name: array}``. Written by the strategy.
    holders : dict, default={}
        ``{parameter name: clients}`` of the parameters that only some clients have.

    Examples
    --------
    >>> from skfed.strategies import ServerRound
    >>> ServerRound({"a": 20, "b": 30}).round
    1
    """

    sizes: dict = field(default_factory=dict)
    round: int = 1
    buffers: frozenset = frozenset()
    memory: dict = field(default_factory=dict)
    holders: dict = field(default_factory=dict)


@dataclass
class ClientRound:
    """What the client's side of a strategy knows in a round.

    Parameters
    ----------
    weights : dict
        ``{parameter name: array}`` of the whole net: the server's weights, and the
        client's own where these stay at home.
    shared : dict, default={}
        What the strategy's server side sent besides.
    memory : dict, default={}
        What this client keeps from round to round; never sent. Written by the
        strategy.
    home : frozenset of str, default=frozenset()
        Names of the parameters that stay at home.
    target : array of shape (n,), default=None
        Class codes, or scaled targets, of the training rows.
    n_classes : int, default=0
        Number of classes; 0 in regression.
    min_count : int, default=5
        Rows that must stand behind a statistic.
    extra : dict, default={}
        What to send besides the weights, as in :class:`Update`. Written by the
        strategy.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import ClientRound
    >>> ClientRound({"bias": np.zeros(1)}).memory
    {}
    """

    weights: dict
    shared: dict = field(default_factory=dict)
    memory: dict = field(default_factory=dict)
    home: frozenset = frozenset()
    target: np.ndarray | None = None
    n_classes: int = 0
    min_count: int = 5
    extra: dict = field(default_factory=dict)


@dataclass(frozen=True)
class Train:
    """A client's request for local epochs, answered by :class:`Trained`.

    The gradient of every step becomes ``g + shift + pull * (w - anchor)``, but for
    parameters and input columns that stay at home, which follow g.

    Parameters
    ----------
    weights : dict
        Where to start: ``{parameter name: array}`` of the whole net.
    epochs : int, default=None
        Passes over the rows; None is ``local_epochs``.
    pull : float, default=0.0
        Strength of the pull to the anchor.
    anchor : dict, default=None
        Weights that pull; None is where it starts.
    shift : dict, default=None
        Arrays that are added to the gradient.
    frozen : frozenset of str, default=frozenset()
        Parameters that stay as they are.
    lr_scale : float, default=1.0
        Factor of the learning rate.
    penalty : callable, default=None
        ``penalty(representation, rows)`` returns a scalar tensor that is added to the
        loss of a batch; ``representation`` (b, h) is the input of the output layer, and
        ``rows`` (b,) are the batch's positions among the client's rows.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import Train
    >>> Train({"bias": np.zeros(1)}, pull=0.1).epochs is None
    True
    """

    weights: dict
    epochs: int | None = None
    pull: float = 0.0
    anchor: dict | None = None
    shift: dict | None = None
    frozen: frozenset = frozenset()
    lr_scale: float = 1.0
    penalty: Callable | None = None


@dataclass(frozen=True)
class Trained:
    """The answer to :class:`Train`.

    Parameters
    ----------
    weights : dict
        Where the training ended.
    loss : float
        Mean loss per row of the last epoch, without pull, shift and penalty.
    n_steps : int
        Optimizer steps.
    lr : float
        Their learning rate.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import Trained
    >>> Trained({"bias": np.zeros(1)}, loss=0.5, n_steps=3, lr=0.1).n_steps
    3
    """

    weights: dict
    loss: float
    n_steps: int
    lr: float


@dataclass(frozen=True)
class Evaluate:
    """A client's request for the mean loss of weights on its training rows, a float.

    Parameters
    ----------
    weights : dict
        ``{parameter name: array}`` of the whole net.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import Evaluate
    >>> list(Evaluate({"bias": np.zeros(1)}).weights)
    ['bias']
    """

    weights: dict


@dataclass(frozen=True)
class Represent:
    """A client's request for the input (n, h) of the output layer at its training rows.

    Parameters
    ----------
    weights : dict
        ``{parameter name: array}`` of the whole net.

    Examples
    --------
    >>> import numpy as np
    >>> from skfed.strategies import Represent
    >>> list(Represent({"bias": np.zeros(1)}).weights)
    ['bias']
    """

    weights: dict
