"""Texts of the settings: each with its form, at its border, and others that are of the form or not."""

from __future__ import annotations

from annex_lease import forms, job_forms
from annex_lease.components import COMPONENTS
from annex_lease.forms import Form

LABEL = "a" * 63
TEXTS: list[tuple[str, str, Form]] = [
    ("annex", "ANNEX_NAME", forms.ANNEX_NAME),
    ("credential_arn", "ANNEX_CREDENTIAL", forms.SECRET_ARN),
    ("collector", "ANNEX_COLLECTOR", forms.COLLECTOR_ADDRESS),
    ("trust_domain", "ANNEX_TRUST_DOMAIN", forms.TRUST_DOMAIN),
    ("proxy", "ANNEX_PROXY", forms.PROXY_OR_NONE),
    ("root_device", "ANNEX_ROOT_DEVICE", forms.ROOT_DEVICE),
    ("jobs", "ANNEX_JOBS", job_forms.JOBS),
    ("project_id", "ANNEX_PROJECT_ID", job_forms.PROJECT_OR_NONE),
    ("htcondor", "ANNEX_HTCONDOR", forms.HTCONDOR),
    ("archive", "ANNEX_ARCHIVE", forms.S3_OBJECT),
    ("archive_digest", "ANNEX_ARCHIVE_DIGEST", forms.SHA256),
    ("components", "ANNEX_COMPONENTS", forms.COMPONENT_LIST),
    ("htcondor_mirror", "ANNEX_HTCONDOR_MIRROR", forms.MIRROR_OR_NONE),
    ("package_mirror", "ANNEX_PACKAGE_MIRROR", forms.MIRROR_OR_NONE),
]
MIRRORS = (
    *("https://192.0.2.1:8443", "http://mirror", "https://bucket.s3.us-east-1.amazonaws.com/htcondor/", "mirror/a"),
    *(
        "https://user:password@mirror/a",
        "https://mirror//a",
        "https://mirror/a b",
        "https://mirror/$(id)",
        "ftp://mirror",
    ),
    *(
        "https://mirror/`id`",
        "https://mirror/a;id",
        "https://mirror/a?b",
        "https://mirror/a#b",
        "https://[2001:db8::1]/a",
    ),
    *("https://mirror/'a", 'https://mirror/"a', "https://mirror/a|b", "https://mirror/a\\b", "https://mirror/%20"),
)
BORDER = {
    "ANNEX_NAME": ("a" * 32, "a" * 33),
    "ANNEX_CREDENTIAL": (
        "arn:aws-us-gov:secretsmanager:us-gov-west-1:123456789012:secret:/a_b+c=d.e@f-g",
        "arn:aws:secretsmanager:us-east-1:12345678901:secret:a",
    ),
    "ANNEX_COLLECTOR": (f"{LABEL}.example.edu:65535", f"{LABEL}.example.edu:65536"),
    "ANNEX_TRUST_DOMAIN": ("a" * 253, "a" * 254),
    "ANNEX_ROOT_DEVICE": ("/dev/xvdaa15", "/dev/xvdaaa"),
    "ANNEX_PROXY": ("http://proxy:65535/", "http://proxy:65536/"),
    "ANNEX_JOBS": ("a" * 1000, "a" * 1001),
    "ANNEX_PROJECT_ID": (f'"{"a" * 64}"', f'"{"a" * 65}"'),
    "ANNEX_HTCONDOR": ("25.x", "25"),
    "ANNEX_ARCHIVE": (f"{'b' * 63}/{'k' * 256}", f"{'b' * 63}/{'k' * 257}"),
    "ANNEX_ARCHIVE_DIGEST": ("0123456789abcdef" * 4, "0123456789abcdef" * 4 + "0"),
    "ANNEX_COMPONENTS": (",".join(COMPONENTS), f"osg,{','.join(COMPONENTS)}"),
    "ANNEX_HTCONDOR_MIRROR": ("http://mirror:65535/a.b_c+d~e-f/25/", "http://mirror:65536/"),
    "ANNEX_PACKAGE_MIRROR": (f"https://mirror/{'a' * 385}", f"https://mirror/{'a' * 386}"),
}

OTHERS = {
    "ANNEX_NAME": ("a-" * 15 + "ab", "a-" * 15 + "abc", "a--b", "a-", "Demo", "1a"),
    "ANNEX_CREDENTIAL": ("arn:aws:s3:::bucket", "arn:aws:secretsmanager:us-east-1:123456789012:secret:$(id)"),
    "ANNEX_COLLECTOR": (
        *("192.0.2.1:1", "cm:0", "cm", "cm:", "a..b:9618", "cm1:9618,cm2:9619", "cm1:9618,", "cm1:9618 cm2:9618"),
        *("[2001:db8::1]:9618", "[2001:db8::1]", "[$(id)]:1", "cm:9618?sock=collector", "cm:9618?sock=`id`"),
        "<10.0.0.1:9618?addrs=10.0.0.1-9618+[2001-db8--1]-9618&alias=cm.example.edu&noUDP&sock=collector>",
        *(
            "<10.0.0.1:9618",
            "10.0.0.1:9618>",
            f"{'a' * 60}:9618," * 14 + "cm:9618",
            f"{'a' * 60}:9618," * 15 + "cm:9618",
        ),
    ),
    "ANNEX_TRUST_DOMAIN": (
        *("a", "a.", "a_b", "LOCAL_POOL", "cm:9618", "[2001:db8::1]:9618", "a-b", "^a", "~!#%&()<>?{}|;+="),
        *("a b", "cm1,cm2", "$(id)", "a\\", "a/b", "a@b", "a*", '"a"', "'a'", "`id`", "é"),
    ),
    "ANNEX_PROXY": (
        *("https://192.0.2.1:3128", "http://[2001:db8::1]:3128", "http://proxy", "proxy:3128", "socks5://proxy:1080"),
        *("http://user:password@proxy:3128", "http://proxy/path", "http://$(id)", "http://proxy:3128 ", "http://"),
    ),
    "ANNEX_ROOT_DEVICE": ("/dev/sda1", "/dev/sda", "/dev/nvme0n1", "xvda", "/dev/../sda"),
    "ANNEX_JOBS": (
        *("true", '(TARGET.A =?= "b\\"`id`\'c") =?= true', "[ ] ^ ~ { } | ; & < > ! % # (a)", 'regexp("[.]a\\\\.", A)'),
        *("$(id)", "a$b", "true\\", "true ", "", "tr\tue", "é", "A = 5", "5"),
    ),
    "ANNEX_PROJECT_ID": (
        *('"muon-2026"', "", '"1.a_B"', "muon-2026", '"muon', 'muon"', '""', '"-a"', '"a b"', '"$(id)"', "'a'"),
        *('"a" || true', '"a\\"b"', '"`id`"'),
    ),
    "ANNEX_HTCONDOR": ("25.0", "image", "24.0", "25x0", "25.00", "Image", "image image"),
    "ANNEX_ARCHIVE": ("bucket/a/b.c_d-e", "bucket", "b/k", "Bucket/key", "bucket/", "bucket/a b", "bucket/$(id)"),
    "ANNEX_ARCHIVE_DIGEST": ("0" * 64, "0" * 63, "A" * 64, "g" * 64, "$(id)"),
    "ANNEX_COMPONENTS": ("nvidia", "nvidia,osg", "osg,", ",osg", "osg osg", "osg;id", "cuda"),
    "ANNEX_HTCONDOR_MIRROR": MIRRORS,
    "ANNEX_PACKAGE_MIRROR": MIRRORS,
}
