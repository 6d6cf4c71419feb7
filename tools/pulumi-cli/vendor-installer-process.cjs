// The process of vendor-installer.ts. `node vendor-installer-process.cjs ROOT CONTACT_TIMEOUT_MS` installs the Pulumi CLI into
// ROOT/bin, in the version of `@pulumi/pulumi`. It is JavaScript so that Node can run it without a TypeScript loader.

const [root, contactTimeoutMs] = process.argv.slice(2);

// The parent never writes to the pipe, so the pipe ends only when the parent is gone. Process 0 means the whole group, with the
// shell and the download.
process.stdin.on("end", () => process.kill(0, "SIGKILL")).resume();

// The Automation API waits up to two minutes for the first answer, and reports any error as "fetch failed".
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
