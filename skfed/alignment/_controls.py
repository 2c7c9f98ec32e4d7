"""Marking aligners that exist for comparison: a method must beat them to count."""


class NegativeControl:
    """Marks an aligner that gives equal widths without equal meanings.

    Such an aligner belongs into a comparison only.

    Attributes
    ----------
    why_it_fails : str
        What makes the aligned columns differ in meaning between clients.

    Examples
    --------
    >>> from skfed.alignment import NegativeControl, PadAligner
    >>> isinstance(PadAligner(), NegativeControl)
    True
    """

    why_it_fails: str = ""


def is_negative_control(aligner):
    """Tell whether an aligner, or any step inside it, is a negative control.

    Parameters
    ----------
    aligner : estimator
        An aligner, or a Pipeline or another composition that may contain one.

    Returns
    -------
    bool
        True when a negative control is found.

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from sklearn.preprocessing import StandardScaler
    >>> from skfed.alignment import PadAligner, is_negative_control
    >>> is_negative_control(make_pipeline(StandardScaler(), PadAligner()))
    True
    """
    parts = [aligner]
    if hasattr(aligner, "get_params") and not isinstance(aligner, type):
        parts += aligner.get_params(deep=True).values()
    return any(isinstance(part, NegativeControl) for part in parts)
