// Reads a stack trace of the packed package on standard input and prints it with the positions in the sources:
// `node --import tsx tools/build/positions.ts < trace.txt`. Check out the version that the trace is from.

import { SourceMap } from "node:module";
import { join, relative, sep } from "node:path";
import { text } from "node:stream/consumers";
import { bundleSourceMaps } from "./code";

const root = join(__dirname, "..", "..");

async function printPositions(): Promise<void> {
  const maps = new Map([...(await bundleSourceMaps(root))].map(([file, map]) => [file, new SourceMap(map)]));
  const trace = await text(process.stdin);
  console.log(
    trace.trimEnd().replaceAll(/[^\s(]*[\\/]dist[\\/]([\w\\/-]+\.js):(\d+):(\d+)/g, (place, file, line, column) => {
      const entry = maps.get(file.replaceAll("\\", "/"))?.findEntry(Number(line) - 1, Number(column) - 1);
      if (entry === undefined || !("originalSource" in entry)) {
        return place;
      }
      const source = relative(root, join(root, "dist", file, "..", entry.originalSource))
        .split(sep)
        .join("/");
      return `${source}:${entry.originalLine + 1}:${entry.originalColumn + 1}`;
    }),
  );
}

void printPositions();
