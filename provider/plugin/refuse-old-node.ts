// Ends a process whose Node is too old. The program imports this first, because the rest may fail in such a Node without saying why.

const needed = [20, 18, 1] as const;

const found = process.versions.node.split(".").map(Number);
const first = needed.findIndex((part, index) => part !== found[index]);
if (first !== -1 && (found[first] ?? 0) < (needed[first] ?? 0)) {
  console.error(
    `The plugin agb could not start: it needs Node.js ${needed.join(".")} or newer, and \`node\` is ${process.versions.node}. Install a newer Node.js, or install the plugin for this system, which contains its own. [${"AGB122"}]`,
  );
  process.exit(1);
}

export {};
