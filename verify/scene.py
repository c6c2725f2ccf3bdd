"""Scene of the experiments: the annexes of a run, and what an operator does to them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from annex_lease.tags import TAG_GRANTED, TAG_UNTIL, format_time
from annex_pool.environment import Environment
from annex_pool.place import Place
from annex_pool.renew import renew
from verify.cdk import ROOT, Cdk, Deployment
from verify.observation import POLL_SECONDS, Observation
from verify.options import Options
from verify.outcome import NotRunError
from verify.plan import MAX_LIFETIME
from verify.spec_text import spec_text

# No token of any pool: the lease checker grants, and no collector would accept an instance that presents it.
NO_TOKEN = "verification: not a token"  # noqa: S105
_LAUNCH_SECONDS = 180.0
_RENEWAL = timedelta(minutes=10)


@dataclass(kw_only=True)
class Scene(Observation):
    """Annexes of a run, and what is done to them.

    Attributes:
        options: the command line.
        cdk: the CDK CLI.
        changes: keys of the spec file that experiments changed, with their values.
        silent_since: when the schedule of annex b was deleted; None: it was not.
    """

    options: Options
    cdk: Cdk
    changes: dict[str, object] = field(default_factory=dict)
    silent_since: datetime | None = None

    def deploy(self, letters: Iterable[str], *, release: Path = ROOT, **changes: object) -> Deployment:
        """Deploy annexes with these keys of the spec file changed; a change that succeeded stays.

        Args:
            letters: the annexes.
            release: directory with the packages to deploy. Default: this checkout.
            changes: keys of the spec file.
        """
        wanted = {**self.changes, **changes}
        text = spec_text(self.run, letters, self.options, wanted)
        stacks = [self.run.stack(letter) for letter in letters]
        # Instances that report join late; those of annex b have to leave by themselves.
        reporting = "none" if self.options.can_join else self.run.annex("a")
        done = self.cdk.deploy(stacks, text, reporting=reporting, release=release)
        if done.succeeded:
            self.changes = wanted
        return done

    def check(self, letter: str, event: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Answer of the annex's lease checker to an event; a check at once by default.

        Raises:
            NotRunError: the function failed.
        """
        name = self.output(letter, "LeaseChecker")
        reply = self.account.aws.functions.invoke(FunctionName=name, Payload=json.dumps(event or {}).encode())
        answer = json.loads(reply["Payload"].read())
        if "FunctionError" in reply:
            raise NotRunError(f"the lease checker failed: {answer}")
        return dict(answer)

    def end_at(self, letter: str, end: datetime) -> None:
        """Write an override of the end of the lease, as `annex extend` does, within the maximum lifetime."""
        latest = self.group(letter)["CreatedTime"] + MAX_LIFETIME
        self.write_tags(letter, {TAG_UNTIL: format_time(min(end, latest).replace(microsecond=0))})

    def write_tags(self, letter: str, tags: Mapping[str, str]) -> None:
        """Write tags of the annex's group that instances do not get."""
        of_group = {"ResourceId": self.group_name(letter), "ResourceType": "auto-scaling-group"}
        listed: list[Any] = [
            {**of_group, "Key": key, "Value": value, "PropagateAtLaunch": False} for key, value in tags.items()
        ]
        self.account.aws.autoscaling.create_or_update_tags(Tags=listed)

    def start(self, letter: str) -> str:
        """Id of an instance of the annex that EC2 has running; the credential gets a value if it has none.

        Raises:
            NotRunError: EC2 launched none; the text has its reason.
        """
        instance = self.launch(letter)
        self.wait_for(
            "running instance", _LAUNCH_SECONDS, lambda: self.instance(instance)["State"]["Name"] == "running"
        )
        return instance

    def launch(self, letter: str, every: float = POLL_SECONDS) -> str:
        """Id of an instance of the annex, in any state; a fleet that was granted and is gone is renewed.

        Args:
            letter: the annex.
            every: seconds between two looks.

        Raises:
            NotRunError: EC2 launched none; the text has its reason.
        """
        if not self.members(letter):
            self.give_credential(letter)
            if TAG_GRANTED in self.tags(letter):
                renew(Environment(), Place(self.run.annex(letter), self.run.region), span=_RENEWAL, until=None)
            else:
                self.check(letter)
        return self.wait_for(
            "instance",
            _LAUNCH_SECONDS,
            lambda: self.members(letter),
            otherwise=lambda: self.failed(letter),
            every=every,
        )[0]

    def give_credential(self, letter: str) -> None:
        """Store a text that is no token in the annex's secret, so that its lease checker grants.

        For instances that join a pool it is the pool's token.

        Raises:
            NotRunError: the pool issued no token.
        """
        if self.options.can_join:
            words = ["credential", "push", self.run.annex(letter), "--region", self.run.region]
            done = subprocess.run(
                [sys.executable, "-m", "annex_pool", *words], capture_output=True, text=True, check=False
            )
            if done.returncode != 0:
                raise NotRunError(f"`annex credential push` failed: {done.stderr.strip()}")
            return
        secret = self.output(letter, "Credential")
        self.account.aws.secretsmanager.put_secret_value(SecretId=secret, SecretString=NO_TOKEN)
