"""Which registered model becomes the champion, and why another does not."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click.testing
import onnx
import pytest
from mlflow.tracking import MlflowClient

from rootflow.commands.registry import registry
from rootflow.config import Config, FoldingConfig, FoldsConfig, change, load
from rootflow.dataset import Dataset
from rootflow.errors import RootflowError, UsageError
from rootflow.exported.session import open_exported
from rootflow.steps import preprocess
from rootflow.steps.registry import promote
from rootflow.steps.registry.decision import PREFIX
from rootflow.tracking import start_run
from rootflow.tracking.registry import describe, fetch_onnx_model, log_onnx_model, version_of
from toy_exports import ALWAYS, NEVER, assigning_network, examples, scoring_model

PROJECT = Path(__file__).parents[2]
PARITY = {"parity_probability": 1e-7, "parity_momentum": 1e-5, "parity_score": 1e-8}
# Right with three jets alone, or with four and more.
FEW, MANY = (-1.0, -1, -1, 1, -1, -1, -1, -1, -1), (-1.0, -1, -1, -1, 1, 1, 1, 1, 1)
PROMOTION = "promotion"

pytestmark = pytest.mark.filterwarnings("ignore:.*Any type hint is inferred:UserWarning")


def git(*arguments: str) -> None:
    identity = ["-c", "user.name=Tester", "-c", "user.email=tester@localhost"]
    subprocess.run(["git", *identity, *arguments], check=True, capture_output=True)


@pytest.fixture(scope="module")
def place(empty_store: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Go to a clean git tree with a store of its own."""
    directory = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(directory)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{directory / 'mlflow.db'}")
        (directory / "mlflow.db").write_bytes(empty_store.read_bytes())
        Path(".gitignore").write_text("*\n!.gitignore\n")
        git("init")
        git("add", ".gitignore")
        git("commit", "--message", "Ignore everything")
        yield directory


@pytest.fixture(scope="module")
def client(place: Path) -> MlflowClient:
    return MlflowClient(f"sqlite:///{place / 'mlflow.db'}")


@pytest.fixture(scope="module")
def ttbar(place: Path, small_ntuple: Path) -> Config:
    settings = [
        f"data.files=[{small_ntuple}]",
        "evaluation.replicas=200",
        f"output={place}/outputs",
    ]
    return load(PROJECT / "configs" / "ttbar.yaml", settings)


@pytest.fixture(scope="module")
def h4l(place: Path) -> Config:
    (place / "data").symlink_to(PROJECT / "data")
    return load(PROJECT / "configs" / "h4l.yaml", ["evaluation.replicas=100"])


def dataset_of(config: Config) -> Dataset:
    with start_run(config, "preprocess") as run:
        return preprocess.ensure(config, run)


@pytest.fixture(scope="module")
def events(ttbar: Config) -> Dataset:
    return dataset_of(ttbar)


@pytest.fixture(scope="module")
def leptons(h4l: Config) -> Dataset:
    return dataset_of(h4l)


def named(config: Config, name: str, **promotion: Any) -> Config:
    values = {f"{PROMOTION}.{key}": value for key, value in promotion.items()}
    return change(config, {"export.registered_model": name, **values})


def register(
    config: Config,
    dataset: Dataset,
    model: onnx.ModelProto,
    parity: dict[str, float] = PARITY,
    alias: str = "candidate",
) -> str:
    """Register a model as export does, and return models:/NAME/VERSION."""
    with start_run(config, "export") as run:
        run.log_metrics(parity)
        shown = examples(model, dataset.events(slice(0, 3)))
        uri = log_onnx_model(run, model, *shown, str(config.export.registered_model))
    describe(uri, {}, alias=alias)
    return uri


def network(made_for: Dataset, tagged: Any = ALWAYS, **more: Any) -> onnx.ModelProto:
    digest = more.pop("simulation", made_for.manifest.simulation_digest)
    return assigning_network(made_for.events(), digest, tagged, **more)


def champion_of(client: MlflowClient, name: str) -> str:
    return str(client.get_registered_model(name).aliases["champion"])


