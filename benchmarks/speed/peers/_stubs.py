"""Let a library be imported where one that it does not train with cannot load.

fluke and FedLab import torchvision for data sets of images. Its ordinary build does not
load beside a build of torch without CUDA.
"""

import importlib
import importlib.abc
import importlib.machinery
import sys
import types
from unittest.mock import MagicMock


class _Stub(types.ModuleType):
    __path__: list = []

    def __getattr__(self, name):
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (MagicMock,), {}) if name[:1].isupper() else MagicMock()


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, package):
        self.package = package

    def find_spec(self, name, path=None, target=None):
        """Answer for the package and all that is in it."""
        if name.partition(".")[0] != self.package:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        """Return an empty module that has every attribute."""
        return _Stub(spec.name)

    def exec_module(self, module):
        """Do nothing."""


def stub_if_broken(package):
    """Put a stub in the place of a package that cannot be imported.

    Parameters
    ----------
    package : str
        Its name.
    """
    try:
        importlib.import_module(package)
    except (ImportError, OSError, RuntimeError):
        for name in [n for n in sys.modules if n.partition(".")[0] == package]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Finder(package))
