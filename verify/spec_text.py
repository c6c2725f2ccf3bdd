"""Spec file of a run, as the product's own app reads it. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from annex_lease.duration import format_duration
from verify.options import Options
from verify.plan import GRACE, LEASE, MAX_LIFETIME
from verify.run import MARK, Run

INSTALLING = "c"
"""Letter of the annex whose instances install HTCondor."""
# A name below .invalid never exists (RFC 2606): no instance reaches a pool by chance.
_NO_COLLECTOR, _NO_TRUST_DOMAIN = "pool.invalid", "pool.invalid"


def spec_text(run: Run, letters: Iterable[str], options: Options, changes: Mapping[str, object]) -> str:
    """The spec file.

    Args:
        run: the run.
        letters: the annexes.
        options: the command line.
        changes: keys of every annex and their values, in place of those of a run.
    """
    keys: dict[str, object] = {
        "region": run.region,
        "image": options.image,
        "instance_types": [options.instance_type],
        "size": 1,
        "lease": format_duration(LEASE),
        "max_lifetime": format_duration(MAX_LIFETIME),
        "grace": format_duration(GRACE),
        "warn_before_end": "5m",
        **changes,
    }
    lines = [
        "[pool]",
        f"collector = {json.dumps(options.collector or _NO_COLLECTOR)}",
        f"trust_domain = {json.dumps(options.trust_domain or _NO_TRUST_DOMAIN)}",
        "[defaults]",
        *(f"{key} = {json.dumps(value)}" for key, value in keys.items()),
        f"tags = {{ {MARK} = {json.dumps(run.id)} }}",
    ]
    for letter in letters:
        lines += [f"[annex.{run.annex(letter)}]"]
        if letter == INSTALLING:
            lines += [f"image = {json.dumps(options.system)}"]
    return "\n".join(lines) + "\n"
