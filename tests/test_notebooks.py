"""The notebooks run from their first cell to their last, as they are committed."""

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

PROJECT = Path(__file__).parents[1]
NOTEBOOKS = sorted((PROJECT / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_committed_without_outputs(path: Path) -> None:
    for cell in nbformat.read(path, as_version=4).cells:
        assert not cell.get("outputs")
        assert cell.get("execution_count") is None


@pytest.mark.slow
# The kernel's own channels, closed by the garbage collector.
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_h4l_tells_its_story(workspace: Path) -> None:
    for name in ("configs", "data"):
        (workspace / name).symlink_to(PROJECT / name)
    (workspace / "notebooks").mkdir()
    notebook = nbformat.read(PROJECT / "notebooks" / "h4l.ipynb", as_version=4)
    client = NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(workspace / "notebooks")}},
    )
    client.execute()
    shown = [
        output["data"]
        for cell in notebook.cells
        for output in cell.get("outputs", [])
        if output.output_type == "display_data"
    ]
    assert any("significance" in data.get("text/plain", "") for data in shown)
    assert sum("image/png" in data for data in shown) == 9
    assert (workspace / "mlflow.db").exists()
