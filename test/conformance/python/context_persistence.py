import asyncio

from agb.context_sync import ContextSync, SyncPolicy, UploadMode, UploadPolicy
from harness import agb, created, done, same, unique

context = done(agb.context.create(unique("context"))).context
path = "/home/user/kept"
try:
    for mode in (UploadMode.FILE, UploadMode.ARCHIVE):
        sync = ContextSync.new(context.id, path, SyncPolicy(upload_policy=UploadPolicy(upload_mode=mode)))
        first = created(context_syncs=[sync])
        statuses = done(first.context.info()).context_status_data
        same([(item.context_id, item.path, item.status) for item in statuses], [(context.id, path, "Success")])
        done(first.file.write(f"{path}/note-{mode.value}.txt", "kept ü"))
        done(first.command.execute(f"mkdir -p {path}/deep && echo by command > {path}/deep/{mode.value}.txt", 10000))
        done(agb.delete(first, sync_context=True))

        second = created(context_syncs=[sync])
        same(done(second.file.read(f"{path}/note-{mode.value}.txt")).content, "kept ü")
        same(done(second.command.execute(f"cat {path}/deep/{mode.value}.txt", 10000)).stdout, "by command\n")
        done(second.file.write(f"{path}/second-{mode.value}.txt", "x"))
        done(asyncio.run(second.context.sync(context_id=context.id, path=path, mode="upload")))
        names = [entry.file_name for entry in done(agb.context.list_files(context.id, path)).entries]
        assert f"second-{mode.value}.txt" in names, names
        done(agb.delete(second))
finally:
    done(agb.context.delete(context))
