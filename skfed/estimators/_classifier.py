"""Federated classification."""

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.metrics import accuracy_score

from .._compat import StrOptions
from ._base import BaseFederated
from ._tasks import classification_of


class FederatedClassifier(ClassifierMixin, BaseFederated):
    """Classifier trained by clients whose tables do not match and stay at home.

    Every client's table passes through its own Pipeline (encode, align), whose
    federated steps are fitted by all clients together; a shared skorch net is then
    trained by federated averaging on the aligned rows. Rows may have several labels at
    once: then y is a table of 0 and 1 of shape (n, C), with the same C >= 2 columns in
    the same order at all clients, and so are predictions. Labels in several columns
    that hold more than 0 and 1 are refused.

    Parameters
    ----------
    encoder : "auto", "passthrough" or transformer, default="auto"
        Turns a client's table into numbers. "auto" is
        :class:`~skfed.preprocessing.TableEncoder`; any scikit-learn transformer or
        Pipeline works, federated steps included. Cloned per client.
    aligner : "auto", "passthrough" or transformer, default="auto"
        Brings the encoded tables to the same columns. "auto" is
        :class:`~skfed.alignment.AutoAligner`, which chooses by what the clients have in
        common: the factor model where columns differ, the union where they do not or
        no two clients share one.
    net : skorch.NeuralNetClassifier, default=None
        Prototype of the shared net: module, criterion, optimizer, lr and batch size
        are taken from it, and its module's input and output width are set. Its epochs,
        data set, iterators, validation split and all callbacks but those on gradients
        have no effect. None is a
        small MLP with a linear skip connection, trained by SGD with weight decay 0.01
        in even batches of about 32 rows, at most eight an epoch; its
        learning rate is 1 / L, 0.2 at most, with L the curvature of its loss on the
        aligned rows. For several labels a row any skorch.NeuralNet with a criterion
        such as torch.nn.BCEWithLogitsLoss; the default's is that, summed over labels.
    strategy : Strategy, default=None
        Who trains and how weights are combined; None is
        :class:`~skfed.strategies.FedAvg`.
    federation : federation, default=None
        Where clients run; None is
        :class:`~skfed.federation.InProcessFederation`. With one of real sites ``fit``
        takes no data, and the clients' Pipelines and mixtures stay there.
    personalizer : "auto", Personalizer or None, default="auto"
        What each client makes of the shared net and of models of its own. "auto" is
        :class:`~skfed.personalization.HierarchicalStacking`, which mixes them by
        out-of-fold evidence; None is plain FedAvg. With a single client nothing is
        personalized. A mixture predicts the most probable label, whatever threshold a
        NeuralNetBinaryClassifier has.
    engine : {"auto", "stacked", "fused", "loop"}, default="auto"
        How clients that run in one process are trained. "loop": one after the other by
        the skorch net. "stacked": all at once by batched arithmetic on their stacked
        weights. "fused": the same with a product a layer and padded batches, for
        perceptrons. "auto": "fused" for the default net, "stacked" for a net of yours,
        and "loop" for what neither can do, or fewer than three clients; ``engine_`` and
        ``engine_reason_`` say which and why. The user guide tells more.
    columns : {"auto", "position", "own"}, default="auto"
        What unnamed columns (arrays, sparse matrices) mean. "position": column j is
        the same quantity at all clients. "own": nothing is shared. "auto" is
        "position" when all such clients have the same width, else "own", with a
        warning.
    client_column : str, default=None
        Column that names the client, when ``X`` is one DataFrame.
    unseen : {"error", "align"}, default="error"
        What to do when a client that was not fitted is to be predicted. "align" aligns
        its rows as :meth:`add_client` does without a target, and predicts by the shared
        net, so that :class:`~skfed.model_selection.LeaveClientsOut` can measure it.
    classes : array, default=None
        All labels, where their union is known before; needed when whole clients are
        left out in cross-validation. With several labels a row, a name for each of
        y's columns, 0, 1, ... if None.
    absent : {"model", "zero"}, default="model"
        What a client is told of labels that it has no training row of: "model" is what
        the models say, so that it may recognise what only others have seen; "zero"
        gives them probability 0, and it predicts its own labels only.
    heads : {"shared", "local", "auto"}, default="auto"
        Whether the net's last layer (with the skip connection) is averaged, or each
        client keeps one of its own over the shared layers below. "auto" is "shared" if
        some label is at two clients, else "local": then no client can learn from
        another what a label looks like.
    n_rounds : int, default=100
        Communication rounds.
    local_epochs : int, default=1
        Passes of a client over its rows in each round.
    client_fraction : float, default=1.0
        Share of the clients that train in a round, at least one.
    client_sampling : {"uniform", "size", "round_robin"}, default="uniform"
        How these are chosen: each as likely, by their rows, or in turn. By rows, give
        the strategy ``weighting="uniform"``, or large clients count twice.
    min_clients : int, default=None
        Clients that must answer for the fit to go on when others fail; None needs
        all, and the first failure ends the fit.
    min_count : int, default=5
        Rows that must stand behind any statistic the default encoder and aligner
        send.
    early_stopping : bool, default=False
        Whether to hold out rows at every client and stop when their loss, summed
        over the clients, no longer falls; the best round's weights are kept.
    validation_fraction : float, default=0.1
        Share of each client's rows that is held out for ``early_stopping``.
    n_iter_no_change : int, default=10
        Rounds without improvement before stopping.
    tol : float, default=1e-4
        Least fall of the loss that counts as improvement.
    warm_start : bool, default=False
        Whether a second fit starts from the shared net of the first: to go on with
        ``n_rounds`` more, with other clients, columns or labels too. Aligners are
        fitted anew; weights go to the aligned columns and labels of the same name.
    checkpoint : str or path, default=None
        Directory in which the fit keeps a journal, made if it does not exist. A fit
        that was interrupted goes on from there, to the same bits, if it is made again
        with the same parameters and tables; see :doc:`/user_guide/failures`.
    random_state : int, RandomState or None, default=None
        Seed of initial weights, batches and client selection. The same seed gives
        the same weights; numpy's and torch's global generators do not move.
    verbose : int, default=0
        1 prints about ten lines a fit, 2 a line per round.

    Attributes
    ----------
    classes_ : array of shape (n_classes,)
        Sorted union of the clients' labels; with several a row, one for each column.
    client_classes_ : dict
        ``{client: array of its labels}``.
    heads_ : str
        "shared" or "local".
    client_names_ : list
        The clients, sorted.
    client_features_ : dict
        ``{client: list of its column names}``.
    pipelines_ : dict
        ``{client: Pipeline}``, encoder, aligner and shared net; each predicts for that
        client's own table.
    predictors_ : dict
        ``{client: fitted estimator}``, what :meth:`predict` uses: the personalizer's
        mixture, or the client's Pipeline without one.
    personalization_ : DataFrame
        One row per client and member of the mixture: its ``weight``, its out-of-fold
        ``loss``, the ``mixture_loss`` of all together and the number ``n_rows`` of
        rows behind them. Absent without personalizer.
    net_ : skorch.NeuralNetClassifier
        The shared net with the final weights.
    aligned_names_ : list of str
        Names of the columns all clients share after alignment.
    columns_ : str
        What columns meant: "named", "position" or "own".
    history_ : DataFrame
        One row per client and round: ``round``, ``client``, ``n_rows``, ``loss``,
        ``valid_loss``, ``seconds``, ``bytes_down``, ``bytes_up``.
    ledger_ : DataFrame
        Everything that crossed a client's border: ``round``, ``direction``,
        ``client``, ``task``, ``name``, ``shape``, ``dtype``, ``bytes``.
    engine_, engine_reason_ : str
        What trained the clients, and why.
    n_rounds_, best_round_ : int
        Rounds made, and the round whose weights were kept.
    notices_ : list of str
        Whole texts of the warnings of the fit.
    n_features_in_, feature_names_in_ : int, array
        Only after a fit on one plain table.

    Raises
    ------
    ClientError
        If a client's data cannot be used; the text names client, column and remedy.

    See Also
    --------
    FederatedRegressor : The same for numeric targets.

    Notes
    -----
    **What leaves a client:** column names, label names, row counts, the statistics
    that each federated step documents, and the shared net's weights, once a round;
    with a personalizer the same again without each fold's rows, and what it documents.

    Examples
    --------
    Two clients with other columns and one in common:

    >>> import pandas as pd
    >>> from sklearn.datasets import load_iris
    >>> from skfed import FederatedClassifier
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clients = {
    ...     "a": (X.iloc[::2, :3], y[::2]),
    ...     "b": (X.iloc[1::2, 2:], y[1::2]),
    ... }
    >>> model = FederatedClassifier(random_state=0).fit(clients)
    >>> model.client_features_["b"]
    ['petal length (cm)', 'petal width (cm)']
    >>> model.predict({"b": X.iloc[[0, 149], 2:]})
    {'b': array([0, 2])}
    """

    _task: str = "classification"
    score = BaseFederated.score  # ClassifierMixin stands before it

    _parameter_constraints = {
        **BaseFederated._parameter_constraints,
        "classes": ["array-like", None],
        "absent": [StrOptions({"model", "zero"})],
        "heads": [StrOptions({"shared", "local", "auto"})],
    }

    def __init__(
        self,
        encoder="auto",
        aligner="auto",
        net=None,
        strategy=None,
        federation=None,
        *,
        personalizer="auto",
        engine="auto",
        columns="auto",
        client_column=None,
        unseen="error",
        classes=None,
        absent="model",
        heads="auto",
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
        self.net = net
        self.strategy = strategy
        self.federation = federation
        self.personalizer = personalizer
        self.engine = engine
        self.columns = columns
        self.client_column = client_column
        self.unseen = unseen
        self.classes = classes
        self.absent = absent
        self.heads = heads
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

    def predict_proba(self, X, *, clients=None):
        """Return probabilities, with a column for every label of the union.

        Parameters
        ----------
        X : list, dict, ClientData, DataFrame or array
            Tables of fitted clients, as in :meth:`predict`.
        clients : array of shape (n,) or a client name, default=None
            The client of each row, when ``X`` is one table.

        Returns
        -------
        proba : array of shape (n, n_classes), list or dict of arrays
            Rows sum to 1, but where a row may have several labels; columns follow
            ``classes_``. What stands in the columns of
            labels that the client never had, ``absent`` says.
        """
        return self._predict(X, clients, "predict_proba")

    def _task_of(self, told):
        """Return the task; a target of several columns makes it another."""
        self._task = classification_of(told)
        return self._task

    def _set_target_attributes(self, groups):
        result = groups.result
        self.classes_ = np.asarray(result.classes)
        self.client_classes_ = {
            name: np.unique(np.asarray(result.labels[name])) for name in result.clients
        }
        self.heads_ = result.heads

    def _welcome(self, name, labels, group):
        """Keep the labels of a newcomer."""
        own = np.unique(np.asarray(labels, dtype=self.classes_.dtype))
        self.client_classes_ = {**self.client_classes_, name: own}

    def _empty(self, method, name):
        if self._task == "multilabel":
            dtype = int if method == "predict" else float
            return np.empty((0, len(self.classes_)), dtype)
        if method == "predict":
            return self.classes_[:0]
        return np.empty((0, len(self.classes_)))

    @staticmethod
    def _metric(y_true, y_pred, sample_weight):
        return accuracy_score(y_true, y_pred, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
