"""A session that Pulumi created with a context: the SDK sees the mount, and finds and writes files there."""

import os

from harness import agb, done, same

session_id = os.environ["SESSION_ID"]
context_id = os.environ["CONTEXT_ID"]
path = os.environ["MOUNT_PATH"]

same(done(agb.context.get(os.environ["CONTEXT_NAME"])).context.id, context_id)

session = done(agb.get(session_id)).session
for query in ({}, {"context_id": context_id, "path": path, "task_type": "download"}):
    statuses = done(session.context.info(**query)).context_status_data
    same(
        [(item.context_id, item.path, item.task_type, item.status) for item in statuses],
        [(context_id, path, "download", "Success")],
    )

if "EXPECTED_FILE" in os.environ:
    same(done(session.file.read(f"{path}/{os.environ['EXPECTED_FILE']}")).content, "written by the SDK")
done(session.file.write(f"{path}/{os.environ['NEW_FILE']}", "written by the SDK"))
