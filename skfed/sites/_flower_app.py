"""What Flower's own processes call: the official way to run a fit."""

import json
from pathlib import Path

import numpy as np
from sklearn.base import clone

from ..exceptions import ClientError
from ..federation import FlowerFederation
from ..training._recipe import ALLOWED_CLASSES, FORMAT, RecipeError, encode
from ..training._recipe_read import Reader
from ._flower_site import answered
from ._read_config import read_config
from ._runner import SiteRunner


def client_app():
    """Return the ClientApp of a site: it answers by the skfed installed there.

    The site's ``--node-config`` names its configuration: ``config="/path/north.toml"``.

    Returns
    -------
    app : flwr.clientapp.ClientApp
        For a module that Flower loads.
    """
    from flwr.clientapp import ClientApp

    app = ClientApp()

    @app.query("skfed")
    def query(message, context):
        runner = SiteRunner(read_config(context.node_config["config"]))
        return answered(message, runner.answer, runner.name)

    return app


def server_app():
    """Return the ServerApp of a fit.

    Its run configuration names files and directories of the SuperLink's machine:
    ``recipe``, written by :func:`write_recipe`; ``out``, where the model is written;
    ``clients``, the names of the sites with commas between; ``timeout`` in seconds; and
    ``checkpoint``, a directory, or "" for none.

    Returns
    -------
    app : flwr.serverapp.ServerApp
        For a module that Flower loads.
    """
    from flwr.serverapp import ServerApp

    app = ServerApp()

    @app.main()
    def main(grid, context):
        given = context.run_config
        clients = [name.strip() for name in given["clients"].split(",")]
        estimator = read_recipe(given["recipe"]).set_params(
            federation=FlowerFederation(
                clients=clients, timeout=float(given["timeout"]), grid=grid
            ),
            checkpoint=given["checkpoint"] or None,
        )
        write_fit(estimator.fit(), given["out"])

    return app


def write_recipe(estimator, path):
    """Write what shall be fitted to a file, as JSON.

    Parameters
    ----------
    estimator : FederatedClassifier, FederatedRegressor or FederatedMultiTask
        Unfitted; its ``federation`` and ``checkpoint`` are left out.
    path : str or Path
        The file.

    Raises
    ------
    RecipeError
        If a parameter cannot be written; the text names it and the remedy.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skfed import FederatedRegressor
    >>> from skfed.sites import read_recipe, write_recipe
    >>> with tempfile.TemporaryDirectory() as directory:
    ...     path = Path(directory) / "recipe.json"
    ...     write_recipe(FederatedRegressor(n_rounds=5, random_state=0), path)
    ...     read_recipe(path)
    FederatedRegressor(n_rounds=5, random_state=0)
    """
    plain = clone(estimator).set_params(federation=None, checkpoint=None)
    node = {"format": FORMAT, "estimator": encode(plain, "estimator")}
    Path(path).write_text(json.dumps(node, indent=1))


def read_recipe(path, allowed=ALLOWED_CLASSES):
    """Return the unfitted estimator that :func:`write_recipe` has written.

    Parameters
    ----------
    path : str or Path
        The file.
    allowed : sequence of str, default=("skfed", "sklearn", "skorch", "torch.nn", ...)
        Packages, modules and classes that it may name.

    Returns
    -------
    estimator : object
        Unfitted.

    Raises
    ------
    ClientError
        If the file is none, or names what is not allowed.
    """
    try:
        given = json.loads(Path(path).read_text())
        if given["format"] != FORMAT:
            raise RecipeError(f"is not of format {FORMAT}")
        reader = Reader(allowed, min_count=1, estimators=True)
        return reader.decode(given["estimator"], "estimator")
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ClientError(f"the recipe {path} cannot be read: {error}") from error


def write_fit(estimator, directory):
    """Write what a fit over real sites has made, without pickles.

    Parameters
    ----------
    estimator : object
        Fitted.
    directory : str or Path
        Gets ``weights.npz``, the shared net's; ``history.csv``; ``ledger.csv``, all
        that crossed a site's border; and ``fit.json``, the names of clients and inputs.
    """
    from ..training._weights import get_weights

    directory = Path(directory)
    directory.mkdir(parents=True, exist_ok=True)
    np.savez(directory / "weights.npz", **get_weights(estimator.net_))
    estimator.history_.to_csv(directory / "history.csv", index=False)
    estimator.ledger_.to_csv(directory / "ledger.csv", index=False)
    told = {
        "estimator": type(estimator).__name__,
        "clients": list(estimator.client_names_),
        "inputs": list(estimator.aligned_names_),
        "n_rounds": int(estimator.n_rounds_),
    }
    if hasattr(estimator, "classes_"):
        told["classes"] = np.asarray(estimator.classes_).tolist()
    (directory / "fit.json").write_text(json.dumps(told, indent=1))
