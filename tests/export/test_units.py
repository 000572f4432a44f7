import pytest

from rootflow.errors import UsageError
from rootflow.export.units import units_of


def test_units_are_those_of_the_features_alone() -> None:
    given = {"jets": {"width": "GeV", "pt": "GeV", "mass": "GeV"}}
    units = units_of({"jets": ("pt", "width"), "event": ()}, given)
    assert units == {"jets": {"pt": "GeV", "width": "GeV"}, "event": {}}
    assert list(units["jets"]) == ["pt", "width"]


def test_a_feature_without_a_unit_is_named() -> None:
    with pytest.raises(UsageError, match="unit of the feature width of jets is not given"):
        units_of({"jets": ("pt", "width")}, {"jets": {"pt": "GeV"}})
