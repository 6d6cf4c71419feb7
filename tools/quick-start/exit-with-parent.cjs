// Loaded into a child process with `node --require`: ends it, in order, once its parent has closed the child's standard input. The system
// closes it too when the parent dies without a chance to clean up.

const forceAfterMs = 2000;

process.stdin
  .on("end", () => {
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.exit(1), forceAfterMs).unref();
  })
  .resume()
  .unref();
