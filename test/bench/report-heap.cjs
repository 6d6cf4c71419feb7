// Loaded before a measured process, with `--expose-gc`: answers each message of its parent with the bytes that live on the
// heap once garbage is collected. Resident memory alone does not tell a leak from garbage that nobody has needed to collect.

process.on("message", () => {
  global.gc();
  process.send(process.memoryUsage().heapUsed);
});
// The measured process ends as it would without this channel.
process.channel.unref();
