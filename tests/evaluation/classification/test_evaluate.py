from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import scipy.stats

from rootflow.checksum import sealed_json
from rootflow.config import ClassificationEvaluationConfig
from rootflow.dataset import Events
from rootflow.errors import ConformanceError, InputError, UsageError
from rootflow.evaluation import draw_evaluation
from rootflow.evaluation.classification import (
    ClassificationEvaluation,
    HeldOut,
    evaluate,
    read,
    save,
    tables_of,
    write_evaluation,
    write_report,
)
from rootflow.evaluation.classification.report import TOTAL
from toy_classes import (
    COUNTS,
    DISTANCE,
    EXPECTED,
    INPUTS,
    M4L,
    SAMPLES,
    GaussianModel,
    OfThree,
    rows_of,
    toy_classes,
)


def test_auc_is_that_of_the_gaussians(classification: ClassificationEvaluation) -> None:
    for model, noise in zip(classification.models, (0.0, 1.0), strict=True):
        expected = scipy.stats.norm.cdf(DISTANCE / np.sqrt(2 * (1 + noise**2)))
        auc = model.ranking.auc
        assert auc.value == pytest.approx(expected, abs=4 * auc.error)
        assert list(model.ranking.auc_against) == ["ZZ", "ttbar"]


def test_the_better_model_is_better(classification: ClassificationEvaluation) -> None:
    better, worse = classification.comparisons
    assert (better.name, better.other, worse.name) == ("network", "noisy", "noisy")
    assert better.p_value == 1 / 101
    assert worse.p_value == 1
    assert better.gain.value == -worse.gain.value > 5 * better.gain.error
    first, second = rows_of(classification)["auc"]
    assert (first["difference"], first["p_value"]) == (None, None)
    assert (second["difference"], second["p_value"]) == (worse.gain.value, 1)


def test_calibration_and_sculpting_of_the_likelihood_ratio(
    classification: ClassificationEvaluation,
) -> None:
    model = classification.models[0]
    reliability = model.calibration.reliability
    pulls = [
        (value - mean) / error
        for value, mean, error in zip(
            reliability.values, model.calibration.mean_scores, reliability.errors, strict=True
        )
        if value is not None and error
    ]
    assert np.sum(np.square(pulls)) < scipy.stats.chi2.isf(1e-3, len(pulls))
    assert len(model.sculpting.divergences) == 4
    assert min(each.p_value for each in model.sculpting.divergences) > 0.01


def test_only_events_in_the_window_count_in_cut_and_fit(
    toy_events_of_classes: Events, evaluated: Callable[..., ClassificationEvaluation]
) -> None:
    window = (100.0, 150.0)
    found = evaluated(toy_events_of_classes, significance_window=window)
    everywhere = evaluated(toy_events_of_classes)
    events, [model] = toy_events_of_classes, found.models
    assert events.label is not None
    m4l = events.event[:, events.features["event"].index("m4l")]
    inside = (m4l >= window[0]) & (m4l < window[1])
    for label, expected in ((1, model.scan.signal[0]), (0, model.scan.background[0])):
        of_label = inside & (events.label == label)
        assert expected == pytest.approx(events.weight[of_label].sum())
    after_cut = sum(each.expected.value for each in model.yields if each.expected)
    assert after_cut == pytest.approx(model.best_cut.signal.value + model.best_cut.background.value)
    assert model.fit.scores.data is not None
    assert sum(model.fit.scores.data.counts) == np.sum(inside & (events.label == -1))
    assert model.ranking == everywhere.models[0].ranking


def test_spectra_and_yields_agree(classification: ClassificationEvaluation) -> None:
    for model in classification.models:
        for name, expected in EXPECTED.items():
            assert sum(model.scores.processes[name].weights) == pytest.approx(expected)
            assert sum(model.fit.scores.processes[name].weights) == pytest.approx(expected)
        for process, after in zip(classification.processes, model.yields, strict=True):
            assert process.name == after.process
            if process.kind != "data":
                kept = sum(model.after_cut.processes[process.name].weights)
                assert kept == pytest.approx(after.expected.value, rel=1e-6)
        assert sum(model.after_cut.data.counts) == model.yields[-1].events
        assert sum(model.scores.data.counts) == COUNTS["data"]
        signal = sum(after.expected.value for after in model.yields[:2])
        assert signal == pytest.approx(model.best_cut.signal.value)


