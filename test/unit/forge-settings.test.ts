import { readForgeSettings, readRepositoryId } from "../../provider/cli/environment";
import { findForge, requireForge } from "../../provider/forge/find-forge";
import { hasMarker, withMarker } from "../../provider/forge/marker";
import { isRepositoryId } from "../../provider/lifecycle/ownership";

const gitHub = { GITHUB_ACTIONS: "true", GITHUB_REPOSITORY: "acme/shop", GITHUB_TOKEN: "t0ken" };
const gitLab = {
  GITLAB_CI: "true",
  CI_PROJECT_ID: "7",
  CI_API_V4_URL: "https://gitlab.test/api/v4",
  GITLAB_TOKEN: "t0ken",
};

function reasonOf(environment: Record<string, string>): string {
  const settings = readForgeSettings(environment);
  if (settings.kind !== "none") {
    throw new Error(`this is ${settings.kind}`);
  }
  expect(settings.isUnusable).toBe(true);
  expect(() => requireForge(settings)).toThrow(settings.reason);
  return settings.reason;
}

test("without a forge's variables there is no forge, and that is not an error", () => {
  const settings = readForgeSettings({ HOME: "/home/me", CI: "true" });
  expect(settings).toMatchObject({ kind: "none", isUnusable: false });
  expect(findForge(settings)).toBeUndefined();
  expect(() => requireForge(settings)).toThrow(/GITHUB_REPOSITORY .* GITLAB_TOKEN/);
});

test("a job of GitHub Actions learns which variables are missing or invalid", () => {
  expect(reasonOf({ ...gitHub, GITHUB_TOKEN: "" })).toMatch(
    /^GITHUB_TOKEN is not set\. .* github\.token in the `env` of the step/,
  );
  expect(reasonOf({ ...gitHub, GITHUB_TOKEN: "tok en\n" })).toMatch(/^GITHUB_TOKEN contains blanks/);
  expect(reasonOf({ ...gitHub, GITHUB_API_URL: "api.github.com" })).toMatch(
    /^GITHUB_API_URL is not an address\. .* https:\/\/api\.github\.com\.$/,
  );
  for (const name of ["acme", "acme/..", "acme/shop/web", "../shop", "acme/a b", "-acme/shop", "acme/shop\n"]) {
    expect(reasonOf({ ...gitHub, GITHUB_REPOSITORY: name })).toMatch(
      /^GITHUB_REPOSITORY is not of the form OWNER\/NAME\./,
    );
  }
});

test("a job of GitLab CI learns which variables are missing or invalid", () => {
  const { GITLAB_TOKEN: _, ...withoutToken } = gitLab;
  expect(reasonOf(withoutToken)).toMatch(/^GITLAB_TOKEN is not set\. .*project access token/);
  expect(reasonOf({ ...gitLab, CI_API_V4_URL: "" })).toMatch(/^CI_API_V4_URL is not set\. Set it/);
  expect(reasonOf({ ...gitLab, CI_API_V4_URL: "https://me:pw@gitlab.test" })).toMatch(
    /^CI_API_V4_URL is not an address/,
  );
  expect(reasonOf({ ...gitLab, CI_PROJECT_ID: "../7" })).toMatch(/^CI_PROJECT_ID is neither/);
});

test("no reason contains a token", () => {
  for (const environment of [
    { ...gitHub, GITHUB_TOKEN: "s3cr3t\u00e9", GITHUB_REPOSITORY: "", CI_PROJECT_ID: "7", GITLAB_TOKEN: "s3cr3t x" },
    { ...gitHub, GITHUB_TOKEN: "s3cr3t\u0007" },
    { ...gitLab, GITLAB_TOKEN: "s3cr3t s3cr3t" },
  ]) {
    expect(reasonOf(environment)).not.toContain("s3cr3t");
  }
});

test("a GitHub variable that a GitLab job happens to have does not make it a GitHub job", () => {
  expect(readForgeSettings({ ...gitLab, GITHUB_REPOSITORY: "acme/shop" })).toMatchObject({ kind: "gitlab" });
});

