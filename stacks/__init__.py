"""The app's stacks: one CloudFormation stack per annex, and per Region one for the base and a shared network."""

from stacks.annex_stack import AnnexStack, warn
from stacks.base_stack import AnnexBaseStack, base_stacks
from stacks.network_stack import AnnexNetworkStack, network_stacks
from stacks.places import with_accounts

__all__ = [
    "AnnexBaseStack",
    "AnnexNetworkStack",
    "AnnexStack",
    "base_stacks",
    "network_stacks",
    "warn",
    "with_accounts",
]
