// The console page: the files in ../console as they are, with the page's token filled in.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { consoleFolder } from "../console-folder";

const fileName = /^[a-z-]+\.(css|mjs|svg)$/;

const contentTypes: Readonly<Record<string, string>> = {
  css: "text/css;charset=utf-8",
  mjs: "text/javascript;charset=utf-8",
  svg: "image/svg+xml",
};

/** A file of the page. */
export interface PageFile {
  readonly contentType: string;
  readonly content: string;
}

/** They allow a browser to load from the emulator and to send requests to it, and nothing else. */
export const pageHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
  "cache-control": "no-store",
};

/** The page itself. It contains the token, which allows everything that the console can do. */
export function readPage(pageToken: string): PageFile {
  const content = readFileSync(join(consoleFolder, "index.html"), "utf8").replace("PAGE_TOKEN", pageToken);
  return { contentType: "text/html;charset=utf-8", content };
}

/** Reads a style sheet, script or picture of the page; undefined if there is none of that name. */
export function readPageFile(name: string): PageFile | undefined {
  const contentType = contentTypes[fileName.exec(name)?.[1] ?? ""];
  if (contentType === undefined) {
    return undefined;
  }
  try {
    return { contentType, content: readFileSync(join(consoleFolder, name), "utf8") };
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") {
      return undefined;
    }
    throw error;
  }
}
