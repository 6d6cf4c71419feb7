"""The files of a session that Pulumi released, as the SDK's context service shows them."""

import os

import httpx

from harness import agb, done, refused, same

context_id = os.environ["CONTEXT_ID"]
file_path = f"{os.environ['MOUNT_PATH']}/{os.environ['EXPECTED_FILE']}"

refused(agb.get(os.environ["SESSION_ID"]), "not found")
same([entry.file_path for entry in done(agb.context.list_files(context_id, os.environ["MOUNT_PATH"])).entries], [file_path])
address = done(agb.context.get_file_download_url(context_id, file_path))
same(httpx.get(address.url).content, b"written by the SDK")
