"""`annex credential push`, `extend`, `shorten`, `renew` and `stop`: options and printing."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, NamedTuple

import typer

from annex_lease.tags import format_time
from annex_pool.commands.arguments import (
    DEFAULT_SPEC,
    AnnexId,
    LongestSpan,
    Name,
    Regions,
    Span,
    SpecFile,
    Stack,
    Until,
    read_duration,
    read_time,
    read_where,
)
from annex_pool.commands.output import print_answer, print_error, print_note
from annex_pool.commands.spec_file import meant, read_spec
from annex_pool.credential import push
from annex_pool.extend import check_one, extend
from annex_pool.locate import found_elsewhere
from annex_pool.renew import renew
from annex_pool.shorten import shorten
from annex_pool.stop import AFTER_GRACE, stop
from annex_spec import format_duration


def push_command(
    ctx: typer.Context,
    name: Name,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
    token_command: Annotated[
        str, typer.Option(envvar="ANNEX_TOKEN_COMMAND", help="Program of the pool that issues the token.")
    ] = "condor_token_create",  # noqa: S107 - a program, no secret
    token_file: Annotated[
        str | None, typer.Option(metavar="FILE", help="Push the token in FILE (- for standard input) instead.")
    ] = None,
) -> None:
    """Issue a token and store it in the annex's secret.

    The lease checker then grants the declared size. May be repeated.
    """
    spec = read_spec(ctx, spec_file)
    place = meant(ctx.obj, spec, name, read_where(region, stack, annex_id))
    declared = spec.pool.trust_domain if spec.pool else None
    pushed = push(ctx.obj, place, declared, token_command, token_file)
    typer.echo(f"{name}: stored a token for {pushed.identity}, valid until {format_time(pushed.expires)}")
    for note in pushed.notes:
        print_note(note)
    print_answer(name, pushed.answer)


def extend_command(
    ctx: typer.Context,
    name: Name,
    span: Span = None,
    until: Until = None,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Move the end of a running lease to a later time.

    The end stays within the maximum lifetime. The lease must not have ended.
    """
    asked = _asked_end(span, until)
    place = meant(ctx.obj, read_spec(ctx, spec_file), name, read_where(region, stack, annex_id))
    extended = extend(ctx.obj, place, span=asked.span, until=asked.until)
    before = format_time(extended.before)
    if extended.answer is None:
        typer.echo(f"{name}: the lease already ends at {before}; nothing was written")
        return
    typer.echo(f"{name}: lease end {before} -> {format_time(extended.after)}")
    for note in extended.notes:
        print_note(note)
    print_answer(name, extended.answer)


def shorten_command(
    ctx: typer.Context,
    name: Name,
    span: LongestSpan = None,
    until: Until = None,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Move the end of a running lease to an earlier time.

    Never lengthens a lease. `annex stop` ends it now.
    """
    asked = _asked_end(span, until)
    place = meant(ctx.obj, read_spec(ctx, spec_file), name, read_where(region, stack, annex_id))
    shortened = shorten(ctx.obj, place, span=asked.span, until=asked.until)
    before, after = format_time(shortened.before), format_time(shortened.after)
    if shortened.answer is None:
        typer.echo(f"{name}: the lease already ends at {before}; nothing was written (`annex extend` lengthens it)")
        return
    typer.echo(f"{name}: lease end {before} -> {after}")
    if shortened.renewed is not None:
        typer.echo(f"{name}: the renewal of the busy annex to {format_time(shortened.renewed)} is void")
    if shortened.renews:
        typer.echo(f"{name}: if jobs run shortly before this end, the lease is renewed again (renew_while_busy)")
    print_answer(name, shortened.answer)


def renew_command(
    ctx: typer.Context,
    name: Name,
    span: Span = None,
    until: Until = None,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """Start the declared size again, also after the end.

    Works after an end, after a stop, and for a fleet that shrank, within the maximum lifetime. Never shortens a lease.
    May be repeated: running instances are not started again.
    """
    asked = _asked_end(span, until)
    place = meant(ctx.obj, read_spec(ctx, spec_file), name, read_where(region, stack, annex_id))
    renewal = renew(ctx.obj, place, span=asked.span, until=asked.until)
    typer.echo(f"{name}: renewed; lease end {format_time(renewal.before)} -> {format_time(renewal.after)}")
    print_answer(name, renewal.answer)


def stop_command(
    ctx: typer.Context,
    name: Name,
    wait: Annotated[bool, typer.Option(help="Wait until no instance is left.")] = True,
    wait_for: Annotated[
        str | None,
        typer.Option(
            metavar="DURATION", help=f"Longest wait. Default: the lease's grace and {format_duration(AFTER_GRACE)}."
        ),
    ] = None,
    region: Regions = None,
    stack: Stack = None,
    annex_id: AnnexId = None,
    spec_file: SpecFile = DEFAULT_SPEC,
) -> None:
    """End the lease now and terminate the instances.

    Works without the lease checker and without a spec file. May be repeated.
    """
    timeout = None if wait_for is None else read_duration("--wait-for", wait_for)
    spec, where = read_spec(ctx, spec_file), read_where(region, stack, annex_id)
    place = meant(ctx.obj, spec, name, where)
    stopped = stop(ctx.obj, place, wait=wait, timeout=timeout, say=lambda text: typer.echo(f"{name}: {text}"))
    # The file names one Region. An annex of the name in another one would stay unnoticed, and billed.
    for note in () if where.stated else found_elsewhere(ctx.obj, spec, place):
        print_note(note)
    for failure in stopped.failures:
        print_error(failure)
    if stopped.left and wait:
        print_error(f"still there: {', '.join(stopped.left)}; run `annex stop {name}` again, it may be repeated")
    if stopped.failures or (stopped.left and wait):
        raise typer.Exit(1)


class _AskedEnd(NamedTuple):
    """The end that --for or --until asks for."""

    span: timedelta | None
    until: datetime | None


def _asked_end(span: str | None, until: str | None) -> _AskedEnd:
    check_one(span, until)
    return _AskedEnd(
        None if span is None else read_duration("--for", span), None if until is None else read_time("--until", until)
    )
