"""What is a secret, and text without it."""

import pytest

from rootflow.secrets import hidden, secrets_in


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("at http://ada:p%40ss@host:5000/x: refused", "at http://ada:***@host:5000/x: refused"),
        ("postgresql+psycopg2://u:a/b@c@db/optuna", "postgresql+psycopg2://u:***@db/optuna"),
        ("[root://a:pass@x//f,root://b:word@y//f]", "[root://a:***@x//f,root://b:***@y//f]"),
        ("https://ghp_0123456789@github.com/ada/x", "https://***@github.com/ada/x"),
        (
            "[https://host/f?X-Amz-Signature=0a&part=1]",
            "[https://host/f?X-Amz-Signature=***&part=1]",
        ),
        ("http://host:5000/#/models/ttbar@champion", "http://host:5000/#/models/ttbar@champion"),
        ("models:/ttbar@champion", "models:/ttbar@champion"),
        ("ssh://git@host/ada/analysis.git", "ssh://git@host/ada/analysis.git"),
        ("git@host:ada/analysis.git", "git@host:ada/analysis.git"),
    ],
)
def test_urls_lose_what_lets_one_in(text: str, shown: str) -> None:
    assert hidden(text) == shown


def test_values_of_variables_are_hidden_by_their_names(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MLFLOW_TRACKING_TOKEN", "AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "MY_API_KEY"):
        monkeypatch.setenv(name, f"value-of-{name}")
        assert hidden(f"it is value-of-{name}!") == "it is ***!"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://ada:p%40ss@host:5000")
    assert hidden("user 'ada' with p@ss (p%40ss)") == "user 'ada' with *** (***)"


def test_other_variables_are_not_secret() -> None:
    variables = {
        "TOKENIZERS_PARALLELISM": "false",
        "AWS_WEB_IDENTITY_TOKEN_FILE": "/run/token",
        "AWS_REGION": "eu-west-1",
        "KEYBOARD": "qwerty",
        "MY_TOKEN": "abc",  # would be found in any text
    }
    assert secrets_in(variables) == ()


def test_longer_secrets_are_hidden_first() -> None:
    assert secrets_in({"A_TOKEN": "part", "B_TOKEN": "part-of-it"}) == ("part-of-it", "part")
