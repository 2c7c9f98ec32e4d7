"""Real sites: what runs where a client's data are, under the site's own rules."""

from ._config import DataConfig, FlowerConfig, PolicyConfig, SiteConfig
from ._flower_app import client_app, read_recipe, server_app, write_recipe
from ._model import SiteModel, load_pipeline
from ._read_config import read_config
from ._runner import SiteRunner
from ._source import read_table

__all__ = [
    "DataConfig",
    "FlowerConfig",
    "PolicyConfig",
    "SiteConfig",
    "SiteModel",
    "SiteRunner",
    "client_app",
    "load_pipeline",
    "read_config",
    "read_recipe",
    "read_table",
    "server_app",
    "write_recipe",
]