test("GitHub's job links to the attempt and has a command to repeat it", () => {
  const job = (more: Record<string, string>) => findForge(readForgeSettings({ ...gitHub, ...more }))?.job;
  expect(job({})).toBeUndefined();
  expect(job({ GITHUB_RUN_ID: "8001" })).toEqual({
    url: "https://github.com/acme/shop/actions/runs/8001",
    repeatCommand: "gh run rerun 8001 --repo acme/shop",
  });
  expect(job({ GITHUB_RUN_ID: "8001", GITHUB_RUN_ATTEMPT: "3" })?.url).toMatch(/\/runs\/8001\/attempts\/3$/);
  expect(job({ GITHUB_RUN_ID: "8001", GITHUB_SERVER_URL: "https://git.acme.test/" })).toEqual({
    url: "https://git.acme.test/acme/shop/actions/runs/8001",
    repeatCommand: "gh run rerun 8001 --repo git.acme.test/acme/shop",
  });
  expect(job({ GITHUB_RUN_ID: "8001; rm -rf /" })).toBeUndefined();
  expect(job({ GITHUB_RUN_ID: "8001", GITHUB_RUN_ATTEMPT: ")](x" })?.url).toMatch(/\/runs\/8001$/);
});

test("GitLab's job links to itself, or else to its pipeline, and has no command", () => {
  const job = (more: Record<string, string>) => findForge(readForgeSettings({ ...gitLab, ...more }))?.job;
  const CI_PIPELINE_URL = "https://gitlab.test/acme/shop/-/pipelines/9";
  expect(job({})).toBeUndefined();
  expect(job({ CI_PIPELINE_URL })).toEqual({ url: CI_PIPELINE_URL, repeatCommand: undefined });
  expect(job({ CI_PIPELINE_URL, CI_JOB_URL: "https://gitlab.test/acme/shop/-/jobs/5" })?.url).toMatch(/jobs\/5$/);
  expect(job({ CI_JOB_URL: "javascript:alert(1)" })).toBeUndefined();
});

describe("the id of the repository", () => {
  const { GITHUB_TOKEN: _, ...gitHubWithoutToken } = { ...gitHub, GITHUB_REPOSITORY_ID: "81" };
  const { GITLAB_TOKEN: __, ...gitLabWithoutToken } = gitLab;
  const { CI_API_V4_URL: ___, ...gitLabByName } = gitLabWithoutToken;

  test.each([
    [gitHubWithoutToken, "github.com/repositories/81"],
    [{ ...gitHubWithoutToken, GITHUB_SERVER_URL: "https://Git.Acme.test:8443/" }, "git.acme.test:8443/repositories/81"],
    [{ ...gitHubWithoutToken, GITHUB_REPOSITORY: "acme/renamed" }, "github.com/repositories/81"],
    [gitLabWithoutToken, "gitlab.test/projects/7"],
    [{ ...gitLabByName, CI_SERVER_HOST: "Gitlab.test" }, "gitlab.test/projects/7"],
    [{ ...gitHubWithoutToken, ...gitLabWithoutToken }, "gitlab.test/projects/7"],
  ])("of %j is %s, without any token", (environment, id) => {
    expect(readRepositoryId(environment)).toBe(id);
    expect(isRepositoryId(id)).toBe(true);
  });

  test.each([
    [{}],
    [gitHub],
    [{ GITHUB_REPOSITORY_ID: "81" }],
    [{ ...gitHubWithoutToken, GITHUB_REPOSITORY_ID: "081" }],
    [{ ...gitHubWithoutToken, GITHUB_REPOSITORY_ID: "8 1" }],
    [{ ...gitHubWithoutToken, GITHUB_REPOSITORY_ID: "acme/shop" }],
    [{ ...gitHubWithoutToken, GITHUB_SERVER_URL: "github.com" }],
    [{ ...gitHubWithoutToken, GITHUB_SERVER_URL: "https://me:pw@github.com" }],
    [gitLabByName],
    [{ ...gitLabByName, CI_SERVER_HOST: "gitlab.test/x" }],
    [{ ...gitLabByName, CI_API_V4_URL: "oops", CI_SERVER_HOST: "gitlab.test" }],
    [{ ...gitLab, CI_PROJECT_ID: "acme/shop" }],
    [{ ...gitLab, CI_PROJECT_ID: "" }],
  ])("of %j is not known", (environment) => {
    expect(readRepositoryId(environment)).toBeUndefined();
  });
});

test("a marker is found at the start only, and cannot end its HTML comment", () => {
  expect(hasMarker(withMarker("agb web--shop/pr-1", "text"), "agb web--shop/pr-1")).toBe(true);
  expect(withMarker("a--b---c", "")).not.toMatch(/--.*--.*--/);
  expect(hasMarker(`> ${withMarker("agb", "text")}`, "agb")).toBe(false);
  expect(hasMarker(withMarker("agb pr-12", "text"), "agb pr-1")).toBe(false);
  expect(hasMarker(null, "agb")).toBe(false);
  for (const marker of ["", "a>", "a\nb", "-->"]) {
    expect(() => withMarker(marker, "")).toThrow(RangeError);
  }
});
