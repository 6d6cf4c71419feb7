/** The fields of package.json that name the repository, and the address of the documentation. */
export interface RepositoryFields {
  readonly repository: { readonly type: "git"; readonly url: string };
  readonly homepage: string;
  readonly bugs: { readonly url: string };
}

/**
 * Returns what package.json says about the repository that publishes the package. In the sources these fields are missing, so
 * that a copy of the repository never names another one.
 *
 * @param environment GITHUB_REPOSITORY, such as `owner/name`. GITHUB_SERVER_URL. Default: `https://github.com`
 * @throws Error if GITHUB_REPOSITORY is missing or is not `owner/name`, of letters, digits, `.`, `_` and `-`
 */
export function repositoryFields(environment: Readonly<Record<string, string | undefined>>): RepositoryFields {
  const name = environment["GITHUB_REPOSITORY"] ?? "";
  if (!/^[\w.-]+\/[\w.-]+$/.test(name) || name.split("/").some((part) => part === "." || part === "..")) {
    throw new Error(
      `The repository is unknown: GITHUB_REPOSITORY is ${JSON.stringify(name)}. Set it to OWNER/NAME, or release from GitHub Actions.`,
    );
  }
  const server = environment["GITHUB_SERVER_URL"] || "https://github.com";
  const url = `${server.replace(/\/+$/, "")}/${name}`;
  return {
    repository: { type: "git", url: `git+${url}.git` },
    homepage: `${url}#readme`,
    bugs: { url: `${url}/issues` },
  };
}
