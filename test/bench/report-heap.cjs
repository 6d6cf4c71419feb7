// Loaded into a measured process with `--expose-gc`. Answers each message of the parent with the bytes of live heap after a
// garbage collection. Resident memory alone cannot distinguish a leak from garbage that was not collected yet.

process.on("message", () => {
  global.gc();
  process.send(process.memoryUsage().heapUsed);
});
// The channel must not keep the measured process alive.
process.channel.unref();
