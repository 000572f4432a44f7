#!/usr/bin/env bash
# pyarrow 25.0.1: metadata that a ParquetWriter is given at the end is in the file, not in the table.
#
# `ParquetWriter.add_key_value_metadata` is for what is known once all rows are written, such as how
# many passed. `read_metadata` shows it, and so do other readers; `read_table` and `read_schema` show
# what the schema had at the beginning alone, so that a table that is read and written again loses it.
#
# Output seen:
#   read_metadata has early and late; read_schema and read_table have early alone.
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --disable-pip-version-check pyarrow==25.0.1
cd "$folder"
venv/bin/python - <<'PYTHON'
import sys

import pyarrow as pa
from pyarrow import parquet

schema = pa.schema({"pt": pa.float32()}).with_metadata({"early": "1"})
with parquet.ParquetWriter("events.parquet", schema) as writer:
    writer.write_table(pa.table({"pt": pa.array([25.0], pa.float32())}, schema))
    writer.add_key_value_metadata({"late": "2"})


def names(metadata: dict[bytes, bytes]) -> set[str]:
    return {name.decode() for name in metadata} - {"ARROW:schema"}


found = {
    "read_metadata": names(parquet.read_metadata("events.parquet").metadata),
    "read_schema": names(parquet.read_schema("events.parquet").metadata),
    "read_table": names(parquet.read_table("events.parquet").schema.metadata),
}
print(found)
both, early = {"early", "late"}, {"early"}
sys.exit(found != {"read_metadata": both, "read_schema": early, "read_table": early})
PYTHON
