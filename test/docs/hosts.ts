/** Hosts that the documentation links to. Add a host only if readers need what is there. */
const allowedHosts = [
  "agb.cloud",
  "app.pulumi.com",
  "www.pulumi.com",
  "github.com",
  "docs.github.com",
  "keepachangelog.com",
  "semver.org",
  "www.contributor-covenant.org",
  "creativecommons.org",
];

/** Returns what is wrong with an address that begins with a scheme. */
export function hostProblems(address: string): string[] {
  if (/^(mailto|data):/.test(address)) {
    return [];
  }
  const { protocol, hostname } = new URL(address);
  if (hostname === "127.0.0.1" || hostname === "localhost") {
    return [];
  }
  if (protocol !== "https:") {
    return ["Use https."];
  }
  return allowedHosts.includes(hostname)
    ? []
    : [`${hostname} is a new host. Use a relative path, or add it to test/docs/hosts.ts.`];
}