def call(*arguments: str) -> str:
    answer = click.testing.CliRunner().invoke(
        registry, arguments, catch_exceptions=False, standalone_mode=False
    )
    if answer.exception is not None:
        raise answer.exception
    return answer.stdout


def test_from_the_first_champion_to_a_rollback(
    ttbar: Config, events: Dataset, client: MlflowClient
) -> None:
    config = named(ttbar, "story")
    register(config, events, network(events, NEVER))
    first = promote.run(config)
    assert first.facts["decision"] == "promoted"
    assert first.facts["champion"] is None
    tags = version_of("models:/story/1").tags
    assert tags[f"{PREFIX}champion"] == "none"
    assert float(tags[f"{PREFIX}value_error"]) > 0
    assert f"{PREFIX}p_value" not in tags

    register(config, events, network(events, ALWAYS))
    second = promote.run(config, "models:/story/2")
    assert second.facts["reasons"] == []
    assert champion_of(client, "story") == "2"
    tags = version_of("models:/story@champion").tags
    assert tags[f"{PREFIX}decision"] == "promoted"
    assert tags[f"{PREFIX}champion"] == "1"
    assert tags[f"{PREFIX}dataset"] == events.manifest.digest
    assert tags[f"{PREFIX}p_value"] == "< 0.005"
    gain = float(tags[f"{PREFIX}value"]) - float(tags[f"{PREFIX}champion_value"])
    assert float(tags[f"{PREFIX}gain"]) == pytest.approx(gain)
    assert 0.01 < float(tags[f"{PREFIX}gain_error"]) < 0.1
    logged = client.get_run(second.run_id).data
    assert logged.metrics["gain"] == pytest.approx(gain)
    assert logged.tags[f"{PREFIX}decision"] == "promoted"

    with pytest.raises(UsageError, match="models:/story/2 is the champion already"):
        promote.run(config, "@champion")

    listed = json.loads(call("list", "story", "--json"))["models"]
    assert [(row["version"], row["aliases"]) for row in listed] == [
        (2, "candidate, champion"),
        (1, ""),
    ]
    assert listed[0]["metric"] == "assignment_accuracy"
    assert listed[0]["gain"] == pytest.approx(gain)
    table = call("list", "story")
    assert "promoted" in table
    assert "±" in table

    back = json.loads(call("rollback", "story", "--json"))
    assert (back["champion"], back["rolled_back"]) == ("models:/story/1", "models:/story/2")
    assert champion_of(client, "story") == "1"
    assert version_of("models:/story/2").tags[f"{PREFIX}decision"] == "rolled back"
    with pytest.raises(RootflowError, match="before models:/story/1 there was no champion"):
        call("rollback", "story")
    assert champion_of(client, "story") == "1"
    assert promote.run(config, "2").facts["decision"] == "promoted"  # it may come back


def refused(config: Config, dataset: Dataset, model: onnx.ModelProto, **more: Any) -> list[str]:
    """Return why a model is refused, which must be in its tags as well."""
    uri = register(config, dataset, model, **more)
    return refusal(config, uri)


def refusal(config: Config, uri: str) -> list[str]:
    before = version_of(uri)
    found = promote.run(config, uri).facts
    assert found["decision"] == "refused"
    after = version_of(uri)
    assert after.tags[f"{PREFIX}decision"] == "refused"
    assert after.tags[f"{PREFIX}reasons"] == "; ".join(found["reasons"])
    assert after.aliases == before.aliases
    reasons: list[str] = found["reasons"]
    return reasons


def test_parity_that_is_missing_or_not_held(ttbar: Config, events: Dataset) -> None:
    config = named(ttbar, "parity")
    [missing] = refused(config, events, network(events), parity={"parity_momentum": 1e-5})
    assert missing.endswith("has no parity_probability: export the model again")
    worse = PARITY | {"parity_probability": 2e-5}
    assert refused(config, events, network(events), parity=worse) == [
        "parity: parity_probability is 2e-05, above 1e-05"
    ]
    broken = PARITY | {"parity_momentum": float("nan")}
    [nothing] = refused(config, events, network(events), parity=broken)
    assert nothing == "parity: parity_momentum is nan, above 0.001"


