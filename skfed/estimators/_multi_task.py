"""Federated estimation where clients predict different things."""

import numpy as np
from sklearn.utils import ClassifierTags, RegressorTags
from sklearn.utils.metaestimators import available_if

from .._compat import StrOptions
from ..data._pool import values_of
from ..exceptions import ClientError
from ..training._introduce import TASKS
from ._base import BaseFederated
from ._client_scores import ClientScoresMixin
from ._introductions import is_remote
from ._plain_target import checked_plain_target
from ._task_groups import groups_of, read_targets
from ._task_newcomers import TaskNewcomerMixin


def _predicts_classes(estimator):
    """Tell whether there are probabilities to predict."""
    if hasattr(estimator, "target_classes_"):
        return bool(estimator.target_classes_)
    given = estimator.tasks
    return not (isinstance(given, str) and TASKS.get(given) == "regression")


class FederatedMultiTask(TaskNewcomerMixin, ClientScoresMixin, BaseFederated):
    """Estimator of clients that predict different things, classes or numbers.

    Each client's task is detected or given. All clients align their tables and train
    the layers of a net before the last one, the trunk, together; the last layer, the
    head, is trained by the clients that predict the same quantity, with the loss of
    their task. Where all do, the result is that of :class:`FederatedClassifier` or
    :class:`FederatedRegressor`, bit for bit.

    Parameters
    ----------
    encoder, aligner : "auto", "passthrough" or transformer, default="auto"
        As in :class:`FederatedClassifier`. Where targets differ, steps that read them
        get labels which carry the quantity's name; a third of a client's numbers is
        "low", a third "middle", a third "high".
    classifier_net : skorch.NeuralNetClassifier, default=None
        Prototype of the nets for classes; for several labels a row, a skorch.NeuralNet
        as :class:`FederatedClassifier` takes it. None is the default net.
    regressor_net : skorch.NeuralNetRegressor, default=None
        The same for numbers. The two must be alike up to the last layer.
    strategy : Strategy, default=None
        Who trains and how updates are combined; None is
        :class:`~skfed.strategies.FedAvg`.
    federation : Federation, default=None
        Where the clients run; None is in this process. With one of real sites ``fit``
        takes no data, and the clients' Pipelines and mixtures stay there.
    tasks : "auto", str or dict, default="auto"
        What each client predicts: "binary", "multiclass", "regression",
        "multioutput_regression", "multilabel", or "classification" for one of the
        first two; one for all or ``{client: task}``. "auto", and clients that a dict
        leaves out, go by :func:`sklearn.utils.multiclass.type_of_target`, but that more
        than 20 different whole numbers, or more than one in two rows, are a quantity,
        with a warning.
    target_names : str or dict, default=None
        ``{client: name}`` of the quantity that a client's target is, or one for all.
        Clients with the same name and kind of target share a head, and their labels
        mean the same to an aligner. Under one name some may have a number and others
        classes of it: if the labels are numbers themselves, these are taken as ordered,
        and numbers of the same rank mean the same to an aligner. None takes all classes
        for one quantity (text and numbers for two), and all numbers for another.
    balance : {"uncertainty", "equal", None}, default="uncertainty"
        How much the quantities count for the trunk. "uncertainty": each the inverse
        of its training loss, in units of what a constant loses [1]_. "equal": all the
        same. None: their rows.
    personalizer : "auto", Personalizer or None, default="auto"
        What each client makes of the shared net, as in :class:`FederatedClassifier`;
        what clients learn of each other's mixtures stays within a quantity.
    engine : {"auto", "stacked", "fused", "loop"}, default="auto"
        How clients that run in one process are trained. "loop": one after the other by
        the skorch net. "stacked": all at once by batched arithmetic on their stacked
        weights. "fused": the same with a product a layer and padded batches, for
        perceptrons. "auto": "fused" for the default net, "stacked" for a net of yours,
        and "loop" for what neither can do, or fewer than three clients; ``engine_`` and
        ``engine_reason_`` say which and why. The user guide tells more.
    columns : {"auto", "position", "own"}, default="auto"
        What unnamed columns mean, as in :class:`FederatedClassifier`.
    client_column : str, default=None
        Column that names the client, when ``X`` is one DataFrame.
    unseen : {"error", "align"}, default="error"
        As in :class:`FederatedClassifier`; "align" needs a single quantity.
    classes : dict, default=None
        ``{target name: labels}``, where labels are known that no client may have.
    absent : {"model", "zero"}, default="model"
        As in :class:`FederatedClassifier`, for the clients that predict classes.
    heads : {"auto", "shared", "local"}, default="auto"
        The same.
    target_scaling : {"client", "pooled", None}, default="client"
        As in :class:`FederatedRegressor`, within each quantity.
    n_rounds : int, default=100
        Communication rounds.
    local_epochs : int, default=1
        Passes of a client over its rows in each round.
    client_fraction : float, default=1.0
        Share of the clients that train in a round.
    client_sampling : {"uniform", "size", "round_robin"}, default="uniform"
        How these are chosen.
    min_clients : int, default=None
        Clients that must answer for the fit to go on; None needs all.
    min_count : int, default=5
        Rows that must stand behind any statistic that the default encoder and aligner
        send.
    early_stopping : bool, default=False
        Whether to stop when the clients' validation loss no longer falls; losses count
        in units of what a constant loses.
    validation_fraction : float, default=0.1
        Share of each client's rows that is held out for it.
    n_iter_no_change : int, default=10
        Rounds without improvement before stopping.
    tol : float, default=1e-4
        Least fall of the loss that counts as improvement.
    warm_start : bool, default=False
        Whether a second fit starts from the nets of the first.
    checkpoint : str or path, default=None
        Directory in which the fit keeps a journal, made if it does not exist. A fit
        that was interrupted goes on from there, to the same bits, if it is made again
        with the same parameters and tables; see :doc:`/user_guide/failures`.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, batches and client selection.
    verbose : int, default=0
        1 prints about ten lines a fit, 2 a line per round.

    Attributes
    ----------
    tasks_ : dict
        ``{client: task}``, names as in ``tasks``.
    target_names_ : dict
        ``{client: quantity}``; clients with the same one share a head.
    target_classes_ : dict
        ``{quantity: sorted labels}`` of those that are classes.
    client_classes_ : dict
        ``{client: its labels}`` of those that predict classes.
    heads_ : dict
        ``{quantity: "shared" or "local"}`` of those that are classes.
    nets_ : dict
        ``{quantity: skorch net}`` with the final weights.
    client_names_, pipelines_, predictors_, personalization_, history_, ... : object
        The rest is as in :class:`FederatedClassifier`.

    Raises
    ------
    ClientError
        If a client's data cannot be used; the text names client, column and remedy.

    See Also
    --------
    FederatedClassifier, FederatedRegressor : One task for all.

    Notes
    -----
    **What leaves a client:** what leaves it in :class:`FederatedClassifier` or
    :class:`FederatedRegressor`; where there are several quantities, a client with
    numbers sends what one with three classes sends, of its low, middle and high ones.
    A head goes to the clients of its quantity alone. What the server merges for the
    steps goes to all: names and shares of every quantity's classes, and by what they
    differ in each column.

    The head of a quantity is averaged over its own clients, so that a balance concerns
    the trunk alone, and is made by the weights in its average. The factor
    ``1 / (2 sigma^2)`` of [1]_ is learnt there; here it has its best value, which is
    ``1 / (2 L)`` at a loss L, taken from the round before and 0.05 at least.

    References
    ----------
    .. [1] A. Kendall, Y. Gal and R. Cipolla, "Multi-Task Learning Using Uncertainty to
       Weigh Losses for Scene Geometry and Semantics", CVPR 2018.

    Examples
    --------
    Two clinics measure a quantity, and a third knows only whether it was high:

    >>> from sklearn.datasets import load_diabetes
    >>> from skfed import FederatedMultiTask
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> clients = {
    ...     "a": (X.iloc[::3, :6], y[::3]),
    ...     "b": (X.iloc[1::3, 3:], y[1::3]),
    ...     "c": (X.iloc[2::3, 2:8], (y[2::3] > 140).map({True: "high", False: "low"})),
    ... }
    >>> tasks = {"a": "regression", "b": "regression"}
    >>> model = FederatedMultiTask(tasks=tasks, n_rounds=20, random_state=0)
    >>> model.fit(clients).tasks_
    {'a': 'regression', 'b': 'regression', 'c': 'binary'}
    >>> model.predict(clients["c"][0][:2], clients="c").tolist()
    ['high', 'low']
    >>> model.client_scores(clients).index.tolist()
    ['a', 'b', 'c']
    """

    _task = "classification"  # of nothing in particular

    _parameter_constraints = {
        **{k: v for k, v in BaseFederated._parameter_constraints.items() if k != "net"},
        "classifier_net": "no_validation",
        "regressor_net": "no_validation",
        "tasks": [str, dict],
        "target_names": [str, dict, None],
        "balance": [StrOptions({"uncertainty", "equal"}), None],
        "classes": [dict, None],
        "absent": [StrOptions({"model", "zero"})],
        "heads": [StrOptions({"shared", "local", "auto"})],
        "target_scaling": [StrOptions({"client", "pooled"}), None],
    }

    def __init__(
        self,
        encoder="auto",
        aligner="auto",
        classifier_net=None,
        regressor_net=None,
        strategy=None,
        federation=None,
        *,
        tasks="auto",
        target_names=None,
        balance="uncertainty",
        personalizer="auto",
        engine="auto",
        columns="auto",
        client_column=None,
        unseen="error",
        classes=None,
        absent="model",
        heads="auto",
        target_scaling="client",
        n_rounds=100,
        local_epochs=1,
        client_fraction=1.0,
        client_sampling="uniform",
        min_clients=None,
        min_count=5,
        early_stopping=False,
        validation_fraction=0.1,
        n_iter_no_change=10,
        tol=1e-4,
        warm_start=False,
        checkpoint=None,
        random_state=None,
        verbose=0,
    ):
        self.encoder = encoder
        self.aligner = aligner
        self.classifier_net = classifier_net
        self.regressor_net = regressor_net
        self.strategy = strategy
        self.federation = federation
        self.tasks = tasks
        self.target_names = target_names
        self.balance = balance
        self.personalizer = personalizer
        self.engine = engine
        self.columns = columns
        self.client_column = client_column
        self.unseen = unseen
        self.classes = classes
        self.absent = absent
        self.heads = heads
        self.target_scaling = target_scaling
        self.n_rounds = n_rounds
        self.local_epochs = local_epochs
        self.client_fraction = client_fraction
        self.client_sampling = client_sampling
        self.min_clients = min_clients
        self.min_count = min_count
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.tol = tol
        self.warm_start = warm_start
        self.checkpoint = checkpoint
        self.random_state = random_state
        self.verbose = verbose

    def __sklearn_is_fitted__(self):
        return hasattr(self, "nets_")

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags = ClassifierTags()  # it is either, as its clients are
        tags.regressor_tags = RegressorTags()
        tags.target_tags.multi_output = True
        return tags

    def _check_target(self, y):
        return checked_plain_target(self, y, numeric=False)

    def _given_net(self, task):
        return self.regressor_net if task == "regression" else self.classifier_net

    def _groups(self, cohort, before):
        """Say who predicts what; a recipe for each quantity."""
        if not is_remote(self.federation):  # in the dtype that their values have
            given = {name: y for name, y in cohort.targets.items() if y is not None}
            cohort.targets.update({name: values_of(y) for name, y in given.items()})
        tasks, quantities = read_targets(self, cohort)
        self._told = tasks, quantities
        return groups_of(self, cohort, before, tasks, quantities)

    def _named_nets(self, nets):
        return {"nets_": nets}

    def _set_target_attributes(self, groups):
        tasks, quantities = self._told
        clients = groups.result.clients
        self.tasks_ = {name: tasks[name] for name in clients}
        self.target_names_ = {name: quantities[name][1] for name in clients}
        labelled = [group for group in groups if group.result.classes]
        self.target_classes_ = {g.name: np.asarray(g.result.classes) for g in labelled}
        self.heads_ = {group.name: group.result.heads for group in labelled}
        self.client_classes_ = {
            name: np.unique(np.asarray(group.result.labels[name]))
            for group in labelled
            for name in group.result.clients
        }

    def _empty(self, method, name):
        plan, result = self._recipe_of(name)
        if plan.task == "multilabel":
            dtype = int if method == "predict" else float
            return np.empty((0, len(result.classes)), dtype)
        if plan.task == "regression":
            m = result.n_targets
            return np.empty(0 if m == 1 else (0, m))
        classes = np.asarray(result.classes)
        return classes[:0] if method == "predict" else np.empty((0, len(classes)))

    def _recipe_of(self, name):
        """Return a client's recipe and result, of one that was not fitted too."""
        group = self.target_names_.get(name)
        return self._recipes[self._known_target(name) if group is None else group]

    @available_if(_predicts_classes)
    def predict_proba(self, X, *, clients=None):
        """Return the class probabilities of clients that predict classes.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Tables of fitted clients, as in :meth:`predict`; a dict may hold those
            that predict classes only.
        clients : array of shape (n,) or a client name, default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        proba : array of shape (n, n_classes), list or dict of arrays
            Rows sum to 1; columns follow ``target_classes_`` of the client's target.

        Raises
        ------
        ClientError
            If a client predicts numbers.
        """
        return self._predict(X, clients, "predict_proba")

    def _predict_tables(self, cohort, method):
        if method == "predict_proba":
            numbers = [
                name
                for name in cohort.tables
                if self._recipe_of(name)[0].task == "regression"
            ]
            if numbers:
                raise ClientError(
                    f"clients {numbers} predict numbers, which have no probabilities; "
                    "give a dict of the others' tables"
                )
        return super()._predict_tables(cohort, method)
