"""Which features of which collections a model is given."""

from typing import Annotated

from pydantic import AfterValidator


def _something_once(inputs: dict[str, list[str]]) -> dict[str, list[str]]:
    if not any(inputs.values()):
        raise ValueError("name at least one input")
    for collection, names in inputs.items():
        if len(set(names)) < len(names):
            raise ValueError(f"{collection}: each input can be named once")
    return inputs


# By collection, as the branch map names it, the features of each of its objects; `met` and `event`
# have one object. A collection without features is left out. All models that are compared are
# given the same.
InputsConfig = Annotated[dict[str, list[str]], AfterValidator(_something_once)]
