"""Effects of a destroy on an annex with a running instance."""

from __future__ import annotations

from datetime import timedelta

from verify.experiment import Experiment
from verify.experiments.account_alarms import alarm_names, changes
from verify.outcome import Seen
from verify.scene import Scene
from verify.stack_state import stack_events, stack_status

_DESTROY_SECONDS = 20 * 60.0


def destroy_with_instance(scene: Scene) -> Seen:
    """Delete the stack of an annex with a running instance, and read every event of the deletion."""
    instance = scene.start("a")
    stack, names, began = scene.output("a", "StackId"), alarm_names(scene, "a"), scene.now()
    cloudformation = scene.account.aws.cloudformation
    cloudformation.delete_stack(StackName=stack)
    ended = scene.watch(
        _DESTROY_SECONDS, lambda: stack_status(cloudformation, stack) in ("DELETE_COMPLETE", "DELETE_FAILED")
    )
    took = scene.now() - began
    events = [each for each in stack_events(cloudformation, stack) if each["Timestamp"] >= began - timedelta(seconds=2)]
    failed = tuple(
        f"{each['LogicalResourceId']}: {each.get('ResourceStatusReason', '')}"
        for each in events
        if each["ResourceStatus"] == "DELETE_FAILED"
    )
    status, state = stack_status(cloudformation, stack), scene.instance(instance)["State"]["Name"]
    alarmed = tuple(str(each) for each in changes(scene, names) if each.published and each.time >= began)
    text = f"{status} after {took.total_seconds():.0f} s, {len(failed)} resources failed, instance {state}"
    done = bool(ended) and status == "DELETE_COMPLETE" and not failed and state in ("shutting-down", "terminated")
    return Seen(done and not alarmed, text + (", alarm published" if alarmed else ""), (*failed, *alarmed))


EXPERIMENTS = (
    Experiment(
        2,
        "destroy with an instance",
        "the stack is deleted with an instance running, without a resource that fails and without an alarm",
        "EC2 User Guide, 'DependencyViolation' of a network with mapped addresses; docs/explanation/promises.md",
        5,
        destroy_with_instance,
    ),
)
