import os
import tempfile

from harness import CODE_IMAGE, agb, created, done, refused, same

session = created()
try:
    names = [tool.name for tool in done(session.list_mcp_tools(CODE_IMAGE)).tools]
    for name in ("shell", "run_code", "read_file", "write_file"):
        assert name in names, names

    result = done(session.command.execute("echo out; echo err >&2", timeout_ms=10000))
    same((result.stdout, result.stderr, result.exit_code), ("out\n", "err\n", 0))
    failed = session.command.execute("echo out; exit 3", timeout_ms=10000)
    same((failed.success, failed.stdout, failed.exit_code), (False, "out\n", 3))
    result = done(session.command.execute("pwd; echo $EXTRA", timeout_ms=10000, cwd="/tmp", envs={"EXTRA": "a b"}))
    assert result.stdout.endswith("/tmp\na b\n"), result.stdout
    slow = session.command.execute("sleep 30", timeout_ms=500)
    assert not slow.success

    code = done(session.code.run("print('Hello')\n6 * 7", "python"))
    same(code.result, "42")
    same("".join(code.logs.stdout), "Hello\n")
    same(done(session.code.run("console.log(6 * 7)", "js")).result, "42\n")
    wrong = session.code.run("1 / 0", "python")
    assert not wrong.success and "ZeroDivisionError" in wrong.error_message, wrong.error_message
    refused(session.code.run("x", "cobol"), "Unsupported language")

    done(session.file.mkdir("/tmp/work/deep"))
    done(session.file.write("/tmp/work/a.txt", "ü"))
    done(session.file.write("/tmp/work/a.txt", "bc", mode="append"))
    same(done(session.file.read("/tmp/work/a.txt")).content, "übc")
    same(done(session.command.execute("cat /tmp/work/a.txt", timeout_ms=10000)).output, "übc")
    large = "aä€🙂" * 30000
    done(session.file.write("/tmp/work/large.txt", large))
    same(done(session.file.read("/tmp/work/large.txt")).content, large)
    same(done(session.file.read("/tmp/work/large.txt", format="bytes")).content, large.encode())
    entries = done(session.file.list("/tmp/work")).entries
    same(
        sorted((entry["name"], entry["isDirectory"]) for entry in entries),
        [("a.txt", False), ("deep", True), ("large.txt", False)],
    )
    info = done(session.file.info("/tmp/work/a.txt")).file_info
    same((info["size"], info["isDirectory"]), (4, False))
    done(session.file.move("/tmp/work/a.txt", "/tmp/work/b.txt"))
    done(session.file.remove("/tmp/work/b.txt"))
    assert not session.file.read("/tmp/work/b.txt").success
    assert not session.file.read("/tmp/work").success

    metrics = done(session.get_metrics()).metrics
    assert metrics.cpu_count > 0 and metrics.mem_total > 0 and metrics.disk_total > 0

    with tempfile.TemporaryDirectory() as folder:
        local, back = os.path.join(folder, "local"), os.path.join(folder, "back")
        with open(local, "wb") as file:
            file.write(bytes(range(256)) * 100)
        remote = f"{session.file.transfer_path()}/moved.bin"
        done(session.file.upload(local, remote))
        same(done(session.command.execute(f"wc -c < {remote}", timeout_ms=10000)).stdout.strip(), "25600")
        done(session.file.download(remote, back))
        with open(back, "rb") as file:
            same(file.read(), bytes(range(256)) * 100)
finally:
    done(agb.delete(session))
