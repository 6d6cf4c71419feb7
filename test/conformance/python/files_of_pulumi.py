"""Files that Pulumi put into a session: the SDK reads them, and changes one."""

import os

from harness import agb, done, same

session = done(agb.get(os.environ["SESSION_ID"])).session
folder = os.environ["FOLDER"]

same(done(session.file.read(f"{folder}/names/a b'ü.txt")).content, "content ü\n")
same(done(session.file.read(f"{folder}/bytes.bin", format="bytes")).content, bytes(range(256)) * 1000)
info = done(session.file.info(f"{folder}/bytes.bin")).file_info
same((info["size"], info["isDirectory"]), (256000, False))
info = done(session.file.info(f"{folder}/secret.txt")).file_info
assert str(info["permissions"]).endswith("600"), info
same(done(session.file.read(f"{folder}/secret.txt")).content, "for the owner")
result = done(session.command.execute("./run.sh", timeout_ms=10000, cwd=folder))
same(result.stdout, "executed\n")
same(sorted(entry["name"] for entry in done(session.file.list(folder)).entries), sorted(os.environ["NAMES"].split()))
if os.environ.get("WRITTEN"):
    same(done(session.file.read(os.environ["WRITTEN"])).content, "by a command\n")

done(session.file.write(f"{folder}/names/a b'ü.txt", "changed by the SDK"))
done(session.file.remove(f"{folder}/bytes.bin"))
done(session.file.write(f"{folder}/theirs.txt", "of the SDK"))
