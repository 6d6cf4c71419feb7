import type { MessageCode } from "../messages/message-codes";

/** How to reach GitHub. */
export interface GitHubSettings {
  readonly kind: "github";
  readonly token: string;
  /** Without a slash at the end, like the other addresses here. */
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
  /** Page of the running job, or else of its pipeline. */
  readonly jobUrl: string | undefined;
}

/** There is no forge. */
export interface NoForgeSettings {
  readonly kind: "none";
  /** What is missing or invalid, and how to fix it. Holds no token. */
  readonly reason: string;
  /** The code of the reason. */
  readonly code: MessageCode;
  /** Whether a forge is named but its settings are incomplete or invalid. No forge at all is normal outside CI. */
  readonly isUnusable: boolean;
}

/** What the environment says about the forge that hosts the repository. */
export type ForgeSettings = GitHubSettings | GitLabSettings | NoForgeSettings;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads the forge's settings from the variables of GitHub Actions and GitLab CI, and from the token that the job
 * passes.
 */
export function parseForgeSettings(environment: Environment): ForgeSettings {
  const kind = kindOfForge(environment);
  if (kind !== "none") {
    return kind === "github" ? parseGitHub(environment) : parseGitLab(environment);
  }
  const reason =
    "Neither GitHub nor GitLab is known. GitHub Actions and GitLab CI set the variables for that. Elsewhere, set " +
    "GITHUB_REPOSITORY (OWNER/NAME) and GITHUB_TOKEN, or CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN.";
  return { kind: "none", reason, code: "AGB701", isUnusable: false };
}

/**
 * Reads the id of the job's repository from the same variables. Needs no token.
 *
 * @returns such as `github.com/repositories/81` or `gitlab.com/projects/7`; `undefined` when it is not known for
 *   certain
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
  const token = parseToken(
    environment,
    "GITHUB_TOKEN",
    "GitHub Actions does not pass it to steps by itself. Set it to the expression github.token in the `env` of the step.",
  );
  const apiUrl = parseUrl(environment, "GITHUB_API_URL", "https://api.github.com");
  const serverUrl = parseUrl(environment, "GITHUB_SERVER_URL", "https://github.com");
  const name = parseGitHubName(environment["GITHUB_REPOSITORY"]);
  const problems = problemsOf([token, apiUrl, serverUrl, name]);
  if (problems !== undefined) {
    return { kind: "none", reason: problems, code: "AGB702", isUnusable: true };
  }
  const [owner = "", repository = ""] = name.value.split("/");
  return {
    kind: "github",
    token: token.value,
    apiUrl: apiUrl.value,
    serverUrl: serverUrl.value,
    owner,
    repository,
    runId: digits(environment["GITHUB_RUN_ID"]),
    runAttempt: digits(environment["GITHUB_RUN_ATTEMPT"]),
  };
}

function parseGitLab(environment: Environment): ForgeSettings {
  const token = parseToken(
    environment,
    "GITLAB_TOKEN",
    "GitLab's own CI_JOB_TOKEN cannot write comments. Create a project access token with the scope api and the role " +
      "Developer, and add it to the CI/CD variables, masked.",
  );
  const apiUrl = parseUrl(environment, "CI_API_V4_URL");
  const project = parseGitLabProject(environment["CI_PROJECT_ID"]);
  const problems = problemsOf([token, apiUrl, project]);
  if (problems !== undefined) {
    return { kind: "none", reason: problems, code: "AGB702", isUnusable: true };
  }
  const jobUrl = httpUrl(environment["CI_JOB_URL"]) ?? httpUrl(environment["CI_PIPELINE_URL"]);
  return { kind: "gitlab", token: token.value, apiUrl: apiUrl.value, project: project.value, jobUrl };
}

/** A setting's value, and what is wrong with it. */
interface Parsed {
  readonly value: string;
  readonly problem?: string;
}

function problemsOf(parsed: readonly Parsed[]): string | undefined {
  const problems = parsed.flatMap(({ problem }) => problem ?? []);
  return problems.length > 0 ? problems.join(" ") : undefined;
}

// An HTTP client that gets an invalid header value quotes it in its error.
function parseToken(environment: Environment, variable: string, advice: string): Parsed {
  const value = environment[variable] ?? "";
  if (value === "") {
    return { value, problem: `${variable} is not set. ${advice}` };
  }
  return /^[\x21-\x7e]+$/.test(value)
    ? { value }
    : {
        value,
        problem: `${variable} contains blanks, line breaks or special characters, which no token has. Copy it again.`,
      };
}

function parseUrl(environment: Environment, variable: string, fallback?: string): Parsed {
  const text = environment[variable] || fallback;
  const value = httpUrl(text);
  return value === undefined
    ? {
        value: "",
        problem: `${variable} is ${text === undefined ? "not set" : "not an address"}. Set it to an address such as ${fallback ?? "https://gitlab.com/api/v4"}.`,
      }
    : { value };
}

function parseGitHubName(value = ""): Parsed {
  const [, repository] = /^[A-Za-z0-9][\w-]*\/([\w.-]+)$/.exec(value) ?? [];
  const isName = repository !== undefined && !/^\.\.?$/.test(repository);
  return isName
    ? { value }
    : { value, problem: "GITHUB_REPOSITORY is not of the form OWNER/NAME. Set it to such a name." };
}

function parseGitLabProject(value = ""): Parsed {
  return /^\d+$|^\w[\w.-]*(\/\w[\w.-]*)+$/.test(value)
    ? { value }
    : {
        value,
        problem: "CI_PROJECT_ID is neither a number nor a path. Set it to the number or the path of the project.",
      };
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
