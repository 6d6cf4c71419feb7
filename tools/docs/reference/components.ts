import { Declarations, type Field } from "../declarations";
import { defaultWords, heading, join, list, paragraphs } from "../markdown";
import { classOpening } from "./resources";

/** The component that programs declare. */
export const previewEnvironment = { name: "PreviewEnvironment", path: "resources/preview-environment.ts" } as const;

const argsPath = "resources/preview-environment-args.ts";

/** The interfaces of its arguments, and the argument that holds each. */
const innerInterfaces = [
  ["PreviewAppArgs", "app"],
  ["PreviewCacheArgs", "cache"],
  ["PreviewSetupCommand", "setup"],
] as const;

/** The section of the component. */
export function previewEnvironmentSection(): string {
  const { name, path } = previewEnvironment;
  const [source, args] = [new Declarations(path), new Declarations(argsPath)];
  return join(
    ...classOpening(name, source),
    list(args.fields(`${name}Args`).map(argumentEntry)),
    ...innerInterfaces.flatMap(([inner, argument]) => [
      heading(3, `${name}: \`${argument}\``),
      paragraphs(args.documentation(inner).text),
      list(args.fields(inner).map(argumentEntry)),
    ]),
    heading(3, `${name}: outputs`),
    list([...source.fields(name), ...source.members(name)].map((output) => `\`${output.name}\`: ${output.text}`)),
  );
}

function argumentEntry({ name, type, text, defaultValue, isRequired }: Field): string {
  const end = isRequired ? "Required." : `Default: ${defaultWords(defaultValue)}.`;
  return `\`${name}\` (${type}): ${text} ${end}`;
}
