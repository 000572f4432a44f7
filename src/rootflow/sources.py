"""Which code decides an answer, found from what uses what, and the name of that code."""

import ast
import importlib.util
from collections.abc import Collection, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from rootflow.analysis import Answer, Place, TaskName, analysis_named
from rootflow.config.block import digest_of

PACKAGE = Path(__file__).parent

# What decides no number. Settings decide by their values, which are part of every question.
DECIDES_NOTHING = (
    "rootflow.__version__",
    "rootflow.analysis",
    "rootflow.config",
    "rootflow.cores",
    "rootflow.errors",
    "rootflow.files",
    "rootflow.places",
    "rootflow.progress",
    "rootflow.sources",
    "rootflow.training.devices",
)
# Where code that is shared chooses between tasks, and between models, the ways into each.
APPLICATIONS: dict[TaskName, str] = {
    "reconstruction": "rootflow.inference.application.Reconstructions",
    "classification": "rootflow.inference.application.Scores",
}
TREES = (
    "rootflow.training.boosting",
    "rootflow.training.trees",
    "rootflow.training.reconstruction_trees",
)
NETWORKS = (
    "rootflow.training.loop",
    "rootflow.models.classifiers",
)
FIT = ("rootflow.training.fitting", "fit")
# What an answer begins from in all analyses. Events that are read without a dataset must be
# those of the dataset: the code of both has one name.
BEGINS: dict[Answer, Place] = {
    "dataset": ("rootflow.dataset.build", "build"),
    "network": FIT,
    "trees": FIT,
    "application": ("rootflow.inference.files", "apply_to_files"),
}
# The name of what a module does on import beside defining.
ON_IMPORT = ""
EVERYTHING = "*"
FIELDS_WITHOUT_MEANING = {"ctx", "kind", "type_comment"}


class _Module(NamedTuple):
    """What a module defines, what names stand for that it imports, and what it imports whole."""

    package: str
    definitions: dict[str, list[ast.stmt]]
    imports: dict[str, Place]
    always: list[Place]


def code_digest(analysis: str, answer: Answer, package: Path = PACKAGE) -> str:
    """Return the name of the code that decides an answer of an analysis: see docs/design.md."""
    found = analysis_named(analysis)
    closed = [way for task, way in APPLICATIONS.items() if task != found.task]
    closed += {"network": TREES, "trees": NETWORKS}.get(answer, ())
    roots = [BEGINS[answer], *found.code(answer)]
    return digest_of_places(roots, closed, package)


def digest_of_places(
    roots: Sequence[Place], closed: Sequence[str] = (), package: Path = PACKAGE
) -> str:
    """Return the name of definitions and of all that they use.

    What is followed are modules of rootflow and of the packages of the roots, but for names that
    begin with one of `closed`.
    """
    return digest_of(_definitions(roots, (*DECIDES_NOTHING, *closed), package))


def dataset_code(reading: str, package: Path = PACKAGE) -> str:
    """Return the name of the code that makes a dataset, with the class `reading`, MODULE:NAME."""
    module, _, name = reading.partition(":")
    return digest_of_places([BEGINS["dataset"], (module, name)], package=package)


def _definitions(roots: Sequence[Place], closed: Sequence[str], package: Path) -> dict[str, str]:
    """Return the digest of the syntax of each definition that the roots use, by its name."""
    found: dict[str, str] = {}
    seen: set[Place] = set()
    begun = {name for name, _ in roots}
    packages = {name.partition(".")[0] for name in begun} - {package.name}
    left = list(roots)
    while left:
        name, wanted = place = left.pop()
        if place in seen or (name not in begun and _is_in(place, closed)):
            continue
        seen.add(place)
        path = _file(package, name) or _other_file(name, packages)
        if path is None:
            continue
        module = _module(path, name)
        left.append((name, ON_IMPORT))
        if wanted == ON_IMPORT:
            left += module.always
            if name.partition(".")[0] in packages and "." in name:
                left.append((name.rpartition(".")[0], ON_IMPORT))
        if wanted is None:
            left += [(name, each) for each in (*module.definitions, *module.imports)]
        elif wanted in module.imports:
            left.append(module.imports[wanted])
        elif wanted in module.definitions:
            found[f"{name}.{wanted}"], used = _definition(path, name, wanted)
            left += used
        else:
            left.append((f"{name}.{wanted}", None))
    return found


