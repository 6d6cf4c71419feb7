import httpx

from agb.context import Context, ContextListParams
from harness import agb, done, refused, same, unique

name = unique("context")
refused(agb.context.get(name))
context = done(agb.context.create(name)).context
try:
    assert context.id
    same(context.name, name)
    assert context.created_at and context.last_used_at
    same(done(agb.context.create(name)).context_id, context.id)
    same(done(agb.context.get(name)).context_id, context.id)
    same(done(agb.context.get(context_id=context.id)).context.name, name)
    refused(agb.context.get(name, create=True, context_id=context.id), "cannot be provided when create=True")
    assert context.id in [other.id for other in done(agb.context.list(ContextListParams(max_results=10))).contexts]

    renamed = unique("renamed")
    done(agb.context.update(Context(id=context.id, name=renamed)))
    same(done(agb.context.get(renamed)).context_id, context.id)
    refused(agb.context.get(name))

    content = "ü".encode() * 1000
    address = done(agb.context.get_file_upload_url(context.id, "/tmp/notes/a b.txt"))
    assert isinstance(address.expire_time, int)
    same(httpx.put(address.url, content=content).status_code, 200)
    address = done(agb.context.get_file_download_url(context.id, "/tmp/notes/a b.txt"))
    same(httpx.get(address.url).content, content)
    files = done(agb.context.list_files(context.id, "/tmp/notes"))
    same([(entry.file_name, entry.file_path, entry.size) for entry in files.entries], [("a b.txt", "/tmp/notes/a b.txt", 2000)])
    same(files.count, 1)
    done(agb.context.delete_file(context.id, "/tmp/notes/a b.txt"))
    same(done(agb.context.list_files(context.id, "/tmp/notes")).entries, [])

    address = done(agb.context.get_file_upload_url(context.id, "/tmp/notes/b.txt"))
    same(httpx.put(address.url, content=content).status_code, 200)
    cleared = done(agb.context.clear(context.id, timeout=60, poll_interval=0.1))
    same(cleared.status, "available")
    same(done(agb.context.list_files(context.id, "/tmp/notes")).entries, [])
    done(agb.context.clear(context.id, timeout=60, poll_interval=0.1))
finally:
    done(agb.context.delete(context))

refused(agb.context.get(context_id=context.id))
refused(agb.context.clear_async(context.id))
refused(agb.context.delete(context))
refused(agb.context.list_files(context.id))
