// Builds the documentation's site for tests, and serves it as GitHub Pages does.

import { execFile } from "node:child_process";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { extname, join, sep } from "node:path";
import { repositoryRoot } from "../support/node-process";

/** Where the site would be if it were released from this repository. */
export const release = {
  base: "/pulumi-agb/",
  repositoryUrl: "https://forge.example/acme/pulumi-agb",
  commit: "0123456789abcdef0123456789abcdef01234567",
} as const;

/**
 * Builds the site into a folder, as a release does.
 *
 * @returns what the build prints on both streams, without colours
 * @throws Error with that output if the build fails
 */
export function buildSite(folder: string): Promise<string> {
  const env = {
    PATH: process.env["PATH"] ?? "",
    HOME: process.env["HOME"] ?? "",
    NO_COLOR: "1",
    DOCS_BASE: release.base,
    GITHUB_SERVER_URL: "https://forge.example",
    GITHUB_REPOSITORY: "acme/pulumi-agb",
    GITHUB_SHA: release.commit,
  };
  return new Promise((resolve, reject) => {
    const options = { cwd: repositoryRoot, env, timeout: 300_000 };
    const parameters = ["run", "--silent", "docs:build", "--", "--outDir", folder];
    execFile("npm", parameters, options, (error, stdout, stderr) => {
      // biome-ignore lint/suspicious/noControlCharactersInRegex: colours begin with the escape character
      const output = `${stdout}${stderr}`.replace(/\u001b\[\d*m/g, "");
      error === null ? resolve(output) : reject(new Error(`The site does not build:\n${output}`));
    });
  });
}

/** Returns the paths of the site's HTML files, with `/`, such as `adr/0001.html`. */
export function findHtmlFiles(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((path) => path.split(sep).join("/"))
    .filter((path) => path.endsWith(".html"))
    .sort();
}

/** Returns the file that answers a path below the site's base, such as `reference` or `assets/x.js`; undefined if none does. */
export function fileFor(folder: string, path: string): string | undefined {
  const candidates = [path, `${path}.html`, join(path, "index.html")].map((name) => join(folder, name));
  return candidates.find((file) => existsSync(file) && statSync(file).isFile());
}

const contentTypes: Readonly<Record<string, string>> = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript",
  ".css": "text/css",
  ".json": "application/json",
  ".svg": "image/svg+xml",
  ".png": "image/png",
  ".woff2": "font/woff2",
};

/** Serves a built site on 127.0.0.1. Returns its address, which ends in `/`. */
export async function serveSite(folder: string): Promise<{ url: string; close(): Promise<void> }> {
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url ?? "/", "http://127.0.0.1");
    const path = pathname.startsWith(release.base) ? decodeURI(pathname.slice(release.base.length)) : undefined;
    const file = path === undefined || path.includes("..") ? undefined : fileFor(folder, path);
    if (file === undefined) {
      response.writeHead(404).end();
    } else {
      response.writeHead(200, { "content-type": contentTypes[extname(file)] ?? "application/octet-stream" });
      response.end(readFileSync(file));
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}${release.base}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
