from harness import agb, created, done, refused, same, unique

owner = unique("owner")
session = created(labels={"owner": owner, "text": "ü 🙂 a+b &=%"})
try:
    assert session.session_id
    found = done(agb.get_session(session.session_id)).data
    same(found.session_id, session.session_id)
    assert found.app_instance_id and found.resource_id, "a live session has both"
    assert "resourceId=" in found.resource_url
    again = done(agb.get_session(session.session_id)).data
    assert again.resource_url != found.resource_url, "the access code is another one at each call"
    same(done(agb.get(session.session_id)).session.session_id, session.session_id)
    same(done(session.get_status()).status, "RUNNING")

    info = done(session.info()).data
    same(info["session_id"], session.session_id)
    for name in ("resource_url", "app_id", "auth_code", "resource_id", "resource_type", "ticket"):
        assert info[name], name

    same(done(session.get_labels()).data, {"owner": owner, "text": "ü 🙂 a+b &=%"})
    done(session.set_labels({"owner": owner, "stage": "two"}))
    same(done(session.get_labels()).data, {"owner": owner, "stage": "two"})
    refused(session.set_labels({}), "cannot be empty")
    same(done(session.get_labels()).data, {"owner": owner, "stage": "two"})

    same(done(agb.list({"owner": owner, "stage": "two"})).session_ids, [session.session_id])
    same(done(agb.list({"owner": owner, "stage": "one"})).session_ids, [])
    assert session.session_id in done(agb.list()).session_ids, "the newest one is on the first page"
finally:
    done(agb.delete(session))

refused(agb.get_session(session.session_id), "not found")
refused(agb.get(session.session_id), "not found")
refused(session.info(), "not found")
refused(session.get_labels(), "not found")
refused(session.set_labels({"a": "b"}), "not found")
refused(session.keep_alive(), "not found")
refused(session.command.execute("true"), "not found")
same(refused(session.get_status()).code, "InvalidMcpSession.NotFound")
refused(session.delete(), "[InvalidMcpSession.NotFound]")
same(done(agb.list({"owner": owner})).total_count, 0)
