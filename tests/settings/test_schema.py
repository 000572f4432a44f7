"""No setting without a value that is not its default, and without a step to take it through."""

from pathlib import Path

import pytest

from other_values import (
    EVALUATE,
    EXPORT,
    PREPROCESS,
    PROFILE,
    PROMOTE,
    RECORD,
    SIMULATE,
    TRAIN,
    TUNE,
    Other,
)
from rootflow.analysis import analysis_named
from rootflow.config import load
from rootflow.config.batch import ProfileConfig, load_profile
from settings_schema import settings_of
from small_configurations import PROJECT

BY_STEP = (SIMULATE, PREPROCESS, TRAIN, EVALUATE, EXPORT, PROMOTE, RECORD, TUNE)
# Models beside a classifier are trained and scored as it is: `test_line` takes all kinds there.
AS_THE_MODEL = "evaluation.methods["


def known(analysis: str) -> dict[str, Other]:
    return {path: other for step in BY_STEP for path, other in step[analysis].items()}


@pytest.mark.parametrize("analysis", EVALUATE)
def test_every_setting_is_taken_off_its_default(analysis: str) -> None:
    settings = settings_of(analysis_named(analysis).config)
    apart = AS_THE_MODEL if analysis == "h4l" else ()
    there = {path for path in settings if not path.startswith(apart)}
    assert sorted(known(analysis)) == sorted(there)
    assert len(known(analysis)) == sum(len(step[analysis]) for step in BY_STEP)


def test_every_word_of_a_profile_is_taken_off_its_default() -> None:
    assert sorted(PROFILE) == sorted(settings_of(ProfileConfig))


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "configs").glob("*.yaml")), ids=lambda path: path.stem
)
def test_shipped_configurations_are_of_these_settings(path: Path) -> None:
    config = load(path)
    assert type(config).model_validate_json(config.model_dump_json()) == config


@pytest.mark.parametrize(
    "path", sorted((PROJECT / "condor" / "profiles").glob("*.json")), ids=lambda path: path.stem
)
def test_shipped_profiles_are_of_these_words(path: Path) -> None:
    profile = load_profile(path)
    assert ProfileConfig.model_validate_json(profile.model_dump_json()) == profile
