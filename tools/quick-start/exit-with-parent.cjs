// Loaded into a child process with `node --require`. Ends the child gracefully when its standard input closes: when the parent
// closes it, or when the parent dies.

const forceAfterMs = 2000;

process.stdin
  .on("end", () => {
    process.kill(process.pid, "SIGTERM");
    setTimeout(() => process.exit(1), forceAfterMs).unref();
  })
  .resume()
  .unref();
