"""The shared net plus a linear block, or a bias, of the client's own."""

from numbers import Real

from sklearn.utils import check_scalar

from ._base import Personalizer


class PrivateBlock(Personalizer):
    r"""Add a linear model of the client's own to the shared net, which stays as it is.

    Classification: :math:`p_k(y | z) \propto p(y | z) \exp(z^\top h_y + b_y)`;
    regression: :math:`f(z) + z^\top h + b` in the client's units. With several labels a
    row, :math:`z^\top h_c + b_c` is added to the logit of each; several targets have a
    block each. The block is fitted
    on the client's aligned rows z with the shared outputs as fixed offset, and a ridge
    penalty that draws it to 0: a large one is the shared net, a small one lets the
    client have its own way.

    Parameters
    ----------
    columns : bool, default=True
        Whether the block has coefficients. False is a private bias alone.
    penalty : float, default=10.0
        Strength of the penalty, in rows.

    See Also
    --------
    SharedPrivateAligner : Trains a private block together with the shared part.
    HierarchicalStacking : Lets the evidence decide; the default.

    Notes
    -----
    What leaves the client: nothing. The block stays at home. It is fitted on rows that
    the shared net has seen, whose residuals are a little too small.

    References
    ----------
    .. [1] T. Evgeniou, M. Pontil, "Regularized Multi-Task Learning", KDD 2004.

    Examples
    --------
    >>> from skfed import FederatedRegressor
    >>> from skfed.personalization import PrivateBlock
    >>> FederatedRegressor(personalizer=PrivateBlock(columns=False)).personalizer
    PrivateBlock(columns=False)
    """

    members = ["own_block"]

    def __init__(self, columns=True, penalty=10.0):
        self.columns = columns
        self.penalty = penalty

    def _check_parameters(self):
        """Raise on a penalty that is not positive."""
        check_scalar(
            self.penalty, "penalty", Real, min_val=0, include_boundaries="neither"
        )
