"""The name of the question that a dataset answers."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from rootflow.config.data import DataConfig
from rootflow.config.digest import digest_of
from rootflow.config.samples import LabelledDataConfig
from rootflow.dataset import samples, ttbar
from rootflow.dataset.contents import Contents, FileContent
from rootflow.dataset.manifest import DATASET_VERSION
from rootflow.dataset.plans import Plan
from rootflow.errors import InputError
from rootflow.sources import code_digest

# Settings of both kinds of data that leave the arrays as they are, or that the samples'
# own part of the question says.
CHANGES_NO_ARRAY: Mapping[str, bool | set[str]] = {
    "files": True,
    "samples": True,
    "branch_map": True,
    "copies": True,
    "folds": {"held_out"},
    "weights": {"negative", "class_balance"},
}


def digest(
    config: DataConfig | LabelledDataConfig,
    files: Mapping[str, Sequence[Path]],
    memory: Path | None = None,
) -> str:
    """Return the name of the dataset that these files and settings make.

    It changes with whatever changes an array or what the manifest says of samples: the
    content of the files and their order, names, labels and titles of labelled samples,
    what the branch maps say, the selection, max_jets, the folds, the scale of the
    weights, the code that makes a dataset of this analysis, and the version of the format
    of datasets. It does not depend on names of files or maps, on which fold is held out,
    or on what training does with weights.

    Parameters
    ----------
    files
        Of each sample, by its name.
    memory
        A directory that remembers the digests of files by path, size and time of change,
        so that each is read once.

    Raises
    ------
    InputError
        A file cannot be read or is given twice, or the memory cannot be written.
    UsageError
        There is no such branch map, or the settings ask for what it does not name.
    """
    plans = plans_of(config, files)
    return name_of(config, plans, file_contents(plans, memory))


def plans_of(
    config: DataConfig | LabelledDataConfig, files: Mapping[str, Sequence[Path]]
) -> list[Plan]:
    """Return what is to be made of the files of each sample."""
    if isinstance(config, DataConfig):
        return ttbar.plans(config, files)
    return samples.plans(config, files)


def code_of(config: DataConfig | LabelledDataConfig) -> str:
    """Return the name of the code that makes such a dataset."""
    return code_digest("ttbar" if isinstance(config, DataConfig) else "h4l", "dataset")


def name_of(
    config: DataConfig | LabelledDataConfig,
    plans: Sequence[Plan],
    contents: Sequence[Sequence[FileContent]],
) -> str:
    """Return the name of the dataset that files of these contents make."""
    question = {
        "dataset_version": DATASET_VERSION,
        "code": code_of(config),
        "settings": config.model_dump(mode="json", exclude=dict(CHANGES_NO_ARRAY)),
        "samples": [
            {"name": plan.name, "files": [content.sha256 for content in of_plan], **plan.question}
            for plan, of_plan in zip(plans, contents, strict=True)
        ],
    }
    return digest_of(question)


def file_contents(plans: Sequence[Plan], memory: Path | None = None) -> list[list[FileContent]]:
    """Return size and SHA-256 of each file of each plan.

    Raises
    ------
    InputError
        A file cannot be read, or two have the same content.
    """
    known = Contents(memory)
    contents = [[known.of(path) for path in plan.files] for plan in plans]
    known.keep()
    first_of: dict[str, Path] = {}
    for plan, of_plan in zip(plans, contents, strict=True):
        for path, content in zip(plan.files, of_plan, strict=True):
            if content.sha256 in first_of:
                raise InputError(
                    f"{path}: has the same content as {first_of[content.sha256]}: "
                    f"its events would count twice"
                )
            first_of[content.sha256] = path
    return contents
