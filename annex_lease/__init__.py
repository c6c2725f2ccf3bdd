"""Lease of an annex: the record in tags, the pure decision, and the function that carries the decision out.

A lease is the right of an annex to have instances until a time. Its only record are the tags of the annex's Auto
Scaling group: the template declares the policy, the commands of `annex_pool` write the operator's override, and the
lease checker writes the rest. There is no database and no state in a function, so any run can take over from any other.

::

    annexes.toml or CDK app                     operator: annex extend, renew, stop
           |  policy: declared tags                     |  override: annex:lease-until
           v                                            v
    +--------------------------------------------------------------------+
    |                   tags of the Auto Scaling group                   |
    +--------------------------------------------------------------------+
           |  aws.read_group                            ^  actuator.perform
           v                                            |
    observed.Group --- group.lease ---> lease.Lease     |
           |            (record, policy, times, ledger) |
           v                                            |
    decision.decide(group, now)                         |
           |-- the lease is valid: keeping              |
           |-- the lease is over: stopping              |
           |   both: bookkeeping                        |
           v                                            |
    actions.Decision: phase, reason, actions ---> actuator.carry_out

One run of the lease checker (`checker.check`) observes the group, decides, and carries the actions out. The decision is
level-triggered: the same observation gives the same actions, each may be repeated, and the next run finishes what a
failed or interrupted run left. If a decision needs a fact that the group does not hold, the run looks it up and decides
again. The account-wide sweeper and `annex stop` take the same decision and use the same loop.

Values:
    `terms`, `kinds`, `forms`, `rules`, `duration`: every declared value once, with its default and its range.
    `tags`: keys of the tags, and the text forms of their times and numbers.

Noun:
    `policy`: what a template declares, to tags. `record`: tags to a record, without ever raising.
    `entries`: what of the record is written at run time.
    `lease`: the record and the times that follow from it. `ownership`: which annex a resource belongs to.
    `observed`: group, members and instances as AWS lists them. `memory`: the findings of earlier runs.

Decision, pure:
    `decision`, `keeping`, `stopping`, `bookkeeping`; `actions` holds what they return, `action_data` logs it.
    `launches`: what of a granted size has not started, and the message about it. `launch_advice`: what to do about each
    failed launch, by AWS's words.

Calls of AWS:
    `aws`: clients and reads. `facts`: reads that only some decisions need.
    `actuator`: one implementation for each action, and the loop. `outcome`: what failed. `batches`: many instances.

Function:
    `handler`: entry. `checker`: a run. `cloudformation`: requests of the stack. `invocation`: settings, metrics.
    `log_line`: the log line of a function.
    `sweep`: the account-wide sweeper, a function of its own.

Nothing is imported here, so that one broken module cannot break the others.
"""
