"""`annex credential push`: a token of the pool into the annex's secret, and the grant that waits for it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from annex_pool.aws import asking
from annex_pool.checker import Answer
from annex_pool.environment import Environment
from annex_pool.error import AnnexError, InputError
from annex_pool.expiry import version_id
from annex_pool.finding import SECRET, find_arn
from annex_pool.issuing import issue, read_file
from annex_pool.lease import deployed, reachable_lease
from annex_pool.token import AUTHORIZATIONS, Rule, Token, defects, expiry, read_token, rule_for
from annex_spec import AnnexSpec, PoolSpec

# The pool counts a token's life from when it signs, by its own clock; this much less keeps it within the reach.
_MARGIN_SECONDS = 30


@dataclass(frozen=True)
class Pushed:
    """What was stored, without the token.

    Attributes:
        identity: whom the pool will see.
        expires: until when.
        answer: what the lease checker found afterwards.
    """

    identity: str
    expires: datetime
    answer: Answer


def push(environment: Environment, pool: PoolSpec, spec: AnnexSpec, command: str, file: str | None) -> Pushed:
    """Store a token for the annex and have the lease checker grant its size now.

    Args:
        environment: the world.
        pool: the pool that issues the token.
        spec: the annex.
        command: the program that issues it; see `annex_pool.issuing.issue`.
        file: a file with a token issued elsewhere, `-` for standard input. Default: None - issue one.

    Raises:
        AnnexError: the annex is not deployed or its reach is over; the token is refused; AWS could not be asked.
    """
    aws = environment.connect(spec.region)
    found = deployed(aws, spec)
    # Also for an annex that has ended: without a fresh credential it could not be renewed.
    lease = reachable_lease(found, environment.now())
    rule = rule_for(spec.name, pool.trust_domain, lease.latest_end)
    secret = find_arn(found, SECRET, environment.sleep)
    token = _from_file(file, rule, environment.now()) if file is not None else _issued(command, rule, environment)
    with asking(f"to store the token of annex {spec.name} in {aws.region}"):
        aws.secretsmanager.put_secret_value(
            SecretId=secret, SecretString=token.text, ClientRequestToken=version_id(expiry(token))
        )
    try:
        answer = environment.ask_checker(found)
    except AnnexError as error:
        raise AnnexError(f"the token is stored, but {error}; a working checker grants within a minute") from error
    return Pushed(rule.identity, expiry(token) or lease.latest_end, answer)


def _issued(command: str, rule: Rule, environment: Environment) -> Token:
    lifetime = int((rule.latest - environment.now()).total_seconds()) - _MARGIN_SECONDS
    if lifetime <= 0:
        raise AnnexError(
            f"less than {_MARGIN_SECONDS} seconds of the lease's longest reach are left: not worth a token"
        )
    token = read_token(issue(command, rule.identity, lifetime))
    found = defects(token, rule, environment.now())
    if found:
        raise AnnexError(
            f"the pool's token is refused and nothing was stored: {'; '.join(found)}. Check trust_domain in the spec "
            f"against the pool's TRUST_DOMAIN, and the token command ({command})"
        )
    return token


def _from_file(file: str, rule: Rule, now: datetime) -> Token:
    try:
        token = read_token(read_file(file))
    except InputError:
        raise
    except AnnexError as error:
        raise InputError(f"the token file {file} is refused and nothing was stored: {error}") from None
    found = defects(token, rule, now)
    if found:
        lifetime = max(int((rule.latest - now).total_seconds()) - _MARGIN_SECONDS, 1)
        authorizations = " ".join(f"-authz {name}" for name in AUTHORIZATIONS)
        raise InputError(
            f"the token is refused and nothing was stored: {'; '.join(found)}. Issue it on the pool's host with "
            f"`condor_token_create -identity {rule.identity} {authorizations} -lifetime {lifetime}`"
        )
    return token