def test_systematics_lower_the_significance_of_the_fit(
    classification: ClassificationEvaluation,
) -> None:
    for model in classification.models:
        statistics, systematics = model.fit.statistics_only, model.fit.with_systematics
        s, b = (
            np.sum([model.fit.scores.processes[name].weights for name in names], axis=0)
            for names in (("ggH", "VBFH"), ("ZZ", "ttbar"))
        )
        expected = np.sqrt(np.sum(2 * ((s + b) * np.log(1 + s / b) - s)))
        assert statistics.expected == pytest.approx(expected, rel=0.01)
        assert systematics.expected < statistics.expected
        assert statistics.observed > 0
        assert model.best_cut.significance.value < statistics.expected


def test_tables(classification: ClassificationEvaluation) -> None:
    tables = rows_of(classification)
    assert list(tables) == [
        *("auc", "over_training", "best_cut", "fit", "yields"),
        *("differences", "rejection", "calibration"),
    ]
    names = [row["process"] for row in tables["yields"]]
    assert names == ["ggH", "VBFH", "ZZ", "ttbar", TOTAL, "data"]
    total = tables["yields"][4]
    assert total["expected"] == pytest.approx(sum(EXPECTED.values()))
    assert tables["yields"][5]["events"] == COUNTS["data"]
    for rows in tables.values():
        assert all(row.keys() <= rows[-2 if rows is tables["yields"] else 0].keys() for row in rows)


def test_metrics_can_be_logged(classification: ClassificationEvaluation) -> None:
    metrics = classification.metrics()
    assert all(np.isfinite(value) for value in metrics.values())
    for model in classification.models:
        assert metrics[f"auc/{model.name}"] == model.ranking.auc.value
        assert metrics[f"significance_error/{model.name}"] == model.best_cut.significance.error
    allowed = set("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.:/")
    assert set().union(*metrics) <= allowed


def test_what_is_saved_is_read_back(
    classification: ClassificationEvaluation, tmp_path: Path
) -> None:
    save(classification, tmp_path / "evaluation.json")
    found = read(tmp_path / "evaluation.json")
    assert found == classification._replace(scored=())
    assert tables_of(found) == tables_of(classification)


def test_what_is_not_an_evaluation(tmp_path: Path) -> None:
    (tmp_path / "evaluation.json").write_bytes(sealed_json('{"processes": 3}'))
    with pytest.raises(InputError, match="not an evaluation: processes"):
        read(tmp_path / "evaluation.json")


def test_scored_events_are_all_and_data_was_never_seen(
    classification: ClassificationEvaluation, toy_events_of_classes: Events
) -> None:
    data = toy_events_of_classes.label == -1
    for scored in classification.scored:
        assert scored.scores.shape == scored.scores_in_training.shape == data.shape
        assert np.isfinite(scored.scores).all()
        np.testing.assert_array_equal(np.isnan(scored.scores_in_training), data)


def test_same_seed_same_evaluation(toy_events_of_classes: Events, evaluated: Callable) -> None:
    first, again, other = (
        evaluated(toy_events_of_classes, seed=seed, replicas=20, score_bins=5)._replace(scored=())
        for seed in (1, 1, 2)
    )
    assert first == again
    assert first.models[0].ranking.auc != other.models[0].ranking.auc


def test_without_data_and_with_one_background(evaluated: Callable) -> None:
    events = toy_classes({"ggH": 300, "VBFH": 100, "ZZ": 500, "ttbar": 100})
    (model,) = evaluated(events, replicas=10, samples=SAMPLES[:-1]).models
    assert model.after_cut.data is None
    assert model.fit.with_systematics.observed is None
    merged = replace(events, sample=np.minimum(events.sample, 2).astype(np.int16))
    (model,) = evaluated(merged, replicas=10, samples=SAMPLES[:3]).models
    assert model.ranking.auc_against == {}


