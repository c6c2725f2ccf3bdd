"""The lab's cloud: MiniStack as a library, extended where it does not do what AWS documents.

``python -m lab.cloud`` serves the AWS APIs with TLS and IAM enforcement, and the instance metadata service. The
instances are machines of a :class:`lab.machines.MachineHost`. Import nothing from here before
:func:`lab.cloud.environment.prepare` ran: MiniStack reads its settings when it is imported.
"""
