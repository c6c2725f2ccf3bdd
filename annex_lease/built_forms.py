"""The forms of the texts that an image is declared with, and the names that follow from the image's name."""

from __future__ import annotations

from annex_lease.forms import ANNEX_NAME, BUILT, Form

IMAGE_PARAMETER_PREFIX = "/annex/image/"
"""Beginning of the SSM parameter with the id of the newest image; the image's name follows."""
IMAGE_STACK_PREFIX = "AnnexImage-"
"""Beginning of the name of an image's stack; the image's name follows."""
MAX_SCRIPT_BYTES = 10_000
"""Largest script of the user: in base64, and with what is around it, it fits into one component document."""
SCRIPT_ALLOWED = f"1 to {MAX_SCRIPT_BYTES} bytes, text in UTF-8 without a byte order mark, with the line ends of Unix"
"""The form of such a script, in words."""
NEVER = "never"
"""In place of a schedule: only a deployment or a command builds the image."""
SCHEDULES = {"monthly": "cron(0 4 1 * ? *)", "weekly": "cron(0 4 ? * sun *)"}
"""Cron expressions in UTC by their names (EC2 Image Builder User Guide, "Use cron expressions")."""

RELATIVE_PATH = Form(
    r"([A-Za-z0-9_-][A-Za-z0-9._-]*/)*[A-Za-z0-9_-][A-Za-z0-9._-]*",
    "the path of a file beside the spec file or below it, of letters, digits and ._-/",
    "image/tools.sh",
    max_length=200,
)
SECURITY_GROUP = Form("sg-([0-9a-f]{8}|[0-9a-f]{17})", '"sg-" and 8 or 17 hexadecimal digits', "sg-0123456789abcdef0")
BUILD_SCHEDULE = Form(
    "|".join([*SCHEDULES, NEVER]),
    f"{', '.join(SCHEDULES)}, or {NEVER}: only a deployment or a command builds the image",
    "monthly",
)


def image_stack_name(image: str) -> str:
    """Name of the CloudFormation stack of the image of this name."""
    return f"{IMAGE_STACK_PREFIX}{image}"


def image_parameter(image: str) -> str:
    """Name of the SSM parameter that holds the id of the newest image of this name, in each of its Regions."""
    return f"{IMAGE_PARAMETER_PREFIX}{image}"


def script_defect(content: bytes) -> str:
    """The reason why a script of the user cannot run as it is, in words; empty if there is none.

    A shell takes a carriage return for a part of the word before it: of the interpreter's name too.

    Args:
        content: the bytes of the file.
    """
    if not 0 < len(content) <= MAX_SCRIPT_BYTES:
        return "no bytes" if not content else f"more than {MAX_SCRIPT_BYTES} bytes"
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        return f"bytes that are not UTF-8 at {error.start}"
    defects = {
        "nothing but blanks": not text.strip(),
        "a byte order mark at its beginning": text.startswith("\ufeff"),
        "a null character": "\0" in text,
        "lines that end as on Windows": "\r\n" in text,
    }
    return next((defect for defect, found in defects.items() if found), "")


def builder_name(image: str) -> str:
    """Name of the Image Builder resources of an image, and the beginning of the names of its components."""
    return f"annex-{image}"


def image_log_group(image: str) -> str:
    """Name of the log group of an image's builds; Image Builder may write below `/aws/imagebuilder/` only."""
    return f"/aws/imagebuilder/{builder_name(image)}"


def built_name(image: str) -> str | None:
    """Name of the built image that an annex boots; None if it boots another one.

    Args:
        image: the annex's image, as declared.
    """
    name = image.removeprefix(BUILT)
    return name if image.startswith(BUILT) and ANNEX_NAME.matches(name) else None
