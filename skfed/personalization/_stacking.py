"""Stacking whose weights the clients learn together."""

from numbers import Integral, Real

import numpy as np
from scipy.optimize import minimize
from sklearn.utils import check_scalar

from ._base import Personalizer
from ._members import Local
from ._nonnegative import minimum

STEPS = 5  # of the Newton iteration for the common weights


class HierarchicalStacking(Personalizer):
    r"""Mix local and federated models per client, with weights the clients share.

    Which mixture is right depends on the client, but a client with 20 rows cannot
    estimate q weights. So its weights are drawn to those that are best for the
    others: with the mean out-of-fold loss :math:`L_k(w)` of client k over its
    :math:`n_k` rows,

    .. math::

        w_k = \arg\min_{w \ge 0}\; n_k L_k(w) + \tfrac{\lambda}{2}
        (w - w_{-k})^\top (\bar H_{-k} + 2 \rho I) (w - w_{-k})

    where :math:`\bar H_{-k}` is the Hessian of the other clients' mean loss: the second
    term is, up to higher order, what :math:`\lambda` rows of the other clients would
    add. They speak for a client of their own size, though: a local model of 20 rows is
    not what one of 300 is. So

    .. math::

        w_{-k} = s_k w^\text{all}_{-k} + (1 - s_k) w^\text{shared}_{-k}, \qquad
        s_k = \min(1, n_k / \bar n_{-k})

    where both minimise the others' mean loss plus :math:`\rho |w - 1/q|^2`, the second
    without the members that a client fits alone, and :math:`\bar n_{-k}` is the
    others' mean number of rows. A client without evidence takes
    :math:`w^\text{shared}` (:math:`w^\text{all}` where all members are local), and one
    with many more rows than :math:`\lambda` its own.

    Regression: the loss is the squared error in units of the client's target
    variance, and the mixture predicts
    :math:`\bar y_k + \sum_j w_j (m_j(x) - \bar y_k)`. Classification: the log-loss
    of the normalised :math:`\prod_j p_j(y | x)^{w_j}`. The weights need not sum to 1,
    which calibrates the probabilities. Several targets or labels a row have the mean
    of their losses, and the same weights.

    Parameters
    ----------
    members : "auto" or list, default="auto"
        What is mixed. Strings name models that are known:

        - "local": the client's own tuned linear model, ridge or logistic regression;
        - "discriminant": its own shrunk linear discriminant analysis
          (classification);
        - "boosting": its own gradient boosting; the tuned linear model where the
          client has fewer than 100 rows;
        - "federated": the shared network under the estimator's aligner;
        - "prior": the same under the client's class shares, see :class:`PriorOffset`
          (classification);
        - "fine_tuned": the same after ``tuning_epochs`` local epochs;
        - "pooled": a ridge on all clients' rows in common units, with one level for
          all, fitted from summed second moments (regression).

        A pair of a name and an estimator that predicts is one more local model: a
        Pipeline gets the client's table as it is, any other estimator numbers. A pair
        of a name and an aligner is one more federated network, under that alignment.
        "auto" takes "local", "discriminant", "federated", "prior" and "fine_tuned" in
        classification, "local", "federated" and "fine_tuned" where rows have several
        labels, and "local", "boosting", "federated", "fine_tuned" and "pooled" in
        regression. With several labels a row "discriminant" and "prior" are left out.
    n_folds : int, default=3
        Folds of the out-of-fold predictions. A fold's rows are left out at all clients
        at once, and everything is fitted again without them: encoders, alignment,
        federation and local models.
    shrinkage : float, default=100.0
        Rows :math:`\lambda` of the other clients that weigh against a client's own; 0
        is plain stacking, and a very large number one mixture for all.
    ridge : float, default=0.01
        Pull :math:`\rho` of the common weights to equal ones.
    tuning_epochs : int, default=10
        Local epochs of the member "fine_tuned".
    min_count : int, default=5
        A client with fewer rows of evidence sends nothing of it.

    See Also
    --------
    Gate : Picks one member.
    Mixture : Mixes two.

    Notes
    -----
    What leaves the client, beside what the members' training sends (``n_folds`` + 1
    times): the number of rows that each fold leaves; the number of rows with evidence
    and, at both common weights, the gradient (q,) and the Hessian (q, q) of their mean
    loss, once in regression and five times in classification; with "prior" its
    number of rows by label, rare ones merged; with "pooled" second moments of its
    columns and target, if it has more rows than columns. Statistics over all rows and
    without a fold can be subtracted, which weakens the protection of small groups.
    Out-of-fold predictions, weights and tuned models stay at home.

    The evidence is made by models of fewer rows than the ones that are mixed in the
    end, so the weights are drawn a little to models that need few rows.

    References
    ----------
    .. [1] D. H. Wolpert, "Stacked Generalization", Neural Networks 5, 1992.
    .. [2] L. Breiman, "Stacked Regressions", Machine Learning 24, 1996.

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from skfed import FederatedClassifier
    >>> from skfed.personalization import HierarchicalStacking
    >>> X, y = load_iris(return_X_y=True, as_frame=True)
    >>> clients = {
    ...     "a": (X.iloc[::2, :3], y[::2]),
    ...     "b": (X.iloc[1::2, 2:], y[1::2]),
    ... }
    >>> stacking = HierarchicalStacking(members=["local", "federated"])
    >>> model = FederatedClassifier(
    ...     personalizer=stacking, n_rounds=20, random_state=0
    ... ).fit(clients)
    >>> model.personalization_["weight"].unstack().columns.tolist()
    ['federated', 'local']
    """

    def __init__(
        self,
        members="auto",
        n_folds=3,
        shrinkage=100.0,
        ridge=0.01,
        tuning_epochs=10,
        min_count=5,
    ):
        self.members = members
        self.n_folds = n_folds
        self.shrinkage = shrinkage
        self.ridge = ridge
        self.tuning_epochs = tuning_epochs
        self.min_count = min_count

    def _check_parameters(self):
        """Raise on a parameter out of range."""
        check_scalar(self.shrinkage, "shrinkage", Real, min_val=0)
        check_scalar(self.ridge, "ridge", Real, min_val=0, include_boundaries="neither")
        check_scalar(self.min_count, "min_count", Integral, min_val=1)

    def client_statistics(self, evidence, shared):
        """Return the derivatives of the mean loss at the common weights.

        Parameters
        ----------
        evidence : Evidence
            The client's out-of-fold predictions.
        shared : dict
            What the last merge returned; empty in the first exchange.

        Returns
        -------
        statistics : dict
            ``n_rows``, and for each kind of common weights its ``gradient_`` (q,) and
            ``hessian_`` (q, q), unless fewer than ``min_count`` rows are behind them.
        """
        together = self._fitted_together(evidence)
        statistics: dict = {"together": together}
        if len(evidence) < self.min_count:
            return statistics
        statistics["n_rows"] = len(evidence)
        statistics["quadratic"] = evidence.task == "regression"
        for kind, kept in _kinds(together).items():
            w = shared.get(f"w_{kind}", _equal(kept))
            _, gradient, hessian = evidence.derivatives(w)
            statistics[f"gradient_{kind}"] = gradient
            statistics[f"hessian_{kind}"] = hessian
        return statistics

    def merge(self, statistics, shared):
        """Take a Newton step of the common weights; clients count alike.

        Parameters
        ----------
        statistics : dict
            ``{client: statistics}``.
        shared : dict
            What the merge before returned.

        Returns
        -------
        shared : dict
            The common weights and what they were made of.
        """
        together = next(iter(statistics.values()))["together"]
        told = [s for s in statistics.values() if "n_rows" in s]
        step, K = shared.get("step", 0) + 1, len(told)
        answer = {"K": K, "step": step, "done": True}
        for kind, kept in _kinds(together).items():
            w = shared.get(f"w_{kind}", _equal(kept))
            if told:
                gradient = sum(s[f"gradient_{kind}"] for s in told)
                hessian = sum(s[f"hessian_{kind}"] for s in told)
                answer |= {
                    f"at_{kind}": w,
                    f"gradient_{kind}": gradient,
                    f"hessian_{kind}": hessian,
                }
                w = self._common(w, gradient / K, hessian / K, kept)
            answer[f"w_{kind}"] = w
        if told:
            answer["n_rows"] = sum(s["n_rows"] for s in told)
            answer["done"] = bool(told[0]["quadratic"]) or step >= STEPS
        return answer

    def _common(self, at, gradient, hessian, kept):
        """Minimise the quadratic model of the mean loss, drawn to equal weights.

        Members that are not kept get the weight 0.
        """
        A = hessian + 2 * self.ridge * np.eye(len(at))
        b = hessian @ at - gradient + 2 * self.ridge / len(at)
        w = np.zeros(len(at))
        w[kept] = minimum(A[np.ix_(kept, kept)], b[kept])
        return w

    def _prior(self, evidence, shared):
        """Return the others' weights, and their Hessian as metric."""
        kinds = _kinds(self._fitted_together(evidence))
        n, K = len(evidence), shared["K"]
        if not K:
            return shared["w_all"], np.eye(len(evidence.names))
        n_rows = shared["n_rows"]
        told = n >= self.min_count and K > 1 and not shared.get("newcomer")
        if told:
            K, n_rows = K - 1, n_rows - n
        found = {}
        for kind, kept in kinds.items():
            at, gradient, hessian = (
                shared[f"{part}_{kind}"] for part in ("at", "gradient", "hessian")
            )
            if told:
                _, own_gradient, own_hessian = evidence.derivatives(at)
                gradient, hessian = gradient - own_gradient, hessian - own_hessian
            found[kind] = self._common(at, gradient / K, hessian / K, kept)
            if kind == "all":
                metric = hessian / K
        size = float(np.clip(n * K / max(n_rows, 1), 0.0, 1.0))
        of_shared = found.get("shared", found["all"])
        return size * found["all"] + (1 - size) * of_shared, metric

    def _fitted_together(self, evidence):
        """Return which members are more than a model of the client's own."""
        _, specifications = self.specifications(evidence.task)
        alone = {m.name for m in specifications if isinstance(m, Local)}
        return np.array([name not in alone for name in evidence.names])

    def weights(self, evidence, shared):
        """Return a client's weights of its members.

        Parameters
        ----------
        evidence : Evidence
            The client's out-of-fold predictions.
        shared : dict
            What the last merge returned; with ``newcomer=True`` for a client whose
            statistics are not in it.

        Returns
        -------
        weights : array of shape (q,)
            At least 0.
        """
        w, metric = self._prior(evidence, shared)
        n, q = len(evidence), len(w)
        if not n:
            return w
        P = self.shrinkage * (metric + 2 * self.ridge * np.eye(q))
        if evidence.task == "regression":
            zero = np.zeros(q)
            _, gradient, hessian = evidence.derivatives(zero)
            return minimum(n * hessian + P, P @ w - n * gradient)

        def objective(v):
            loss, gradient, _ = evidence.derivatives(v)
            pull = P @ (v - w)
            return n * loss + (v - w) @ pull / 2, n * gradient + pull

        bounds = [(0, None)] * q
        return minimize(objective, w, jac=True, method="L-BFGS-B", bounds=bounds).x


def _kinds(together):
    """Return the kinds of common weights, with the members that have one."""
    kinds = {"all": np.full(len(together), True)}
    if together.any() and not together.all():
        kinds["shared"] = together
    return kinds


def _equal(kept):
    """Return equal weights of some members, to start from."""
    return kept / kept.sum()
