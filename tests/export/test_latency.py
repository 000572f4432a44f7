from typing import TYPE_CHECKING

from rootflow.exported.session import latency_ms

if TYPE_CHECKING:
    from rootflow.export.writing import Export


def test_one_event_takes_some_time_in_ms(exported: "Export") -> None:
    # The first event of any number of them is asked for.
    assert 0 < latency_ms(exported.named_path, exported.input_example) < 1000
