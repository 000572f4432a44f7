"""Names of one's own code in a configuration, and the settings of a network of one's own."""

from collections.abc import Iterable
from importlib.metadata import entry_points
from typing import Annotated, Any

from pydantic import AfterValidator, Discriminator, Field

from rootflow.config.block import Block, Name
from rootflow.errors import UsageError

# By a word of the setting, the group of entry points that may stand for a dotted name.
GROUPS = {
    "architecture": "rootflow.architectures",
    "method": "rootflow.methods",
    "loss": "rootflow.losses",
    "observable": "rootflow.observables",
}
# The tag of the block for one's own, as messages name it among the others.
OWN = "package.module:function"
WHAT = "model.architecture"


def dotted(name: str, what: str) -> str:
    """Return `package.module:attribute` of a dotted name or of an entry point."""
    module, colon, attribute = name.partition(":")
    if colon:
        if not all(part.isidentifier() for part in (*module.split("."), *attribute.split("."))):
            raise UsageError(f"{what}: '{name}': write package.module:attribute")
        return name
    group = next(group for word, group in GROUPS.items() if word in what)
    installed = {entry.name: entry.value for entry in entry_points(group=group)}
    if name not in installed:
        raise UsageError(
            f"{what}: '{name}' is no entry point of the group {group} (installed: "
            f"{', '.join(sorted(installed)) or 'none'}): write package.module:attribute, or "
            f"install the package that has it"
        )
    return installed[name]


def own_or(known: Iterable[str], what: str) -> AfterValidator:
    """Return what accepts names that rootflow knows, and those of one's own code."""
    known = tuple(known)

    def check(name: str) -> str:
        if name not in known:
            try:
                dotted(name, what)
            except UsageError as error:
                among = f"none of {', '.join(known)}; " if known else ""
                raise ValueError(among + str(error).removeprefix(f"{what}: ")) from None
        return name

    return AfterValidator(check)


class OwnNetworkConfig(Block):
    """A network of one's own, named by the function that builds it."""

    architecture: Annotated[str, own_or((), WHAT)] = Field(
        description="package.module:function, or an entry point of rootflow.architectures"
    )
    name: Name = Field("own_network", description="under which its metrics are logged")
    settings: dict[str, Any] = Field(
        default_factory=dict, description="what the function is given by keyword"
    )


def by_architecture(*known: str) -> Discriminator:
    """Return what chooses among blocks that name one of these architectures, and `OWN`."""

    def architecture(value: Any) -> Any:
        settings = value if isinstance(value, dict) else getattr(value, "__dict__", {})
        name = settings.get("architecture")
        if name in known or not isinstance(name, str):
            return name
        is_own = ":" in name or entry_points(group=GROUPS["architecture"], name=name)
        return OWN if is_own else name

    return Discriminator(architecture)