def _is_in(place: Place, names: Collection[str]) -> bool:
    dotted = ".".join(filter(None, place))
    return any(dotted == name or dotted.startswith(f"{name}.") for name in names)


@cache
def _file(package: Path, name: str) -> Path | None:
    """Return the file of a module, None of what is none of rootflow's."""
    root, *parts = name.split(".")
    path = package.joinpath(*parts)
    path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
    return path.resolve() if root == package.name and path.is_file() else None


def _other_file(name: str, packages: Collection[str]) -> Path | None:
    """Return the file of a module of one of these packages, None of others."""
    if name.partition(".")[0] not in packages:
        return None
    try:
        spec = importlib.util.find_spec(name)
    except (ImportError, ValueError):  # a name in a module
        return None
    path = None if spec is None or spec.origin is None else Path(spec.origin)
    return path.resolve() if path is not None and path.suffix == ".py" else None


@cache
def _definition(path: Path, name: str, wanted: str) -> tuple[str, tuple[Place, ...]]:
    """Return the digest of a definition, and what it uses."""
    module = _module(path, name)
    statements = module.definitions[wanted]
    used = (place for statement in statements for place in _used(statement, name, module))
    return digest_of(_syntax(statements)), tuple(used)


@cache  # what has been imported does not change where a file is edited meanwhile
def _module(path: Path, name: str) -> _Module:
    package = name if path.name == "__init__.py" else name.rpartition(".")[0]
    module = _Module(package, {ON_IMPORT: []}, {}, [])
    for statement in ast.parse(path.read_bytes(), path).body:
        _sort(statement, module)
    return module


def _sort(statement: ast.stmt, module: _Module) -> None:
    """Put a statement of a module to what it defines, imports, or does on import."""
    if isinstance(statement, ast.Import | ast.ImportFrom):
        imported = dict(_imported(statement, module.package))
        module.imports.update(imported)
        module.always.extend(
            (name, None) for name, wanted in imported.values() if wanted in (None, EVERYTHING)
        )
    elif isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        module.definitions.setdefault(statement.name, []).append(statement)
    elif isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign) and (
        names := _assigned(statement)
    ):
        for name in names:
            module.definitions.setdefault(name, []).append(statement)
    elif isinstance(statement, ast.If) and "TYPE_CHECKING" in ast.unparse(statement.test):
        for other in statement.orelse:
            _sort(other, module)
    elif not _is_text(statement):
        # What it defines in part, too: it is there whenever anything of the module is.
        module.definitions[ON_IMPORT].append(statement)


def _assigned(statement: ast.Assign | ast.AnnAssign | ast.AugAssign) -> list[str]:
    """Return the names that are assigned to, none where something else is, too."""
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    parts = [part for target in targets for part in getattr(target, "elts", [target])]
    return [part.id for part in parts] if all(isinstance(p, ast.Name) for p in parts) else []


def _imported(statement: ast.Import | ast.ImportFrom, package: str) -> Iterator[tuple[str, Place]]:
    """Yield what each imported name stands for, in a module of a package."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            yield (alias.asname or alias.name.split(".")[0]), (alias.name, None)
        else:
            above = package.split(".")
            above = above[: len(above) - statement.level + 1] if statement.level else []
            module = ".".join([*above, *filter(None, [statement.module])])
            yield (alias.asname or alias.name), (module, alias.name)


def _used(statement: ast.stmt, name: str, module: _Module) -> Iterator[Place]:
    """Yield what a statement of a module uses, of the module's own and of what it imports."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from (place for _, place in _imported(node, module.package))
        # Annotations may name a class in quotes.
        word = node.id if isinstance(node, ast.Name) else getattr(node, "value", None)
        if isinstance(word, str) and (word in module.definitions or word in module.imports):
            yield name, word


def _is_text(statement: Any) -> bool:
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)


def _syntax(node: Any) -> Any:
    """Return a tree as plain data that all versions of Python agree in."""
    if isinstance(node, list):
        return [_syntax(each) for each in node if not _is_text(each)]
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = {
        name: _syntax(value)
        for name, value in ast.iter_fields(node)
        if name not in FIELDS_WITHOUT_MEANING and value is not None and value != []
    }
    return type(node).__name__, fields
