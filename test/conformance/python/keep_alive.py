from harness import advance, agb, created, done, refused, same

kept = created(idle_release_timeout=60)
used = created(idle_release_timeout=60)
idle = created(idle_release_timeout=60)
for _ in range(5):
    advance(40)
    done(kept.keep_alive())
    used.command.execute("true")
    # Reading a session does not extend its life.
    idle.get_status()
    idle.get_labels()
    idle.info()
    agb.list()
same(done(kept.get_status()).status, "RUNNING")
same(done(used.get_status()).status, "RUNNING")
same(refused(idle.get_status()).code, "InvalidMcpSession.NotFound")
refused(idle.keep_alive(), "not found")
advance(59)
same(done(kept.get_status()).status, "RUNNING")
advance(2)
assert not kept.get_status().success or kept.get_status().status in ("DELETING", "FINISH")
advance(60)
refused(kept.get_status(), "not found")
