"""Real sites: what runs where a client's data are, under the site's own rules."""

from ._config import DataConfig, PolicyConfig, SiteConfig, read_config
from ._model import SiteModel, load_pipeline
from ._runner import SiteRunner
from ._source import read_table

__all__ = [
    "DataConfig",
    "PolicyConfig",
    "SiteConfig",
    "SiteModel",
    "SiteRunner",
    "load_pipeline",
    "read_config",
    "read_table",
]
