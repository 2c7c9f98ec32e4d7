"""Federated regression."""

import numpy as np
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from .._compat import StrOptions
from ._base import BaseFederated


class FederatedRegressor(RegressorMixin, BaseFederated):
    """Regressor trained by clients whose tables do not match and stay at home.

    Every client's table passes through its own Pipeline (encode, align), whose
    federated steps are fitted by all clients together; a shared skorch net is then
    trained by federated averaging on the aligned rows. Clients may have several
    targets a row, as a table y of shape (n, m): one net predicts them all, and a
    mixture has one weight per member for all.

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
    net : skorch.NeuralNetRegressor, default=None
        Prototype of the shared net: module, criterion, optimizer, lr and batch size
        are taken from it, and its module's input and output width are set. Its epochs,
        data set, iterators, validation split and all callbacks but those on gradients
        have no effect. None is a
        small MLP with a linear skip connection, trained by SGD with weight decay 0.03
        in even batches of about 32 rows, at most eight an epoch; its
        learning rate is 1 / L, 0.2 at most, with L the curvature of its loss on the
        aligned rows; the squared errors of several targets are added.
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
        personalized.
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
    target_scaling : {"client", "pooled", None}, default="client"
        Units in which the net sees the target. "client": each client's own mean and
        deviation, for targets in other units or on other levels; they stay home.
        "pooled": those of all rows. None: as given. Of several targets each has its
        own.
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
    client_names_ : list
        The clients, sorted.
    n_outputs_ : int
        Targets of a row.
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
    net_ : skorch.NeuralNetRegressor
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
    FederatedClassifier : The same for labels.

    Notes
    -----
    **What leaves a client:** column names, row counts, the statistics that each
    federated step documents, the shared net's weights once a round, and with
    ``target_scaling="pooled"`` the mean and deviation of each target; with a
    personalizer the same again without each fold's rows, and what it documents.

    Examples
    --------
    Two clients with other columns and one in common:

    >>> from sklearn.datasets import load_diabetes
    >>> from skfed import FederatedRegressor
    >>> X, y = load_diabetes(return_X_y=True, as_frame=True)
    >>> clients = {
    ...     "a": (X.iloc[::2, :5], y[::2]),
    ...     "b": (X.iloc[1::2, 4:], y[1::2]),
    ... }
    >>> model = FederatedRegressor(random_state=0).fit(clients)
    >>> model.client_features_["a"]
    ['age', 'sex', 'bmi', 'bp', 's1']
    >>> model.predict(clients["b"][0], clients="b").shape
    (221,)
    """

    _task = "regression"
    score = BaseFederated.score  # RegressorMixin stands before it

    _parameter_constraints = {
        **BaseFederated._parameter_constraints,
        "target_scaling": [StrOptions({"client", "pooled"}), None],
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
        self.net = net
        self.strategy = strategy
        self.federation = federation
        self.personalizer = personalizer
        self.engine = engine
        self.columns = columns
        self.client_column = client_column
        self.unseen = unseen
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

    def _set_target_attributes(self, groups):
        """Keep the number of targets; their scaling stays in each Pipeline."""
        self.n_outputs_ = groups.result.n_targets

    def _empty(self, method, name):
        return np.empty(0 if self.n_outputs_ == 1 else (0, self.n_outputs_))

    @staticmethod
    def _metric(y_true, y_pred, sample_weight):
        return r2_score(y_true, y_pred, sample_weight=sample_weight)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.target_tags.multi_output = True
        return tags
