import { Declarations, type Field } from "../declarations";
import { codeBlock, defaultWords, heading, join, list, paragraphs } from "../markdown";

/** The component that programs declare. */
export const previewEnvironment = { name: "PreviewEnvironment", path: "resources/preview-environment.ts" } as const;

/** The interfaces of its arguments, and the argument that holds each. */
const innerInterfaces = [
  ["PreviewAppArgs", "app"],
  ["PreviewCacheArgs", "cache"],
  ["PreviewSetupCommand", "setup"],
] as const;

/** The section of the component. */
export function previewEnvironmentSection(): string {
  const { name, path } = previewEnvironment;
  const source = new Declarations(path);
  const { text, example } = source.documentation(name);
  return join(
    heading(2, `\`${name}\``),
    paragraphs(text),
    codeBlock("ts", example),
    heading(3, `${name}: arguments`),
    list(source.fields(`${name}Args`).map(argumentEntry)),
    ...innerInterfaces.flatMap(([inner, argument]) => [
      heading(3, `${name}: \`${argument}\``),
      paragraphs(source.documentation(inner).text),
      list(source.fields(inner).map(argumentEntry)),
    ]),
    heading(3, `${name}: outputs`),
    list([
      ...source.fields(name).map((field) => `\`${field.name}\`: ${field.text}`),
      `\`url\`: ${source.getter(name, "url").text}`,
    ]),
  );
}

function argumentEntry({ name, type, text, defaultValue, isRequired }: Field): string {
  const end = isRequired ? "Required." : `Default: ${defaultWords(defaultValue)}.`;
  return `\`${name}\` (${type}): ${text} ${end}`;
}
