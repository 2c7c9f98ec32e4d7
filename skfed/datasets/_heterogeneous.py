"""Clients that differ on purpose: the dials of heterogeneity over one problem."""

from typing import Any

import numpy as np
from sklearn.utils import Bunch

from . import _dials as dials
from ._checks import check_choice, check_each, check_seed, check_whole, client_name
from ._gaussian import GaussianProblem
from ._given import GivenTable
from ._plan import plan_counts, plan_shares, plan_sizes, plan_views
from ._target import plan_targets

# Each dial with the value at which it is off.
DIALS: dict[str, Any] = {
    "quantity_skew": 0,
    "feature_map": "subset",
    "feature_overlap": 1,
    "n_labels_per_client": None,
    "label_shift": 0,
    "covariate_shift": 0,
    "concept_shift": 0,
    "label_noise": 0,
    "missing": 0,
}


def make_heterogeneous_clients(
    n_clients=10,
    n_samples=100,
    *,
    X=None,
    y=None,
    task="classification",
    n_features=20,
    n_informative=10,
    n_classes=3,
    class_sep=0.5,
    noise=0.5,
    quantity_skew=0.0,
    min_samples=10,
    feature_map="subset",
    feature_overlap=1.0,
    map_width=(5, 40),
    n_labels_per_client=None,
    label_shift=0.0,
    covariate_shift=0.0,
    concept_shift=0.0,
    label_noise=0.0,
    missing=0.0,
    n_test=100,
    test_size=0.5,
    replace=False,
    random_state=None,
):
    """Make clients that differ in columns, sizes, labels, drift, concept or quality.

    One problem, generated or given, is dealt to clients, and each dial makes them
    differ in one way. With every dial at its default the clients are independent and
    identically distributed and have all columns. Each dial has a random stream of its
    own, so that turning one leaves what the others draw as it was.

    Parameters
    ----------
    n_clients : int, default=10
        Number of clients. They are called "client_0", "client_1", ..., with leading
        zeros such that the names sort.
    n_samples : int or sequence of int of shape (n_clients,), default=100
        Training rows a client: the mean over the clients, or the rows of each.
    X : array or DataFrame of shape (n, n_features), default=None
        A given table to deal out instead of a generated problem. Columns of an array
        are called "x0", "x1", ...; text and missing values pass, except for
        ``feature_map="linear"``.
    y : array of shape (n,), default=None
        The target of `X`; class labels of any type, or numbers.
    task : {"classification", "regression"}, default="classification"
        The kind of target.
    n_features : int, default=20
        Columns of the generated problem.
    n_informative : int, default=10
        Columns of the generated problem that bear on the target. They are correlated
        with each other; all other columns are independent N(0, 1).
    n_classes : int, default=3
        Classes of the generated problem, equally frequent. Each is Gaussian, with one
        covariance for all.
    class_sep : float, default=0.5
        Standard deviation of the class means in each informative column, in units of
        the standard deviation within a class.
    noise : float, default=0.5
        Standard deviation of the noise on a generated regression target, whose signal
        has variance 1: the best possible R2 is ``1 / (1 + noise**2)``.
    quantity_skew : float, default=0.0
        Spread of the sizes, which are proportional to ``exp(quantity_skew * N(0, 1))``
        above `min_samples` with the mean `n_samples`. 0: equal sizes; 1: the middle
        two thirds lie within a factor of 7; 2: within a factor of 50.
    min_samples : int, default=10
        Least number of rows of a client under `quantity_skew`; ``n_samples`` if that
        is lower.
    feature_map : {"subset", "disjoint", "linear"}, default="subset"
        What a client sees of a row. "subset": a random subset of the named columns,
        see `feature_overlap`. "disjoint": the columns are dealt out, none is at two
        clients. "linear": a random linear map of all columns to d unnamed ones, as
        array (N(0, 1 / n_features) weights; bring columns of a given table to one
        scale first).
    feature_overlap : float or sequence of shape (n_clients,), default=1.0
        Share of the columns that a client keeps under ``feature_map="subset"``, in
        [0, 1] and at least one column. 1: all; at s two clients share s**2 of the
        columns on average. A client's columns at a smaller share are among those at a
        larger one.
    map_width : tuple of two int, default=(5, 40)
        Least and greatest d under ``feature_map="linear"``, drawn evenly.
    n_labels_per_client : int, default=None
        Number of classes that a client sees (classification). All classes are dealt
        out as evenly as possible. None: all.
    label_shift : float or sequence of shape (n_clients,), default=0.0
        How far the class shares of a client are from those of the whole. They are
        Dirichlet with mean the shares p of the whole and concentration
        ``C * p / label_shift`` for C classes, so that ``1 / label_shift`` is the
        concentration a class when classes are equally frequent. 0: the shares of the
        whole; .01: hardly differs; 2: strong (concentration .5); 10: one class
        dominates. In a regression, ten bins of y with equal counts are the classes.
    covariate_shift : float or sequence of shape (n_clients,), default=0.0
        Drift of each client's columns, ``x -> a x + b sd(x)`` with ``log(a)`` and ``b``
        from N(0, covariate_shift**2) for each numeric column. 0: none; 1: strong.
    concept_shift : float, default=0.0
        Share of the clients, in [0, 1], at which the target means something else. In
        a classification each class bears another's label there (the same exchange at
        all these clients); in a regression the target is mirrored at its mean, which
        turns the sign of every coefficient.
    label_noise : float or sequence of shape (n_clients,), default=0.0
        Classification: share of the training labels, in [0, 1], that are replaced by
        another class which the client sees. Regression: standard deviation of noise
        added to the training target, in standard deviations of y.
    missing : float or sequence of shape (n_clients,), default=0.0
        Share of the training cells, in [0, 1), that are blanked in each column
        completely at random; one cell a column stays in any case.
    n_test : int, default=100
        Test rows of each client, drawn from its own distribution (columns, class
        shares, drift, concept). `label_noise`, `missing`, `n_samples` and
        `quantity_skew` do not touch them. 0: none.
    test_size : float, default=0.5
        Share of a given table, in (0, 1), that is held out for tests before any row is
        dealt, within each class or bin of y. Not used if ``n_test=0``.
    replace : bool, default=False
        Draw rows of a given table with replacement: rows may repeat and clients may
        share them, but training and test rows are still different ones. False: no row
        is at two clients; test rows do not repeat at a client but two clients may be
        tested on the same row.
    random_state : int, RandomState or Generator, default=None
        Seed. None draws a new one.

    Returns
    -------
    Bunch
        With the fields

        clients : dict of str to (X, y)
            Training rows: DataFrame of shape (n_k, d_k) with a RangeIndex (an array
            under "linear"), and array of shape (n_k,).
        test : dict of str to (X, y)
            Test rows, with the client's columns or map; empty if ``n_test=0``.
        truth : dict of str to Bunch
            What was turned at each client: ``columns`` (list of str, the columns it
            sees or maps), ``map`` (array of shape (n_features, d_k) or None),
            ``scale`` and ``shift`` (dict of column to float, or None),
            ``label_shares`` (dict of class or bin to the share asked for; after an
            exchange of labels), ``concept`` (None, dict of old to new label, or
            "mirrored"), ``label_noise``, ``missing`` (floats), ``rows`` and
            ``test_rows`` (positions in the given table or None).
        problem : Bunch or None
            The generated problem: ``informative`` (list of str), ``covariance``
            (n_features, n_features) within a class, and ``means`` (n_classes,
            n_features) or ``coef`` (n_features,) and ``noise``. None for a given one.
        task : str
            The kind of target.
        DESCR : str
            Which dials are turned.

    Raises
    ------
    ClientError
        If the given table has too few rows for what the clients ask for, there are
        more clients than columns under "disjoint", or a column cannot be mapped.
    ValueError
        If a dial is out of its range or does not go with the task.
    TypeError
        If a dial is not a number, or `X` is sparse.

    See Also
    --------
    load_house_prices : Real tables that do not match.

    Notes
    -----
    Counts of classes follow the shares exactly up to rounding as soon as
    `label_shift` or `n_labels_per_client` is used; else labels are drawn at random.

    Turned dials combine in this order: rows are drawn by class, columns drift, then
    they are chosen or mapped, then labels are exchanged; training rows are blurred by
    `label_noise` and `missing` last.

    References
    ----------
    .. [1] T.-M. H. Hsu, H. Qi and M. Brown, "Measuring the Effects of Non-Identical
       Data Distribution for Federated Visual Classification", 2019 (Dirichlet label
       shift).

    Examples
    --------
    >>> from skfed.datasets import make_heterogeneous_clients
    >>> data = make_heterogeneous_clients(
    ...     3, 50, feature_overlap=0.3, label_shift=2, random_state=0
    ... )
    >>> {name: X.shape for name, (X, y) in data.clients.items()}
    {'client_0': (50, 6), 'client_1': (50, 6), 'client_2': (50, 6)}
    >>> len(data.test["client_0"][1])
    100

    A given table, its columns dealt out:

    >>> from sklearn.datasets import load_wine
    >>> wine = load_wine(as_frame=True)
    >>> data = make_heterogeneous_clients(
    ...     4, 20, X=wine.data, y=wine.target, feature_map="disjoint", n_test=50,
    ...     random_state=0,
    ... )
    >>> sorted(len(data.truth[name].columns) for name in data.clients)
    [3, 3, 3, 4]
    """
    settings = locals()
    turned = {
        dial: settings[dial]
        for dial, off in DIALS.items()
        if not np.array_equal(settings[dial], off)
    }
    seed = check_seed(random_state)
    n_clients = check_whole("n_clients", n_clients, 1)
    n_test = check_whole("n_test", n_test, 0)
    check_choice("task", task, ("classification", "regression"))
    if (X is None) != (y is None):
        raise ValueError("give both X and y, or neither for a generated problem")
    source: GaussianProblem | GivenTable
    if X is None:
        source = GaussianProblem(
            task, n_features, n_informative, n_classes, class_sep, noise, seed
        )
    else:
        source = GivenTable(X, y, task, test_size if n_test else 0.0, replace, seed)

    sizes = plan_sizes(n_clients, n_samples, quantity_skew, min_samples, seed)
    tests = np.full(n_clients, n_test)
    shares = plan_shares(source, n_clients, n_labels_per_client, label_shift, seed)
    views = plan_views(
        source,
        n_clients,
        feature_map,
        feature_overlap,
        map_width,
        covariate_shift,
        seed,
    )
    targets = plan_targets(source, shares, concept_shift, label_noise, seed)
    missing = check_each("missing", missing, n_clients, 0, np.nextafter(1, 0))

    by_class = n_labels_per_client is not None or np.any(np.asarray(label_shift) != 0)
    train = source.train(sizes, plan_counts(sizes, shares) if by_class else None)
    test = source.test(tests, plan_counts(tests, shares) if by_class else None)

    bunch = Bunch(clients={}, test={}, truth={}, problem=source.truth, task=task)
    for k, (view, target) in enumerate(zip(views, targets, strict=True)):
        name = client_name(k, n_clients)
        table = view.apply(train[k].X, name)
        if missing[k] > 0:
            table = dials.hide_cells(
                table, missing[k], dials.stream(seed, "missing", k)
            )
        bunch.clients[name] = table, target.train(train[k].y)
        if n_test:
            bunch.test[name] = view.apply(test[k].X, name), target.test(test[k].y)
        bunch.truth[name] = Bunch(
            **view.truth(source.names),
            **target.truth(),
            missing=missing[k],
            rows=train[k].positions,
            test_rows=test[k].positions,
        )
    bunch.DESCR = _describe(bunch, X is None, turned)
    return bunch


def _describe(bunch, generated, turned):
    """Return what the clients are made of, in a few lines."""
    sizes = [len(y) for _, y in bunch.clients.values()]
    listed = [f"- {dial}: {value!r}" for dial, value in turned.items()] or ["- none"]
    return "\n".join(
        [
            f"{len(sizes)} clients of a {'generated' if generated else 'given'} "
            f"{bunch.task} problem, {min(sizes)} to {max(sizes)} training rows each.",
            "",
            "Dials turned:",
            "",
            *listed,
            "",
        ]
    )
