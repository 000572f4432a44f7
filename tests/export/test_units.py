import pytest

from rootflow.errors import UsageError
from rootflow.export.units import units_of


def test_what_is_given_goes_before_what_is_canonical() -> None:
    units = units_of({"jets": ("pt", "width")}, {"jets": {"width": "GeV"}})
    assert units == {"jets": {"pt": "GeV", "width": "GeV"}}


def test_a_feature_without_a_unit_is_named() -> None:
    with pytest.raises(UsageError, match="unit of the feature width of jets is not known"):
        units_of({"jets": ("pt", "width")}, {})
