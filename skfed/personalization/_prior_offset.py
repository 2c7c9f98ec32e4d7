"""The shared net under each client's own class shares."""

from ._base import Personalizer


class PriorOffset(Personalizer):
    r"""Correct the shared net's probabilities by each client's class shares.

    Where clients differ by their class shares alone,
    :math:`p_k(y | x) \propto p(y | x)\, \pi_k(y) / \pi(y)` with the shares
    :math:`\pi` of all training rows. A client's shares are estimated from its counts
    with C rows of the pooled shares added. In regression nothing changes, since
    every client's target is centred by its own mean, nor where a row has several
    labels, since they have no shares of one whole.

    See Also
    --------
    HierarchicalStacking : Lets the evidence decide; the default.

    Notes
    -----
    What leaves the client: its number of rows by label, rare ones merged so that none
    below ``min_count`` is told.

    References
    ----------
    .. [1] M. Saerens, P. Latinne, C. Decaestecker, "Adjusting the Outputs of a
       Classifier to New a Priori Probabilities: A Simple Procedure", Neural
       Computation 14, 2002.
    .. [2] A. K. Menon et al., "Long-tail Learning via Logit Adjustment", ICLR 2021.

    Examples
    --------
    >>> from skfed import FederatedClassifier
    >>> from skfed.personalization import PriorOffset
    >>> FederatedClassifier(personalizer=PriorOffset()).personalizer
    PriorOffset()
    """

    def choose_members(self, task):
        """Return the members of a mixture for a task.

        Parameters
        ----------
        task : {"classification", "multilabel", "regression"}
            The task of the fit.

        Returns
        -------
        members : list of str or (str, estimator)
            The members.
        """
        return ["prior"] if task == "classification" else ["federated"]
