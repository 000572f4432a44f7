from pathlib import Path

import pytest

from rootflow.config import load
from rootflow.config.model import FeedForwardConfig, SetTransformerConfig
from rootflow.errors import UsageError

TTBAR = Path(__file__).parents[2] / "configs" / "ttbar.yaml"


def test_every_shipped_configuration_is_valid() -> None:
    files = sorted(TTBAR.parent.glob("*.yaml"))
    assert TTBAR in files
    for path in files:
        load(path)


def test_overrides_win_over_the_file_and_later_ones_over_earlier() -> None:
    config = load(TTBAR, ["training.epochs=5", "model.depth=2", "training.epochs=7"])
    assert config.training.epochs == 7
    assert isinstance(config.model, SetTransformerConfig)
    assert config.model.depth == 2


def test_empty_override_leaves_what_the_file_says() -> None:
    assert load(TTBAR, ["seed=", "training.max_steps="]) == load(TTBAR)


def test_another_architecture_starts_the_model_block_afresh() -> None:
    config = load(TTBAR, ["model.heads=2", "model.architecture=feed_forward", "model.width=32"])
    assert isinstance(config.model, FeedForwardConfig)
    assert config.model.width == 32
    assert config.model.name == "feed_forward"


def test_base_holds_where_the_file_is_silent(tmp_path: Path) -> None:
    variant = tmp_path / "variant.yaml"
    variant.write_text(f"base: {TTBAR}\nseed: 7\ntraining: {{epochs: 3}}\n")
    config, base = load(variant), load(TTBAR)
    assert (config.seed, config.training.epochs) == (7, 3)
    assert config.model == base.model
    assert config.training.batch_size == base.training.batch_size


def test_folds_are_held_out_one_or_each_in_its_turn() -> None:
    for held_out, wanted in (("3", [3]), ("all", [0, 1, 2, 3, 4])):
        folds = load(TTBAR, [f"data.folds.held_out={held_out}"]).data.folds
        assert [each.held_out for each in folds.in_turn()] == wanted


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("model.dept=2", "model.dept: unknown key (did you mean depth?); valid keys: architecture"),
        ("trainin.epochs=5", "trainin: unknown key (did you mean training?); valid keys: analysis"),
        ("data.weights.x=1", "data.weights.x: unknown key"),
        ("model.neutrinos={head: direct, bins: 9}", "model.neutrinos.bins: unknown key"),
        ("model.neutrinos={head: flow, layer: 2}", "neutrinos.layer: unknown key (did you mean l"),
        ("data.folds.held_out=9", "held_out is 9, but the 5 folds are 0 to 4"),
        ("data.folds.held_out=every", "data.folds.held_out: 'every' is neither the number of a"),
        ("training.epochs=many", "training.epochs: Input should be a valid integer"),
        ("data.weights.negative=ignore", "'keep', 'absolute' or 'drop'"),
        ("model.architecture=foo", "model.architecture: 'foo' is not 'feed_forward'"),
        ("model.name=net(v2)", "model.name: String should match pattern"),
        ("model.name=truth", "model.name: 'truth' is the name of another method"),
        ("export.registered_model=a/b", "export.registered_model: String should match"),
        ("evaluation.neutrinos=m_lb", "evaluation.neutrinos: 'm_lb' is none of model, none"),
        (
            "evaluation.methods=[m_lb,m_lb]",
            "evaluation.methods: two methods are named m_lb: give one of them another name",
        ),
        ("seed=-1", "seed: Input should be greater than or equal to 0"),
        ("data.files=a.root", "data.files: Input should be a valid list: write [first, second]"),
        ("nonsense", "write it as key.path=value"),
        ("seed=[1", "the value is not YAML"),
    ],
)
def test_wrong_setting_is_one_line_that_names_the_right_ones(override: str, says: str) -> None:
    with pytest.raises(UsageError) as failure:
        load(TTBAR, [override])
    assert says in str(failure.value)
    assert "\n" not in str(failure.value)
    assert failure.value.exit_status == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "cannot read the configuration"),
        ("a: [1", "not YAML"),
        ("- a\n- b\n", "a configuration is a YAML mapping"),
        ("!!python/object/apply:os.system ['true']", "not YAML"),
    ],
)
def test_file_that_is_no_configuration_is_refused(
    tmp_path: Path, text: str | None, says: str
) -> None:
    path = tmp_path / "broken.yaml"
    if text is not None:
        path.write_text(text)
    with pytest.raises(UsageError, match=says):
        load(path)


def test_file_that_is_its_own_base_is_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "first.yaml", tmp_path / "second.yaml"
    first.write_text("base: second.yaml\n")
    second.write_text("base: first.yaml\n")
    with pytest.raises(UsageError, match="is its own base"):
        load(first)
