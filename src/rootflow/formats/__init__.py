"""Files of events, of any format: found, opened as tables, and written."""

from rootflow.formats.faults import NoTreeError
from rootflow.formats.finding import find_files
from rootflow.formats.opening import glance, open_table
from rootflow.formats.root import bins_of_histograms
from rootflow.formats.table import Table
from rootflow.formats.writing import write_histograms

__all__ = [
    "NoTreeError",
    "Table",
    "bins_of_histograms",
    "find_files",
    "glance",
    "open_table",
    "write_histograms",
]