def test_a_model_that_has_seen_the_fold(ttbar: Config, events: Dataset) -> None:
    config = named(ttbar, "fold")
    [seen] = refused(config, events, network(events, folds=FoldsConfig(held_out=1)))
    assert seen == (
        "fold: it has not seen fold 1 of 5 (hash), but may have seen the events of fold "
        "0 of 5 (hash), which data.folds holds out"
    )
    [scheme] = refused(config, events, network(events, folds=FoldsConfig(scheme="modulo")))
    assert "0 of 5 (modulo), but may have seen" in scheme


def test_other_simulation(ttbar: Config, events: Dataset) -> None:
    config = named(ttbar, "simulation")
    [other] = refused(config, events, network(events, simulation="0123456789abcdef"))
    wanted = events.manifest.simulation_digest
    assert other == (
        f"simulation: it learnt from 0123456789abcdef, the configuration's is {wanted}"
    )


def test_a_dirty_tree(ttbar: Config, events: Dataset) -> None:
    config = named(ttbar, "tree")
    assert refused(config, events, network(events, training_git_tree="dirty")) == [
        "tree: it was dirty when the model was trained"
    ]
    [unknown] = refused(config, events, network(events, training_git_tree="unknown"))
    assert "not known to be clean (unknown) when the model was trained" in unknown
    kept = Path(".gitignore").read_text()
    Path(".gitignore").write_text(kept + "# changed\n")
    uri = register(config, events, network(events))
    Path(".gitignore").write_text(kept)
    assert refusal(config, uri) == ["tree: it was dirty when the model was exported"]


def test_a_gain_too_small_and_a_p_value_too_large(
    ttbar: Config, events: Dataset, client: MlflowClient
) -> None:
    config = named(ttbar, "gain")
    register(config, events, network(events, NEVER))
    promote.run(config)
    [small, also] = refused(named(ttbar, "gain", least_gain=0.9), events, network(events, ALWAYS))
    assert small.endswith("over models:/gain/1, promotion.least_gain asks for 0.9")
    assert small.startswith("gain: +0.")
    assert also.startswith("p-value: 1 of the gain being no larger than 0.9")
    strict = named(ttbar, "gain", p_value_max=0.001)
    assert refusal(strict, "models:/gain/2") == [
        "p-value: < 0.005 of the gain being no larger than 0, promotion.p_value_max allows 0.001"
    ]
    worse = named(ttbar, "gain", least_gain=-0.01)
    assert promote.run(worse, "2").facts["decision"] == "promoted"
    # The same network again is no gain, but not worse than by a percent either.
    register(config, events, network(events, ALWAYS))
    [no_gain] = refusal(config, "models:/gain/3")
    assert no_gain.startswith("p-value: 1 of the gain being no larger than 0,")
    assert promote.run(worse, "3").facts["decision"] == "promoted"
    assert champion_of(client, "gain") == "3"


def test_a_regression_in_a_named_bin(ttbar: Config, events: Dataset) -> None:
    config = named(ttbar, "bins", p_value_max=1.0, least_gain=-1.0)
    register(config, events, network(events, MANY))
    promote.run(config)
    guarded = named(
        ttbar,
        "bins",
        p_value_max=1.0,
        least_gain=-1.0,
        no_regression_in={"jets": [2.5, 3.5, 8.5]},
    )
    [worse] = refused(guarded, events, network(events, FEW))
    assert worse.startswith("regression: assignment_accuracy changes by -0.")
    assert "where jets is from 3.5 to 8.5" in worse
    rows = json.loads(version_of("models:/bins/2").tags[f"{PREFIX}bins"])
    assert [(row["quantity"], row["from"], row["to"]) for row in rows] == [
        ("jets", 2.5, 3.5),
        ("jets", 3.5, 8.5),
    ]
    assert rows[0]["gain"] > 0 > rows[1]["gain"]
    assert promote.run(config, "2").facts["decision"] == "promoted"
    unknown = named(ttbar, "bins", no_regression_in={"jet": [1, 2]})
    with pytest.raises(UsageError, match=r"promotion\.no_regression_in: 'jet' is none of jets"):
        promote.run(unknown, "1")


def file_of(client: MlflowClient, uri: str) -> Path:
    """Return the file of a version in the store."""
    name, version = uri.removeprefix("models:/").split("/")
    where = client.get_model_version_download_uri(name, version).removeprefix("file://")
    return Path(where, "model.onnx")


