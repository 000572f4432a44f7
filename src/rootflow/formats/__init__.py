"""Files of events, of any format: found, opened as tables, and written."""

from rootflow.formats.finding import find_files
from rootflow.formats.opening import open_table
from rootflow.formats.table import Table
from rootflow.formats.writing import write_histograms

__all__ = ["Table", "find_files", "open_table", "write_histograms"]