def test_a_constant_score_is_evaluated(evaluated: Callable, toy_events_of_classes: Events) -> None:
    class Constant(GaussianModel):
        def answer(self, events: Events) -> np.ndarray:
            return np.full(len(events), 0.5)

        answer_seen = answer

    evaluation = evaluated(toy_events_of_classes, Constant(), replicas=10)
    (model,) = evaluation.models
    assert model.ranking.auc.value == pytest.approx(0.5)
    assert model.best_cut.signal_efficiency == 1
    assert len(model.fit.scores.edges) == 2
    assert np.isfinite(list(evaluation.metrics().values())).all()


class Broken(GaussianModel):
    def __init__(self, scores: np.ndarray) -> None:
        super().__init__("broken")
        self.scores = scores

    def answer(self, events: Events) -> np.ndarray:
        return self.scores[: len(events)]

    answer_seen = answer


@pytest.mark.parametrize(
    ("scores", "reason"),
    [
        (np.zeros(3), r"^broken: scores of shape \(3,\) for 5000 events"),
        (np.full(9999, 1.5), "^broken: 5000 of 5000 scores are not from 0 to 1, the first is 1.5"),
        (np.full(9999, np.nan), "^broken: 5000 of 5000 scores .* the first is nan"),
    ],
)
def test_scores_that_are_no_probabilities(
    scores: np.ndarray, reason: str, evaluated: Callable, toy_events_of_classes: Events
) -> None:
    with pytest.raises(ConformanceError, match=reason):
        evaluated(toy_events_of_classes, Broken(scores))


def test_models_need_names_of_their_own(evaluated: Callable, toy_events_of_classes: Events) -> None:
    with pytest.raises(UsageError, match="a name of its own, these are network, network"):
        evaluated(toy_events_of_classes, GaussianModel(), GaussianModel())


def test_a_rejection_without_an_error_is_none(tmp_path: Path) -> None:
    few = toy_classes({"ggH": 40, "VBFH": 20, "ZZ": 80, "ttbar": 20})
    config = ClassificationEvaluationConfig(
        replicas=4,
        importance_events=20,
        observable="m4l",
        observable_window=(70.0, 250.0),
        significance_window=(100.0, 170.0),
    )
    found = evaluate(few, SAMPLES, [GaussianModel()], INPUTS, config, 1, M4L)
    save(found, tmp_path / "evaluation.json")
    assert read(tmp_path / "evaluation.json").models == found.models


@pytest.fixture(scope="module")
def of_three(evaluated: Callable) -> ClassificationEvaluation:
    """Return signal against two classes, ttbar being one of its own, without an observable."""
    events = toy_classes({"ggH": 300, "VBFH": 100, "ZZ": 400, "ttbar": 300, "data": 30})
    events = replace(events, label=np.where(events.sample == 3, 2, events.label).astype(np.int8))
    samples = [*SAMPLES[:3], SAMPLES[3].model_copy(update={"label": "ttbar"}), SAMPLES[4]]
    varied = np.zeros(len(events), [("scale_up", float), ("scale_down", float)])
    for name, factor in (("scale_up", 1.1), ("scale_down", 0.8)):
        varied[name] = events.weight * np.where(events.label == 0, factor, 1)
    events = replace(events, systematic_weights=varied)
    return evaluated(
        events,
        OfThree(),
        samples=samples,
        classes=("background", "signal", "ttbar"),
        replicas=20,
        observable=None,
    )


