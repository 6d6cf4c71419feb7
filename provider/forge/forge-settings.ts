/** How to reach GitHub. */
export interface GitHubSettings {
  readonly kind: "github";
  readonly token: string;
  /** Without a slash at the end, as the other addresses here. */
  readonly apiUrl: string;
  readonly serverUrl: string;
  readonly owner: string;
  readonly repository: string;
  /** Id of the running workflow run, digits only. */
  readonly runId: string | undefined;
  /** Number of the run's attempt, digits only. */
  readonly runAttempt: string | undefined;
}

/** How to reach GitLab. */
export interface GitLabSettings {
  readonly kind: "gitlab";
  readonly token: string;
  readonly apiUrl: string;
  /** Number or full path of the project. */
  readonly project: string;
  /** Page of the running job, or of its pipeline. */
  readonly jobUrl: string | undefined;
}

/** There is no forge to talk to. */
export interface NoForgeSettings {
  readonly kind: "none";
  /** What is missing or broken, and how to mend it. Holds no token. */
  readonly reason: string;
  /** Whether a forge is named but cannot be used. That is a mistake in a job, while no forge at all is normal on a desk. */
  readonly isUnusable: boolean;
}

/** What the environment says of the forge that hosts the repository. */
export type ForgeSettings = GitHubSettings | GitLabSettings | NoForgeSettings;

type Environment = Readonly<Record<string, string | undefined>>;

/** Takes the forge's settings from the variables that GitHub Actions and GitLab CI set, and a token that the job gives. */
export function parseForgeSettings(environment: Environment): ForgeSettings {
  const kind = kindOfForge(environment);
  if (kind !== "none") {
    return kind === "github" ? parseGitHub(environment) : parseGitLab(environment);
  }
  const reason =
    "No forge is known. In a job of GitHub Actions or GitLab CI the forge's own variables say which it is; elsewhere set " +
    "GITHUB_REPOSITORY (OWNER/NAME) and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN.";
  return { kind: "none", reason, isUnusable: false };
}

/**
 * Takes the id of the job's repository from the same variables; a token is not needed.
 *
 * @returns such as `github.com/repositories/81` or `gitlab.com/projects/7`; `undefined` when it is not known for certain
 */
export function parseRepositoryId(environment: Environment): string | undefined {
  const kind = kindOfForge(environment);
  if (kind === "none") {
    return undefined;
  }
  const [host, collection, id] =
    kind === "github"
      ? [
          hostOf(environment["GITHUB_SERVER_URL"] || "https://github.com"),
          "repositories",
          environment["GITHUB_REPOSITORY_ID"],
        ]
      : [
          environment["CI_API_V4_URL"]
            ? hostOf(environment["CI_API_V4_URL"])
            : hostName(environment["CI_SERVER_HOST"]?.toLowerCase()),
          "projects",
          environment["CI_PROJECT_ID"],
        ];
  return host !== undefined && /^[1-9]\d{0,19}$/.test(id ?? "") ? `${host}/${collection}/${id}` : undefined;
}

function kindOfForge(environment: Environment): ForgeSettings["kind"] {
  const isGitLabJob = environment["GITLAB_CI"] === "true";
  if (environment["GITHUB_REPOSITORY"] && !isGitLabJob) {
    return "github";
  }
  return environment["CI_PROJECT_ID"] || isGitLabJob ? "gitlab" : "none";
}

function hostOf(address: string): string | undefined {
  const url = httpUrl(address);
  return url === undefined ? undefined : hostName(new URL(url).host);
}

function hostName(text: string | undefined): string | undefined {
  return text !== undefined && /^[a-z0-9.-]{1,200}(:\d{1,5})?$/.test(text) ? text : undefined;
}

function parseGitHub(environment: Environment): ForgeSettings {
  const problems: string[] = [];
  const token = parseToken(
    environment,
    "GITHUB_TOKEN",
    "GitHub Actions does not hand it to steps by itself: set it in the step's env to the expression github.token.",
    problems,
  );
  const apiUrl = parseUrl(environment, "GITHUB_API_URL", "https://api.github.com", problems);
  const serverUrl = parseUrl(environment, "GITHUB_SERVER_URL", "https://github.com", problems);
  const name = /^([A-Za-z0-9][\w-]*)\/([\w.-]+)$/.exec(environment["GITHUB_REPOSITORY"] ?? "");
  const [, owner = "", repository = ""] = name ?? [];
  if (name === null || /^\.\.?$/.test(repository)) {
    problems.push("GITHUB_REPOSITORY is not OWNER/NAME.");
  }
  if (problems.length > 0) {
    return { kind: "none", reason: problems.join(" "), isUnusable: true };
  }
  const runId = digits(environment["GITHUB_RUN_ID"]);
  const runAttempt = digits(environment["GITHUB_RUN_ATTEMPT"]);
  return { kind: "github", token, apiUrl, serverUrl, owner, repository, runId, runAttempt };
}

function parseGitLab(environment: Environment): ForgeSettings {
  const problems: string[] = [];
  const token = parseToken(
    environment,
    "GITLAB_TOKEN",
    "GitLab's own CI_JOB_TOKEN cannot write comments: make a project access token with the scope api and the role " +
      "Developer, and add it to the CI/CD variables, masked.",
    problems,
  );
  const apiUrl = parseUrl(environment, "CI_API_V4_URL", undefined, problems);
  const project = environment["CI_PROJECT_ID"] ?? "";
  if (!/^\d+$|^\w[\w.-]*(\/\w[\w.-]*)+$/.test(project)) {
    problems.push("CI_PROJECT_ID is neither the number nor the path of a project.");
  }
  if (problems.length > 0) {
    return { kind: "none", reason: problems.join(" "), isUnusable: true };
  }
  const jobUrl = httpUrl(environment["CI_JOB_URL"]) ?? httpUrl(environment["CI_PIPELINE_URL"]);
  return { kind: "gitlab", token, apiUrl, project, jobUrl };
}

// An HTTP client that is given a broken header value quotes it in its error.
function parseToken(environment: Environment, variable: string, advice: string, problems: string[]): string {
  const token = environment[variable] ?? "";
  if (token === "") {
    problems.push(`${variable} is not set. ${advice}`);
  } else if (!/^[\x21-\x7e]+$/.test(token)) {
    problems.push(`${variable} cannot be used: a token has no blanks, line breaks or special characters.`);
  }
  return token;
}

function parseUrl(
  environment: Environment,
  variable: string,
  fallback: string | undefined,
  problems: string[],
): string {
  const text = environment[variable] || fallback;
  const url = httpUrl(text);
  if (url === undefined) {
    problems.push(`${variable} is ${text === undefined ? "not set" : "not an http(s) address"}.`);
  }
  return url ?? "";
}

function httpUrl(text: string | undefined): string | undefined {
  if (!text || !/^https?:\/\/[\x21-\x7e]+$/i.test(text) || !URL.canParse(text)) {
    return undefined;
  }
  const { origin, pathname, username, password } = new URL(text);
  return username || password ? undefined : `${origin}${pathname}`.replace(/\/+$/, "");
}

function digits(text: string | undefined): string | undefined {
  return text !== undefined && /^\d{1,20}$/.test(text) ? text : undefined;
}
