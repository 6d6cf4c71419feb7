// The process behind vendor-installer.ts: `node vendor-installer-process.cjs ROOT CONTACT_TIMEOUT_MS` installs the Pulumi CLI of the same
// version as `@pulumi/pulumi` into ROOT/bin. It is JavaScript because it is run as it is, by whatever runs the TypeScript around it.

const [root, contactTimeoutMs] = process.argv.slice(2);

// The parent never writes: its end of the pipe closes when it is gone. Process 0 means the whole group, with the shell and the download.
process.stdin.on("end", () => process.kill(0, "SIGKILL")).resume();

// The Automation API waits up to two minutes for its first answer, and says no more than "fetch failed" about an error.
const originalFetch = globalThis.fetch;
globalThis.fetch = async (url, init) => {
  const contactLimit = AbortSignal.timeout(Number(contactTimeoutMs));
  try {
    return await originalFetch(url, { ...init, signal: contactLimit });
  } catch (error) {
    if (contactLimit.aborted) {
      throw new Error(`no answer within ${Number(contactTimeoutMs) / 1000} s`);
    }
    throw error.cause ?? error;
  }
};

const { PulumiCommand } = require("@pulumi/pulumi/automation");

PulumiCommand.install({ root }).then(
  () => process.exit(0),
  (error) => {
    console.error(error.message);
    process.exit(1);
  },
);
