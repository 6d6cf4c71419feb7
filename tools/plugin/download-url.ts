/**
 * Chooses the address from which Pulumi may install the plugin. It becomes `pluginDownloadURL` in the schema, which everyone can
 * read.
 *
 * @param setting `AGB_PLUGIN_DOWNLOAD_URL`, such as `github://api.github.com/OWNER/REPOSITORY` or `https://HOST/FOLDER`. Default:
 *   the releases of `repository`, if that is on github.com
 * @param repository the field of package.json
 * @returns undefined if there is no such address
 * @throws Error if Pulumi cannot use the address, or if it contains a password
 */
export function chooseDownloadUrl(
  setting: string | undefined,
  repository?: string | { readonly url?: string },
): string | undefined {
  if (setting === undefined || setting === "") {
    const url = typeof repository === "string" ? repository : (repository?.url ?? "");
    const [, name] = /^(?:git\+)?https:\/\/github\.com\/([\w.-]+\/[\w.-]+?)(?:\.git)?\/?$/.exec(url) ?? [];
    return name === undefined ? undefined : `github://api.github.com/${name}`;
  }
  const problem = problemOf(setting);
  if (problem !== undefined) {
    throw new Error(
      `The plugin was not built: AGB_PLUGIN_DOWNLOAD_URL ${problem}. Set it to an address like github://api.github.com/OWNER/REPOSITORY or https://HOST/FOLDER, or leave it empty.`,
    );
  }
  return setting;
}

function problemOf(setting: string): string | undefined {
  if (!URL.canParse(setting)) {
    return "is not an address";
  }
  const { protocol, pathname, username, password } = new URL(setting);
  // The address itself is not shown: it holds a secret.
  if (username !== "" || password !== "") {
    return "contains a user name or a password, and everyone can read the schema";
  }
  // `URL` would take the first folder of `https:///folder` for the host.
  if (!/^\w+:\/\/[^/?#]/.test(setting)) {
    return "names no host";
  }
  if (protocol === "http:" || protocol === "https:") {
    return undefined;
  }
  if (protocol === "github:" || protocol === "gitlab:") {
    const count = pathname.split("/").filter((part) => part !== "").length;
    if (protocol === "gitlab:") {
      return count === 1 ? undefined : "names no project";
    }
    return count === 1 || count === 2 ? undefined : "names no repository";
  }
  return `begins with ${protocol}, and Pulumi downloads plugins from github:, gitlab:, https: and http:`;
}
