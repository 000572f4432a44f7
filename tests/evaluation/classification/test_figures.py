from collections.abc import Callable
from pathlib import Path

import matplotlib.image
import pytest

from rootflow.errors import UsageError
from rootflow.evaluation.classification import ClassificationEvaluation, draw, read, save
from rootflow.evaluation.classification.figures import described, roc, scan
from rootflow.evaluation.classification.report import CAPTIONS
from rootflow.evaluation.classification.results import Roc
from rootflow.evaluation.figures.stack import stack
from rootflow.evaluation.figures.style import Look
from toy_classes import toy_classes

FEW = {"ggH": 150, "VBFH": 50, "ZZ": 150, "ttbar": 50}
OF_EACH = (
    "scan",
    "observable_after_cut",
    "scores",
    "fit",
    "over_training",
    "sculpting",
    "importance",
)
OF_CLASSES = ("confusion", "probability")


def names_of(paths: list[Path]) -> list[str]:
    return [path.stem for path in paths if path.suffix == ".png"]


def test_figures_are_drawn_from_the_saved_evaluation(
    classification: ClassificationEvaluation, tmp_path: Path
) -> None:
    one = classification._replace(models=classification.models[:1])
    save(one, tmp_path / "evaluation.json")
    paths = draw(read(tmp_path / "evaluation.json"), tmp_path / "figures", "neutral")
    names = names_of(paths)
    expected = {f"{name}_{model.name}" for name in OF_EACH for model in one.models}
    assert set(names) == {"roc", "observable", "calibration", *expected}
    assert len(names) == len(set(names))
    for path in paths[::2]:
        assert matplotlib.image.imread(path)[..., :3].std() > 0.05  # not an empty sheet
    for path in paths[1::2]:
        assert path.read_bytes().startswith(b"%PDF")


def test_a_roc_curve_ends_where_the_background_is_not_known(
    classification: ClassificationEvaluation,
) -> None:
    """Left of that a background of which each event stands for many has run out of them."""
    curve = Roc((0.2, 0.4, 0.6, 0.8, 1.0), (1e-5, 1e-4, 1e-2, 1e-1, 1.0), (1e-6, 1e-5, 1e-2, 0, 0))
    (model,) = classification.models[:1]
    model = model._replace(ranking=model.ranking._replace(roc=curve))
    figure = roc(classification._replace(models=(model,)), Look([model.name]))
    line = figure.axes[0].lines[0]
    assert line.get_xdata().tolist() == [0.8, 1.0]
    assert line.get_ydata().tolist() == [10.0, 1.0]


@pytest.mark.parametrize(("simple", "said"), [(0.1, "s / √b"), (1e5, "s / √b: 1e+05 or more")])
def test_the_legend_of_a_scan_says_what_is_beyond_its_axis(
    classification: ClassificationEvaluation, simple: float, said: str
) -> None:
    (model,) = classification.models[:1]
    of_all = (simple,) * len(model.scan.thresholds)
    model = model._replace(scan=model.scan._replace(s_over_sqrt_b=of_all))
    figure = scan(model, classification._replace(models=(model,)), Look([model.name]))
    assert said in [line.get_label() for line in figure.axes[0].lines]


def test_every_figure_has_a_caption() -> None:
    assert set(CAPTIONS) == {*("roc", "observable", "calibration"), *OF_EACH, *OF_CLASSES}


@pytest.mark.slow
@pytest.mark.parametrize("style", ["ATLAS", "CMS"])
def test_styles_of_the_experiments(
    style: str, evaluated: Callable[..., ClassificationEvaluation], tmp_path: Path
) -> None:
    events = toy_classes({**FEW, "data": 10})
    assert draw(evaluated(events, replicas=5), tmp_path, style)


def test_without_data_there_is_no_ratio_and_nothing_fails(
    evaluated: Callable[..., ClassificationEvaluation], tmp_path: Path
) -> None:
    evaluation = evaluated(toy_classes(FEW), replicas=5)
    assert draw(evaluation, tmp_path, "neutral")
    with_data = evaluated(toy_classes({**FEW, "data": 10}), replicas=5)
    heights = [
        stack(described(each), each.spectrum, quantity="m(4l)").get_figheight()
        for each in (evaluation, with_data)
    ]
    assert heights[0] < heights[1]


def test_unknown_style(classification: ClassificationEvaluation, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no style LHCb; there are neutral, ATLAS, CMS"):
        draw(classification, tmp_path, "LHCb")
