// Small programs that run the code in a file and write the value of its last expression, if there is one, to another file.

/** Arguments: the code's path, the result's path. */
export const pythonRunner = `
import ast, sys
code_path, result_path = sys.argv[1:3]
with open(code_path, encoding="utf-8") as file:
    tree = ast.parse(file.read(), "<code>")
sys.argv = [""]
sys.path.insert(0, "")
scope = {"__name__": "__main__", "__builtins__": __builtins__}
last = tree.body.pop() if tree.body and isinstance(tree.body[-1], ast.Expr) else None
exec(compile(tree, "<code>", "exec"), scope)
if last is not None:
    value = eval(compile(ast.Expression(last.value), "<code>", "eval"), scope)
    if value is not None:
        with open(result_path, "w", encoding="utf-8") as file:
            file.write(repr(value))
`;

/** Arguments: the code's path, the result's path. Code that is no script, for instance because of an import or await, runs as a module. */
export const javascriptRunner = `
const fs = require("node:fs"), vm = require("node:vm"), util = require("node:util");
const [codePath, resultPath] = process.argv.slice(1);
const source = fs.readFileSync(codePath, "utf8");
globalThis.require = require("node:module").createRequire(process.cwd() + "/");
let script;
try {
  script = new vm.Script(source, { filename: "<code>" });
} catch (error) {
  const modulePath = codePath.replace(/cjs$/, "mjs");
  fs.writeFileSync(modulePath, source);
  process.on("exit", () => fs.rmSync(modulePath, { force: true }));
  import(modulePath).catch((problem) => { console.error(problem); process.exitCode = 1; });
}
if (script !== undefined) {
  Promise.resolve(script.runInThisContext()).then(
    (value) => { if (value !== undefined) fs.writeFileSync(resultPath, typeof value === "string" ? value : util.inspect(value)); },
    (problem) => { console.error(problem); process.exitCode = 1; },
  );
}
`;
