"""Program for the execution point: reads user data and writes its files with cloud-init's own code."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

import yaml
from cloudinit import handlers, helpers
from cloudinit.config import cc_write_files
from cloudinit.config.schema import get_schema, validate_cloudconfig_schema
from cloudinit.handlers.cloud_config import CloudConfigPartHandler
from cloudinit.user_data import UserDataProcessor

directory = tempfile.mkdtemp()
paths = helpers.Paths({"cloud_dir": directory, "run_dir": directory})
message = UserDataProcessor(paths).process(Path(sys.argv[1]).read_bytes())
merger = CloudConfigPartHandler(paths)
merger.cloud_fn = directory + "/merged"
merger.handle_part({}, handlers.CONTENT_START, None, None, None, None)
for part in message.walk():
    if not part.is_multipart():
        text = part.get_payload(decode=True).decode()
        merger.handle_part({}, part.get_content_type(), part.get_filename(), text, handlers.PER_ALWAYS, dict(part))
merger.handle_part({}, handlers.CONTENT_END, None, None, None, None)
config = yaml.safe_load(Path(merger.cloud_fn).read_text())
validate_cloudconfig_schema(config, get_schema(), strict=True)
assert set(config) == {"bootcmd", "write_files"}, sorted(config)
cc_write_files.write_files("write_files", config["write_files"], "root")
