"""The app's stacks: one CloudFormation stack per annex, and per Region one for the base and a shared network."""

from stacks.annex_stack import AnnexStack, warn_of_past_ends
from stacks.base_stack import AnnexBaseStack, base_stacks
from stacks.network_stack import AnnexNetworkStack, network_stacks, warn_of_quota

__all__ = [
    "AnnexBaseStack",
    "AnnexNetworkStack",
    "AnnexStack",
    "base_stacks",
    "network_stacks",
    "warn_of_past_ends",
    "warn_of_quota",
]