def test_a_file_that_is_cut_short_or_another(
    ttbar: Config, events: Dataset, client: MlflowClient, tmp_path: Path
) -> None:
    config = named(ttbar, "file")
    uri = register(config, events, network(events))
    path = file_of(client, uri)
    whole = path.read_bytes()
    fetched, _ = fetch_onnx_model(uri, tmp_path)
    assert fetched.read_bytes() == whole
    _, contract = open_exported(fetched)
    assert [each.name for each in contract.outputs] == ["assignment", "neutrinos"]
    path.write_bytes(whole[: len(whole) // 2])
    [cut] = refusal(config, uri)
    assert cut.startswith("file: ")
    assert "not a whole ONNX file" in cut
    assert "\n" not in cut
    path.write_bytes(whole.replace(b'"held_out":0', b'"held_out":1'))
    [altered] = refusal(config, uri)
    assert altered.startswith("file: ")
    assert "its checksum (rootflow.sha256) is not that of its content" in altered
    assert "\n" not in altered
    other = network(events, NEVER)
    path.write_bytes(other.SerializeToString())
    assert refusal(config, uri) == ["file: not the one that was registered, its SHA-256 is another"]
    del other.metadata_props[:]
    path.write_bytes(other.SerializeToString())
    [foreign] = refusal(config, uri)
    assert "an ONNX file without rootflow's metadata" in foreign
    path.unlink()
    [gone] = refusal(config, uri)
    assert gone.startswith("file: models:/file/1: not an ONNX model")
    path.write_bytes(whole)
    assert promote.run(config, uri).facts["decision"] == "promoted"


def test_a_champion_that_cannot_be_compared_with(
    ttbar: Config, events: Dataset, client: MlflowClient
) -> None:
    config = named(ttbar, "old")
    old = network(events, simulation="0123456789abcdef", folds=FoldsConfig(held_out=3))
    register(config, events, old, alias="champion")
    reasons = refused(config, events, network(events))
    assert len(reasons) == 2
    assert reasons[0].startswith("champion models:/old/1: fold: it has not seen fold 3")
    assert reasons[1].startswith(
        "champion models:/old/1: simulation: it learnt from 0123456789abcdef"
    )
    with pytest.raises(RootflowError, match="models:/old/1 was made the champion by hand"):
        call("rollback", "old")
    client.delete_registered_model_alias("old", "champion")
    with pytest.raises(RootflowError, match="old has no champion"):
        call("rollback", "old")
    assert promote.run(config, "2").facts["decision"] == "promoted"


def test_a_champion_set_by_hand_is_what_a_rollback_returns_to(
    ttbar: Config, events: Dataset, client: MlflowClient
) -> None:
    config = named(ttbar, "hand")
    register(config, events, network(events, NEVER), alias="champion")
    register(config, events, network(events))
    promote.run(config)
    assert champion_of(client, "hand") == "2"
    call("rollback", "hand")
    assert champion_of(client, "hand") == "1"


def test_every_reason_is_told_at_once_and_the_exit_status_is_one(
    ttbar: Config, events: Dataset, small_ntuple: Path
) -> None:
    config = named(ttbar, "all")
    other = network(
        events, simulation="beef", folds=FoldsConfig(held_out=1), training_git_tree="dirty"
    )
    uri = register(config, events, other, parity={})
    settings = ["export.registered_model=all", f"data.files=[{small_ntuple}]"]
    path = str(PROJECT / "configs" / "ttbar.yaml")
    with pytest.raises(RootflowError) as told:
        call("promote", "--config", path, "--json", *settings)
    assert told.value.exit_status == 1
    line = str(told.value)
    assert line.startswith(f"{uri} is refused: ")
    assert "\n" not in line
    for kind in ("fold: ", "simulation: ", "parity_probability", "parity_momentum", "tree: "):
        assert kind in line


def test_what_is_not_there_leaves_no_run(
    ttbar: Config, events: Dataset, client: MlflowClient
) -> None:
    config = named(ttbar, "absent")
    register(config, events, network(events))
    for model, complaint in (
        ("7", "models:/absent/7: not in the registry"),
        ("@best", "models:/absent@best: not in the registry"),
        ("models:/none/1", "models:/none/1: not in the registry"),
        ("models:/none", "is not models:/NAME/VERSION"),
        ("first", "'first' is not models:/NAME/VERSION, models:/NAME@ALIAS, a version"),
    ):
        with pytest.raises(UsageError, match=complaint):
            promote.run(config, model)
    every = change(config, {"data.folds.held_out": "all"})
    with pytest.raises(UsageError, match="a registered model for each: name one"):
        promote.run(every)
    for command in ("list", "rollback"):
        with pytest.raises(UsageError, match="there is no registered model 'none'"):
            call(command, "none")
    with pytest.raises(UsageError, match="models:/absent/7: not in the registry"):
        call("show", "models:/absent/7")
    with pytest.raises(UsageError, match="one model at a time"):
        call("promote", "1", "2")
    [experiment] = client.search_experiments(filter_string="name = 'ttbar'")
    promotions = client.search_runs(
        [experiment.experiment_id], "tags.`rootflow.step` = 'promote'", max_results=1000
    )
    tagged = {run.data.tags.get("rootflow.candidate", "") for run in promotions}
    assert not any(uri.startswith("models:/absent") for uri in tagged)


def test_every_fold_is_held_out(ttbar: Config, events: Dataset) -> None:
    every = change(named(ttbar, "even"), {"data.folds.held_out": "all"})
    third = FoldsConfig(held_out=3)
    register(every, events, network(events, NEVER, folds=third))
    assert promote.run(every, "models:/even/1").facts["decision"] == "promoted"
    assert (
        promote.run(every, register(every, events, network(events, folds=third))).facts["decision"]
        == "promoted"
    )
    [other] = refused(every, events, network(events, folds=FoldsConfig(held_out=2)))
    assert other == (
        "champion models:/even/2: fold: it may be applied to fold 3 of 5 (hash), the candidate "
        "to another"
    )


def test_a_classifier_of_h4l(h4l: Config, leptons: Dataset) -> None:
    config = named(h4l, "higgs", no_regression_in={"jet_n": [-0.5, 0.5, 20]})
    sample = leptons.events()

    def model(**settings: Any) -> onnx.ModelProto:
        return scoring_model(
            sample, settings.pop("simulation", leptons.manifest.simulation_digest), **settings
        )

    register(config, leptons, model(feature="phi", centre=0.0))
    assert promote.run(config).facts["decision"] == "promoted"
    [other] = refused(config, leptons, model(simulation="beef"))
    assert other.startswith("simulation: it learnt from beef")
    [folds] = refused(config, leptons, model(folds=FoldingConfig(count=3)))
    assert folds == (
        "fold: its events were divided into 3 folds of the scheme hash, data.folds has 5 of hash"
    )
    [one] = refused(config, leptons, model(held_out=2))
    assert one.startswith("fold: has not seen fold 2, but has seen fold 0, 1, 3, 4, which data")
    reasons = refused(config, leptons, model(feature="phi_1", centre=0.0))
    assert any(reason.startswith("p-value: ") for reason in reasons)
    assert refused(config, leptons, model(), parity={"parity_score": 1e-4}) == [
        "parity: parity_score is 0.0001, above 1e-05"
    ]
    found = promote.run(config, register(config, leptons, model()))
    assert found.facts["decision"] == "promoted"
    assert found.metrics["value"] > 0.9
    assert found.metrics["gain"] == pytest.approx(
        found.metrics["value"] - found.metrics["champion_value"]
    )
    assert [row["quantity"] for row in found.tables["bins"]] == ["jet_n", "jet_n"]
    [worse, *_] = refused(config, leptons, model(feature="pt_4l", centre=0.0))
    assert worse.startswith("gain: -0.")


def test_a_model_of_the_other_analysis(h4l: Config, ttbar: Config, events: Dataset) -> None:
    config = named(h4l, "mixed")
    uri = register(named(ttbar, "mixed"), events, network(events))
    reasons = refusal(config, uri)
    assert reasons[0].startswith("file: ")
    assert "a model of reconstruction: give one of classification" in reasons[0]
