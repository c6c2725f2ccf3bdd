"""The app's stacks: one per annex and per image, and in each Region one for the base and a shared network."""

from stacks.annex_stack import AnnexStack, warn
from stacks.base_stack import AnnexBaseStack, base_stacks
from stacks.image_stack import AnnexImageStack, image_stacks
from stacks.network_stack import AnnexNetworkStack, network_stacks
from stacks.places import images_with_accounts, with_accounts

__all__ = [
    "AnnexBaseStack",
    "AnnexImageStack",
    "AnnexNetworkStack",
    "AnnexStack",
    "base_stacks",
    "image_stacks",
    "images_with_accounts",
    "network_stacks",
    "warn",
    "with_accounts",
]
