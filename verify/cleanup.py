"""Removal of what a run made: its stacks, groups that lost their stack, and the proof that nothing is left.

Only what carries both the name and the tag of a run is touched. Every step may be repeated, and by two processes at
the same time: a run that is interrupted cleans up itself, and its watchdog does the same if it cannot.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from annex_lease.ownership import by_key_from_api
from annex_lease.tags import TAG_NAME
from annex_pool.command_error import AnnexError
from annex_pool.environment import Environment
from annex_pool.leftovers.listing import is_gone, pages
from annex_pool.leftovers.search import find_leftovers
from annex_pool.place import Scope
from annex_pool.region import RegionClients
from verify.run import LETTERS, MARK, PREFIX, Run, run_of_stack
from verify.stack_state import GONE, stack_status

# CloudFormation deletes a secret at once, and Secrets Manager lists it for a while all the same.
_ATTEMPTS, _PAUSE_SECONDS = 6, 20.0
_DELETE_SECONDS = 20 * 60.0
_POLL_SECONDS = 3.0
_FAILED = "DELETE_FAILED"

Say = Callable[[str], None]


@dataclass(frozen=True)
class Cleanup:
    """Removal of what one run made, or of all runs in a Region.

    Attributes:
        aws: clients of the Region.
        run: id of the run; None: every run.
        say: reports a step.
    """

    aws: RegionClients
    run: str | None
    say: Say

    def clean(self) -> tuple[str, ...]:
        """Remove everything; returns what is left, a line for each, or for each look that failed."""
        names: set[str] = set()
        for attempt in range(_ATTEMPTS):
            try:
                # Looked up before and after: what is deleted has no tags any more.
                names |= {name.partition("-")[2] for name in self.stacks()}
                self._delete(forced=attempt > 0)
                names |= set(self.annexes())
                left = self._left(sorted(names))
            except (AnnexError, ClientError, BotoCoreError) as error:
                left = (f"what is left is not known: {error}",)
            if not left:
                return ()
            self.say(f"left after attempt {attempt + 1}: {'; '.join(left)}")
            time.sleep(_PAUSE_SECONDS)
        return left

    def stacks(self) -> dict[str, str]:
        """Ids of the stacks of the run by their names."""
        found = {}
        for stack in pages(self.aws.cloudformation, "describe_stacks", "Stacks"):
            tags = by_key_from_api(stack.get("Tags", []))
            run = run_of_stack(str(stack["StackName"]), tags, str(stack["StackStatus"]))
            if run is not None and self.run in (None, run) and stack["StackStatus"] != GONE:
                found[str(stack["StackName"])] = str(stack["StackId"])
        return found

    def groups(self) -> list[dict[str, Any]]:
        """Auto Scaling groups of the run."""
        listed = pages(
            self.aws.autoscaling,
            "describe_auto_scaling_groups",
            "AutoScalingGroups",
            Filters=[{"Name": "tag-key", "Values": [MARK]}],
        )
        return [dict(each) for each in listed if self._ours(by_key_from_api(each["Tags"]))]

    def annexes(self) -> list[str]:
        """Names of the annexes: those of the run, or of everything that carries the tag of any run."""
        filters = [{"Key": MARK, **({"Values": [self.run]} if self.run else {})}]
        listed: Any = pages(self.aws.tagging, "get_resources", "ResourceTagMappingList", TagFilters=filters)
        tags = [by_key_from_api(each.get("Tags", [])) for each in listed]
        named = {each.get(TAG_NAME, "") for each in tags if self._ours(each)}
        if self.run is not None:
            named |= {Run(self.run, self.aws.region).annex(letter) for letter in LETTERS}
        return sorted(name for name in named if name.startswith(PREFIX))

    def _ours(self, tags: Mapping[str, str]) -> bool:
        run = tags.get(MARK)
        named = bool(run) and tags.get(TAG_NAME, "").startswith(f"{PREFIX}{run}-")
        return named and self.run in (None, run)

    def _delete(self, *, forced: bool) -> None:
        """Delete the stacks, all at once, and the groups that no stack will; wait until they are gone."""
        stacks = self.stacks()
        for name in stacks:
            self.say(f"deleting stack {name}")
        if forced or not stacks:
            for group in self.groups():
                self._delete_group(str(group["AutoScalingGroupName"]))
        end, asked = time.monotonic() + _DELETE_SECONDS, set[str]()
        while stacks and time.monotonic() < end:
            for name, stack in list(stacks.items()):
                status = stack_status(self.aws.cloudformation, stack)
                if status == GONE or (status == _FAILED and stack in asked):
                    del stacks[name]
                elif status != "DELETE_IN_PROGRESS" and self._delete_stack(stack):
                    asked.add(stack)
            time.sleep(_POLL_SECONDS if stacks else 0)

    def _delete_stack(self, stack: str) -> bool:
        """Ask for the deletion; False if it has to be asked for again, because an update is under way."""
        try:
            self.aws.cloudformation.delete_stack(StackName=stack)
        except ClientError as error:
            if error.response["Error"]["Code"] != "ValidationError":
                raise
            return is_gone(error)
        return True

    def _delete_group(self, name: str) -> None:
        self.say(f"deleting the group {name} with its instances")
        try:
            self.aws.autoscaling.delete_auto_scaling_group(AutoScalingGroupName=name, ForceDelete=True)
        except ClientError as error:
            if "not found" not in str(error):
                raise

    def _left(self, names: list[str]) -> tuple[str, ...]:
        """Everything that is left of these annexes, as `annex leftovers` finds it in this Region."""
        if not names:
            return ()
        found = find_leftovers(Environment(), names, Scope((self.aws.region,), chosen=True))
        return (*(f"{each.resource.kind} {each.resource.id}" for each in found.found), *found.errors)
