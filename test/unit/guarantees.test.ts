// Each promise of docs/guarantees.md names the tests that show it.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { repositoryRoot } from "../support/node-process";

const page = join(repositoryRoot, "docs", "guarantees.md");
const [promised = ""] = readFileSync(page, "utf8").split("\n## What cannot be promised\n");
const promises = promised
  .split(/^- /m)
  .slice(1)
  .map((item) => item.split(/\n\n/)[0]?.replace(/\s+/g, " ").trim() ?? "");

test("the page has promises", () => {
  expect(promises.length).toBeGreaterThan(40);
});

test.each(promises)("%s", (promise) => {
  const [sentence = "", tests = ""] = promise.split(" Tests: ");
  expect(sentence).toMatch(/\.$/);
  const paths = [...tests.matchAll(/\]\(([^)]+)\)/g)].map(([, path = ""]) => path);
  expect(paths.length).toBeGreaterThan(0);
  for (const path of paths) {
    expect(path).toMatch(/^\.\.\/test\/(unit|integration|engine|docs|chaos|conformance)\/[\w.-]+\.ts$/);
    expect({ path, exists: existsSync(join(dirname(page), path)) }).toEqual({ path, exists: true });
  }
});
