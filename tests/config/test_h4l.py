from pathlib import Path

import pytest

from rootflow.analyses.h4l import H4lConfig
from rootflow.config import BoostedTreesConfig, load
from rootflow.config.model import DeepSetConfig
from rootflow.errors import UsageError

H4L = Path(__file__).parents[2] / "configs" / "h4l.yaml"


def test_the_analysis_chooses_the_configuration() -> None:
    config = load(H4L)
    assert isinstance(config, H4lConfig)
    assert isinstance(config.model, DeepSetConfig)
    assert isinstance(config.evaluation.methods[0], BoostedTreesConfig)


def test_mass_of_four_leptons_is_no_input_unless_it_is_named() -> None:
    assert "m4l" not in load(H4L).inputs["event"]
    assert load(H4L, ["inputs.event=[m4l]"]).inputs["event"] == ["m4l"]


def test_a_sample_is_added_from_the_command_line() -> None:
    config = load(H4L, ["data.samples.data={label: data, files: [real.root]}"])
    assert list(config.data.samples) == ["ggH", "VBFH", "ZZ", "data"]


def test_null_takes_a_sample_away() -> None:
    assert list(load(H4L, ["data.samples.VBFH=null"]).data.samples) == ["ggH", "ZZ"]


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("analysis=h5l", "analysis: 'h5l' is none of "),
        (
            "data.samples.ZZ.lable=signal",
            "data.samples.ZZ.lable: unknown key (did you mean label?)",
        ),
        ("data.samples.x={label: data}", "real data is not simulated: name its files"),
        (
            "data.samples.x={label: data, files: [a], cross_section_pb: 1}",
            "real data has neither cross_section_pb nor sum_of_weights",
        ),
        ("data.selection.z1_mass_gev=[106, 50]", "a window is [lowest, highest]"),
        ("data.selection.lepton_pt_min_gev=[20, 15, 10]", "lepton_pt_min_gev.3: Field required"),
        ("data.weights.luminosity_fb_inverse=0", "luminosity_fb_inverse: Input should be greater"),
        ("inputs.event=[m4l, m4l]", "event: each input can be named once"),
        ("inputs={leptons: [], event: []}", "name at least one input"),
        ("model.architecture=forest", "model.architecture: 'forest' is not 'feed_forward'"),
        (
            "model={architecture: set_transformer, heads: 7}",
            "width 64 is not a multiple of heads, 7",
        ),
        ("model.name=boosted_trees", "'boosted_trees' is the name of the model itself"),
        (
            "evaluation.methods=[{architecture: deep_set}, {architecture: deep_set}]",
            "evaluation.methods: two methods are named deep_set: give one of them another name",
        ),
        (
            "evaluation.methods=[{architecture: deep_set, widht: 3}]",
            "evaluation.methods.0.widht: unknown key (did you mean width?)",
        ),
        ("training.neutrino_loss_weight=1", "training.neutrino_loss_weight: unknown key"),
    ],
)
def test_bad_setting_is_one_line_that_says_where(override: str, says: str) -> None:
    with pytest.raises(UsageError) as error:
        load(H4L, [override])
    assert says in str(error.value)
    assert "\n" not in str(error.value)
