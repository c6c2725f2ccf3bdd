"""The text of a spec file that is right, for the tests to make wrong in one place."""

from collections.abc import Callable

from annex_spec import Spec

POOL = '[pool]\ncollector = "cm.example.edu"\ntrust_domain = "example.edu"\n'
ANNEX = {
    "region": '"us-east-1"',
    "image": '"ami-0123456789abcdef0"',
    "size": "2",
    "lease": '"8h"',
    "instance_types": '["c6a.large"]',
}
Read = Callable[[str], Spec]
ReadAnnex = Callable[..., Spec]
