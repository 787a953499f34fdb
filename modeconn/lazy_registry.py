"""A registry whose entries live in modules of their own, imported when they are first asked for."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from typing import Generic, TypeVar

__all__ = ["LazyRegistry"]

T = TypeVar("T")


class LazyRegistry(Mapping[str, T], Generic[T]):
    """Name -> what a module exports; asking for the names imports nothing.

    Args:
        package: the package of the modules.
        modules: name -> module below the package.
        attribute: what each module exports.
        check: called on an entry before it is given out; raises if it is not fit.

    Example:
        >>> registry = LazyRegistry("modeconn", {"errors": "errors"}, "unknown_name")
        >>> list(registry), registry["errors"].__name__
        (['errors'], 'unknown_name')
    """

    def __init__(
        self, package: str, modules: Mapping[str, str], attribute: str, check: Callable[[T], None] | None = None
    ) -> None:
        self.package, self.modules, self.attribute, self._check = package, modules, attribute, check

    def __getitem__(self, name: str) -> T:
        found: T = getattr(importlib.import_module(f"{self.package}.{self.modules[name]}"), self.attribute)
        if self._check is not None:
            self._check(found)
        return found

    def __contains__(self, name: object) -> bool:
        return name in self.modules

    def __iter__(self) -> Iterator[str]:
        return iter(self.modules)

    def __len__(self) -> int:
        return len(self.modules)
