"""Code of one's own, named in a configuration by a dotted name or an entry point."""

import difflib
import importlib
from collections.abc import Callable
from typing import Any

from rootflow.config.plugin import dotted
from rootflow.errors import UsageError
from rootflow.sources import digest_of_places


def resolve(name: str, what: str) -> Callable[..., Any]:
    """Return what `package.module:attribute`, or an entry point, stands for; it is imported.

    `what` is the setting, such as `model.architecture`: for messages, and for the group of entry
    points.
    """
    place = dotted(name, what)
    module, attribute = place.split(":")
    found: Any = import_module(module, f"{what}: {place}")
    for part in attribute.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            near = difflib.get_close_matches(part, dir(found), n=3)
            hint = f": did you mean {' or '.join(near)}?" if near else ""
            raise UsageError(f"{what}: {place}: {module} has no '{attribute}'{hint}") from None
    if not callable(found):
        raise UsageError(
            f"{what}: {place} is of type {type(found).__name__}: name a function or a class"
        )
    build: Callable[..., Any] = found
    return build


def import_module(name: str, what: str) -> Any:
    """Import a module that the user names."""
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{name}.".startswith(f"{error.name}."):
            raise UsageError(
                f"{what}: there is no module '{error.name}': install its package here, or name "
                f"its folder in PYTHONPATH"
            ) from None
        raise UsageError(f"{what}: importing {name} failed: {error}") from None
    except Exception as error:
        reason = f"{type(error).__name__}: {error}"
        raise UsageError(f"{what}: importing {name} failed: {reason}") from None


def source_digest(name: str, what: str) -> str:
    """Return the name of the code that a name in the configuration stands for.

    It is that of its module, and of what this uses of its package and of rootflow.
    """
    resolve(name, what)
    return digest_of_places([(dotted(name, what).partition(":")[0], None)])
