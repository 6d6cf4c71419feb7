import { readFileSync } from "node:fs";
import { join } from "node:path";
import { repositoryFields } from "../../tools/release/repository";
import { repositoryRoot } from "../support/node-process";

const manifest = JSON.parse(readFileSync(join(repositoryRoot, "package.json"), "utf8"));

test("a release sets repository, homepage and bugs from the repository that it runs in", () => {
  expect(repositoryFields({ GITHUB_REPOSITORY: "owner/name" })).toEqual({
    repository: { type: "git", url: "git+https://github.com/owner/name.git" },
    homepage: "https://github.com/owner/name#readme",
    bugs: { url: "https://github.com/owner/name/issues" },
  });
});

test.each(["https://forge.example", "https://forge.example/"])("a release names the server %s", (server) => {
  const { bugs } = repositoryFields({ GITHUB_REPOSITORY: "owner/name", GITHUB_SERVER_URL: server });
  expect(bugs.url).toBe("https://forge.example/owner/name/issues");
});

test.each([
  undefined,
  "",
  "name",
  "owner/",
  "owner/name/more",
  "owner name/x",
  "owner/name#1",
  "owner/name\n",
  "ówner/name",
  "./name",
  "../name",
  "owner/.",
  "owner/..",
])("a release from repository %j fails", (name) => {
  expect(() => repositoryFields({ GITHUB_REPOSITORY: name })).toThrow(/GITHUB_REPOSITORY.*OWNER\/NAME/);
});

test("the sources name no repository, and the release sets it before it publishes", () => {
  expect(manifest).not.toHaveProperty("repository");
  expect(manifest).not.toHaveProperty("homepage");
  expect(manifest).not.toHaveProperty("bugs");
  expect(manifest.scripts.release).toBe("node --import tsx tools/release/name-repository.ts && changeset publish");
  const workflow = readFileSync(join(repositoryRoot, ".github", "workflows", "release.yml"), "utf8");
  expect(workflow).toContain("publish: npm run release\n");
});