def test_several_classes_are_told_from_each_other(of_three: ClassificationEvaluation) -> None:
    [model] = of_three.models
    assert model.classes is not None
    confusion = np.array([[share.value for share in row] for row in model.classes.confusion])
    np.testing.assert_allclose(confusion.sum(axis=1), 1)
    jets = 1 - np.exp(-1)  # that there is one says which of the others the model takes
    right = scipy.stats.norm.cdf(DISTANCE / 2)
    expected = [right * (1 - jets), 1 - right, right * jets]
    np.testing.assert_allclose(confusion[2], expected, atol=0.1)
    background, signal, ttbar = model.classes.one_against_rest
    assert signal.auc == pytest.approx(model.ranking.auc)
    assert background.auc.value < signal.auc.value
    assert list(model.ranking.auc_against) == ["ZZ", "ttbar"]
    metrics = of_three.metrics()
    assert metrics["auc_of_ttbar/network"] == ttbar.auc.value
    assert metrics["right_class_of_signal_error/network"] > 0
    assert [row["class"] for row in rows_of(of_three)["confusion"]] == list(of_three.classes)


def test_without_an_observable_what_needs_one_is_left_out(
    of_three: ClassificationEvaluation, tmp_path: Path
) -> None:
    [model] = of_three.models
    assert of_three.spectrum is model.after_cut is model.sculpting is None
    assert not any(name.startswith("sculpting") for name in of_three.metrics())
    write_evaluation(of_three, {"dataset": "toys"}, tmp_path)
    figures = draw_evaluation(tmp_path, "neutral", tmp_path / "drawn")
    names = {path.stem for path in figures}
    assert names >= {"confusion_network", "probability_ttbar_network"}
    assert not any(name.startswith(("observable", "sculpting")) for name in names)
    assert "No observable is configured" in (tmp_path / "drawn" / "report.html").read_text()
    for name in rows_of(of_three):
        assert {path.suffix for path in (tmp_path / "tables").glob(f"{name}.*")} == {".csv", ".tex"}


def test_systematic_weights_shift_results_and_widen_bands(
    of_three: ClassificationEvaluation,
) -> None:
    [model] = of_three.models
    up, down = model.variations
    kept = sum(each.expected.value for each in model.yields if each.process == "ZZ")
    assert up.background == pytest.approx(0.1 * kept)
    assert down.background == pytest.approx(-0.2 * kept)
    assert up.signal == down.signal == 0
    assert up.significance < 0 < down.significance
    of_zz = np.array(model.scores.processes["ZZ"].weights)
    np.testing.assert_allclose(model.scores.up, 0.1 * of_zz, atol=1e-12)
    np.testing.assert_allclose(model.scores.down, 0.2 * of_zz, atol=1e-12)
    assert [row["variation"] for row in rows_of(of_three)["systematics"]] == [
        "scale_up",
        "scale_down",
    ]


def test_one_fold_has_its_share_of_the_luminosity(
    classification: ClassificationEvaluation, toy_events_of_classes: Events, tmp_path: Path
) -> None:
    one = toy_events_of_classes.take(toy_events_of_classes.fold == 2)
    config = ClassificationEvaluationConfig(replicas=4, importance_events=20)
    arguments = one, SAMPLES, [GaussianModel()], INPUTS, config, 1
    found = evaluate(*arguments, held_out=HeldOut(2, 5))
    assert found.luminosity_fb_inverse == classification.luminosity_fb_inverse / 5
    for process, every in zip(found.processes, classification.processes, strict=True):
        assert process.events == pytest.approx(every.events / 5, abs=4 * np.sqrt(every.events / 5))
    write_report(found, [], {}, tmp_path / "report.html")
    text = " ".join((tmp_path / "report.html").read_text().split())
    assert "All events, data too, are of fold 2 of 5" in text
    assert "the number expected in 2 fb" in text


def test_any_class_may_be_the_signal(evaluated: Callable, toy_events_of_classes: Events) -> None:
    [usual], [turned] = (
        evaluated(toy_events_of_classes, replicas=5, signal=[name]).models
        for name in ("signal", "background")
    )
    assert turned.ranking.auc.value == pytest.approx(usual.ranking.auc.value)
    assert turned.best_cut.signal.value > usual.best_cut.signal.value
