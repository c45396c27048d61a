"""Loads the modules of ``chalicelib.services`` when they are first used.

One function has all routes, and a request uses few of the services: 13 of 100 modules for a new
report, one to five for most lists. ``from chalicelib.services.reports import actions`` then makes
an empty module, and Python loads its code when its first name is read. Imports of a name
(``from chalicelib.services.reports.actions import perform``) load a module at once.
"""

import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import LazyLoader
from types import ModuleType

_SERVICES = "chalicelib.services."


class _Finder:
    @staticmethod
    def find_spec(
        name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(_SERVICES):
            return None
        spec = PathFinder.find_spec(name, path, target)
        is_package = spec is not None and spec.submodule_search_locations is not None
        if spec is not None and spec.loader is not None and not is_package:
            spec.loader = LazyLoader(spec.loader)
        return spec


def install() -> None:
    """Load services late from now on. Call it before anything imports them."""
    sys.meta_path.insert(0, _Finder)
