"""Tokens that are refused: every claim missing, wrong, too wide or too long."""

from datetime import UTC, datetime, timedelta

import pytest

from annex_pool.command_error import AnnexError
from annex_pool.token import TOLERANCE, defects, expiry, read_token, rule_for
from tests.unit.pool.token_texts import encoded, token_text

NOW = datetime(2030, 1, 1, 12, tzinfo=UTC)
LATEST = NOW + timedelta(hours=8)
END = NOW + timedelta(hours=4)
RULE = rule_for("demo", "example.edu", END, LATEST)
SCOPE = "condor:/ADVERTISE_STARTD condor:/ADVERTISE_MASTER"
RIGHT: dict[str, object] = {
    "sub": "annex-demo@example.edu",
    "iss": "example.edu",
    "scope": SCOPE,
    "iat": int(NOW.timestamp()),
    "exp": int(LATEST.timestamp()),
    "jti": "0123",
}


def found(**claims: object) -> tuple[str, ...]:
    changed = {key: value for key, value in {**RIGHT, **claims}.items() if value is not None}
    return defects(read_token(token_text(changed)), RULE, NOW)


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"scope": "condor:/ADVERTISE_MASTER condor:/ADVERTISE_STARTD"},
        {"exp": int((END - TOLERANCE).timestamp())},
        {"iat": None, "jti": None},
    ],
)
def test_accepted(claims: dict[str, object]) -> None:
    assert found(**claims) == ()


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ({"sub": None}, "its identity (sub) is missing, allowed is annex-demo@example.edu"),
        ({"sub": "condor@example.edu"}, "'condor@example.edu'"),
        ({"sub": "annex-demo2@example.edu"}, "allowed is annex-demo@example.edu"),
        ({"sub": "annex-demo@other.edu"}, "allowed is annex-demo@example.edu"),
        ({"sub": "ANNEX-demo@example.edu"}, "allowed is annex-demo@example.edu"),
        ({"sub": ["annex-demo@example.edu"]}, "allowed is annex-demo@example.edu"),
        ({"iss": None}, "its issuer (iss) is missing"),
        ({"iss": "other.edu"}, "allowed is the pool's trust domain example.edu"),
        ({"scope": None}, "its scope is missing"),
        ({"scope": ""}, "its scope is ''"),
        ({"scope": "condor:/ADVERTISE_STARTD"}, "allowed is exactly"),
        ({"scope": f"{SCOPE} condor:/READ"}, "allowed is exactly"),
        ({"scope": f"{SCOPE} condor:/DAEMON"}, "allowed is exactly"),
        ({"scope": [SCOPE]}, "allowed is exactly"),
        ({"exp": None}, "its expiry (exp) is missing"),
        ({"exp": "2030"}, "its expiry (exp) is '2030'"),
        ({"exp": True}, "its expiry (exp) is True"),
        ({"exp": 1.5e9}, "allowed is a time"),
        ({"exp": 10**30}, "allowed is a time"),
        ({"exp": -1}, "allowed is a time"),
        ({"exp": int(NOW.timestamp())}, "it expired at 2030-01-01T12:00:00Z"),
        (
            {"exp": int((END - TOLERANCE).timestamp()) - 1},
            "it expires at 2030-01-01T15:54:59Z, and execution points could not join until the end of the lease: "
            "allowed is 2030-01-01T15:55:00Z or later",
        ),
        ({"exp": int(LATEST.timestamp()) + 1}, "it expires at 2030-01-01T20:00:01Z, allowed is at most"),
    ],
)
def test_refused(claims: dict[str, object], said: str) -> None:
    (defect,) = found(**claims)
    assert said in defect


def test_everything_wrong_is_said_at_once() -> None:
    assert len(defects(read_token(token_text({})), RULE, NOW)) == 4


@pytest.mark.parametrize(
    "text",
    [
        "",
        "token",
        "a.b",
        "a.b.c.d",
        "a.b.",
        token_text(RIGHT) + "\n" + token_text(RIGHT),
        f"{encoded({})}.{encoded([1])}.x",
        f"{encoded({})}.{encoded('x')}.x",
        f"{encoded({})}.AAAA.x",
        f"{encoded({})}.A.x",
        "ä.ö.ü",
    ],
)
def test_not_a_token(text: str) -> None:
    with pytest.raises(AnnexError, match=r"not (one|an) IDTOKEN") as caught:
        read_token(text)
    assert not text or text not in str(caught.value)


def test_white_space_around_a_token_is_dropped() -> None:
    assert read_token(f" {token_text(RIGHT)}\r\n").text == token_text(RIGHT)


def test_a_token_is_never_shown() -> None:
    token = read_token(token_text(RIGHT))
    assert expiry(token) == LATEST
    assert "eyJ" not in repr(token) + str(token)
