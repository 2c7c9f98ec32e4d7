"""How many targets a row has: the same at all clients."""

from ..data._wide_target import check_same_width, counted
from ..exceptions import ClientError


def agreed_n_targets(described):
    """Return the number of targets, which clients with one do not tell."""
    widths = {c: answer.get("n_targets", 1) for c, answer in described.items()}
    check_same_width(widths)
    return next(iter(widths.values()))


def check_n_targets(reference, described, name):
    """Refuse a newcomer with a target of other width than the federation's."""
    own = described.get("n_targets", 1)
    if own != reference.n_targets:
        raise ClientError(
            f"client {name!r} has {counted(own)} a row and the federation "
            f"{counted(reference.n_targets)}; give y with the same columns in the same "
            "order"
        )
