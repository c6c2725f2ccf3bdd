"""The words and options of the commands that change an annex: credential push, extend, renew, stop; and check."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from annex_lease.tags import format_time
from annex_pool.action_line import action_line
from annex_pool.command_line import DEFAULT_SPEC, Name, Span, SpecFile, Until, say_answer, say_error
from annex_pool.credential import push
from annex_pool.extending import extend
from annex_pool.lease import deployed
from annex_pool.moment import read_duration, read_time
from annex_pool.renewing import renew
from annex_pool.stopping import stop
from annex_pool.wanted import check_one
from annex_spec import load


def push_command(
    ctx: typer.Context,
    name: Name,
    spec_file: SpecFile = DEFAULT_SPEC,
    token_command: Annotated[
        str, typer.Option(envvar="ANNEX_TOKEN_COMMAND", help="The pool's program that issues the token.")
    ] = "condor_token_create",  # noqa: S107 - a program, no secret
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Push the token in FILE (- for standard input) instead.")
    ] = None,
) -> None:
    """Issue a token for annex NAME, store it in its secret, and have its instances granted."""
    spec = load(spec_file)
    pushed = push(ctx.obj, spec.pool, spec.annex(name), token_command, token_file)
    typer.echo(f"{name}: stored a token for {pushed.identity}, valid until {format_time(pushed.expires)}")
    say_answer(name, pushed.answer)


def extend_command(
    ctx: typer.Context, name: Name, span: Span = None, until: Until = None, spec_file: SpecFile = DEFAULT_SPEC
) -> None:
    """Move the end of the lease of annex NAME to a later time, within its reach. It must not have ended."""
    check_one(span, until)
    span_read = None if span is None else read_duration("--for", span)
    until_read = None if until is None else read_time("--until", until)
    extended = extend(ctx.obj, load(spec_file).annex(name), span=span_read, until=until_read)
    before = format_time(extended.before)
    if extended.answer is None:
        typer.echo(f"{name}: the lease ends at {before} already; nothing was written")
        return
    typer.echo(f"{name}: lease end {before} -> {format_time(extended.after)}")
    say_answer(name, extended.answer)


def renew_command(
    ctx: typer.Context, name: Name, span: Span = None, until: Until = None, spec_file: SpecFile = DEFAULT_SPEC
) -> None:
    """Give annex NAME its declared size again, ended, stopped or shrunk as it may be, within its reach.

    Never shortens a lease. May be repeated: what is there already is not started again.
    """
    check_one(span, until)
    span_read = None if span is None else read_duration("--for", span)
    until_read = None if until is None else read_time("--until", until)
    renewal = renew(ctx.obj, load(spec_file).annex(name), span=span_read, until=until_read)
    typer.echo(f"{name}: renewed; lease end {format_time(renewal.before)} -> {format_time(renewal.after)}")
    say_answer(name, renewal.answer)


def stop_command(
    ctx: typer.Context,
    name: Name,
    wait: Annotated[bool, typer.Option(help="Wait until no instance is left.")] = True,
    wait_for: Annotated[
        str | None, typer.Option(metavar="DURATION", help="Wait at most so long. Default: the lease's grace and 5m.")
    ] = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """End the lease of annex NAME now and take its instances away."""
    longest = None if wait_for is None else read_duration("--wait-for", wait_for)
    stopped = stop(
        ctx.obj, load(spec_file).annex(name), wait=wait, longest=longest, say=lambda text: typer.echo(f"{name}: {text}")
    )
    for failure in stopped.failures:
        say_error(failure)
    if stopped.left and wait:
        say_error(f"still there: {', '.join(stopped.left)}; run `annex stop {name}` again, it may be repeated")
    if stopped.failures or (stopped.left and wait):
        raise typer.Exit(1)


def check_command(
    ctx: typer.Context,
    name: Name,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what a check would do now.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the lease checker's answer as it came.")] = False,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Have the lease checker of annex NAME look now instead of at its next minute, and show what it did and why."""
    spec = load(spec_file).annex(name)
    answer = ctx.obj.ask_checker(deployed(ctx.obj.connect(spec.region), spec), dry_run=dry_run)
    if as_json:
        typer.echo(json.dumps(answer.data, indent=2))
    else:
        say_answer(name, answer)
        done = "would do" if dry_run else "did"
        if not answer.actions:
            typer.echo(f"{name}: the lease checker {done} nothing: the world is as the lease wants it")
        for number, action in enumerate(answer.actions, 1):
            typer.echo(f"{name}: {done} {number}. {action_line(action)}")
    for error in answer.errors:
        say_error(error)
    if answer.errors:
        raise typer.Exit(1)
