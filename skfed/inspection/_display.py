"""Where a display draws: new axes, given ones, or one that is split."""

from typing import Any

import numpy as np

from ._style import pyplot


class Display:
    """What all displays tell about their axes."""

    axes_: Any
    ax_: Any
    figure_: Any

    def _open(self, ax, n_rows=1, n_cols=1, size=(6.4, 4.0), **shared):
        """Set and return the axes, of shape (n_rows, n_cols); see :func:`panels`."""
        who = type(self).__name__
        self.axes_ = panels(who, ax, n_rows, n_cols, size, **shared)
        self.ax_ = self.axes_.flat[0]
        self.figure_ = self.ax_.figure
        return self.axes_


def panels(who, ax, n_rows=1, n_cols=1, size=(6.4, 4.0), **shared):
    """Return axes of shape (n_rows, n_cols), new ones or those that were given.

    Parameters
    ----------
    who : str
        Who asks, for the error.
    ax : Axes, array of Axes or None
        One Axes is the room that all panels are put into; an array holds one for each
        panel; None makes a figure.
    n_rows, n_cols : int, default=1
        The panels.
    size : tuple of two float, default=(6.4, 4.0)
        Width and height of a new figure in inches.
    **shared : dict
        ``sharex``, ``sharey`` and ratios of the grid.
    """
    plt = pyplot(who)
    if ax is None:
        _, axes = plt.subplots(
            n_rows, n_cols, figsize=size, layout="constrained", squeeze=False, **shared
        )
        return axes
    given = np.asarray(ax, dtype=object)
    if given.size == n_rows * n_cols:
        return given.reshape(n_rows, n_cols)
    if given.size != 1 or given.item().get_subplotspec() is None:
        raise ValueError(
            f"{who} draws {n_rows * n_cols} panels here and got {given.size} axes; "
            "give one for each panel, one made by plt.subplots that is split into "
            "them, or none"
        )
    room = given.item()
    room.set_axis_off()
    ratios = {k: shared.pop(k) for k in list(shared) if k.endswith("ratios")}
    grid = room.get_subplotspec().subgridspec(n_rows, n_cols, **ratios)
    return grid.subplots(squeeze=False, **shared)
