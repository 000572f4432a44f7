"""A C++ header of each network, with a program that uses it and what builds it."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import jinja2

from rootflow.cplusplus.fields import fields_of
from rootflow.cplusplus.networks import Network, networks_of
from rootflow.errors import UsageError
from rootflow.files import whole_directory

TEMPLATES = {"hpp": "network.hpp", "cpp": "main.cpp", "yaml": "topcptoolkit.yaml"}
CMAKE = "CMakeLists.txt"


class Variant(NamedTuple):
    """What a file takes and gives: number in absent jets, output with the neutrinos."""

    padding: str
    neutrinos: str


VARIANTS = {
    "named": Variant("0.0F", "neutrinos"),
    "flat": Variant("-999.0F", "regression"),
}


def write_cplusplus(paths: Sequence[Path], directory: Path) -> list[Path]:
    """Write C++ that applies exported networks, from what their files say of themselves.

    Each network gets a header NAME.hpp that needs nothing but onnxruntime, a program
    NAME.cpp that reads events from a text, and NAME.yaml, a part of a configuration as
    TopCPToolkit reads it; CMakeLists.txt builds all programs.

    Parameters
    ----------
    paths
        ONNX files of `rootflow export` of the ttbar analysis, named or flat. Those of one
        network and several folds share a header, which picks by the event number.
    directory
        A new directory for the files.

    Returns
    -------
    list of Path
        What was written.

    Raises
    ------
    InputError
        A file is not there, is not one of `rootflow export`, or is of an older one.
    UsageError
        The directory is there already, a file is a classifier, or files do not go together.
    """
    if directory.exists():
        raise UsageError(f"{directory}: there already; write to a new directory")
    environment = jinja2.Environment(  # noqa: S701 - C++ is no HTML
        loader=jinja2.PackageLoader("rootflow.cplusplus"),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    networks = networks_of(paths)
    texts = {
        f"{network.name}.{ending}": environment.get_template(template).render(_about(network))
        for network in networks
        for ending, template in TEMPLATES.items()
    }
    names = [network.name for network in networks]
    texts[CMAKE] = environment.get_template(CMAKE).render(names=names)
    with whole_directory(directory) as partial:
        for name, text in texts.items():
            (partial / name).write_text(text, encoding="utf-8")
    return [directory / name for name in texts]


def _about(network: Network) -> dict[str, Any]:
    """Return what the templates ask for."""
    contract = network.contract
    fields = fields_of(contract)
    variant = VARIANTS[contract.variant]
    (momenta,) = (tensor for tensor in contract.outputs if tensor.name == variant.neutrinos)
    return {
        "name": network.name,
        "block": "".join(word.capitalize() for word in network.name.split("_")),
        "contract": contract,
        "interface": network.interface,
        "files": network.files,
        "fields": fields,
        "size": sum(
            {"jets": contract.slots["jets"], "leptons": 2}.get(collection, 1) * len(members)
            for collection, members in fields.items()
        ),
        "flat": contract.variant == "flat",
        **variant._asdict(),
        "input_unit": next(field.unit for field in fields["jets"] if field.is_energy),
        "output_unit": momenta.features[0].unit,
        "confidence": any(tensor.name == "confidence" for tensor in contract.outputs),
    }
