import pickle

import pytest

from rootflow.errors import AwayError, ConformanceError, InputError, RootflowError, UsageError


@pytest.mark.parametrize(
    "kind", [RootflowError, InputError, UsageError, AwayError, ConformanceError]
)
def test_a_message_is_one_line_whatever_it_quotes(kind: type[RootflowError]) -> None:
    error = kind("no map 'a\nb\r\nc\u2028d': name another")
    assert str(error) == "no map 'a b c d': name another"
    # As it comes from another process.
    assert str(pickle.loads(pickle.dumps(error))) == str(error)  # noqa: S301
