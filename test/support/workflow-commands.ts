/** A command of a workflow, and the test that shows it working. */
export interface TestedCommand {
  /** The whole text of the `run` line. */
  readonly command: string;
  /** Path of the test that runs it, or of the file that runs the same command every day. */
  readonly shownBy: string;
}

const bin = "exec node_modules/.bin/pulumi-agb";
// biome-ignore-start lint/suspicious/noTemplateCurlyInString: these are the shell's
const organization = '${ORGANIZATION:+--organization "$ORGANIZATION"}';
const secretsProvider = '${SECRETS_PROVIDER:+--secrets-provider "$SECRETS_PROVIDER"}';
const healthTimeout = '${HEALTH_TIMEOUT:+--health-timeout "$HEALTH_TIMEOUT"}';
const idleDays = '${IDLE_DAYS:+--idle-days "$IDLE_DAYS"}';
// biome-ignore-end lint/suspicious/noTemplateCurlyInString: these are the shell's

/** The commands of the workflows that create, remove and watch stacks. */
export const commands = {
  checkKey: `if [ -z "$AGB_API_KEY" ]; then
  echo "::error title=The secret AGB_API_KEY is missing::Add it under Settings, Secrets and variables, Actions. A calling workflow passes it on with 'secrets: inherit'. Jobs that Dependabot starts see only Dependabot's own secrets."
  exit 1
fi
`,
  checkStack: `if [ -z "$STACK" ]; then
  echo "::error title=No stack to check::Set the variable AGB_DRIFT_STACK under Settings, Secrets and variables, Actions, or the input stack."
  exit 1
fi
`,
  install: "npm ci",
  up: `${bin} preview-environment up --request "$REQUEST" --commit "$COMMIT" ${organization} ${secretsProvider} ${healthTimeout}`,
  down: `${bin} preview-environment down --request "$REQUEST" ${organization}`,
  recover: `${bin} preview-environment recover --request "$REQUEST" ${organization}`,
  lookForLeftovers: `${bin} preview-environment sweep ${organization} ${idleDays}`,
  sweep: `${bin} preview-environment sweep --yes ${organization} ${idleDays}`,
  drift: `${bin} drift --stack "$STACK"`,
  forkNotice: `notice="This request comes from a fork and gets no secrets, so it has no preview environment. A maintainer who has read it can set the label agb-preview."
echo "::notice title=No preview environment yet::$notice"
echo "$notice" >> "$GITHUB_STEP_SUMMARY"
`,
} as const;

/** The commands that attach the native plugin to a release. */
export const attachCommands = {
  checksums: 'sha256sum -- *.tar.gz > "pulumi-resource-agb-$TAG-checksums.txt"',
  upload: 'gh release upload "$TAG" --repo "$GITHUB_REPOSITORY" --clobber -- *.tar.gz *.txt',
} as const;

const events = "test/integration/workflow-events.test.ts";
const engine = "test/engine/preview-workflow.test.ts";
const { checkKey, checkStack, forkNotice, ...engineCommands } = commands;

/** All commands that a workflow may run. */
export const testedCommands: readonly TestedCommand[] = [
  ...[checkKey, checkStack, forkNotice].map((command) => ({ command, shownBy: events })),
  ...Object.values(engineCommands).map((command) => ({ command, shownBy: engine })),
  { command: "npm run check", shownBy: ".ci/run" },
  { command: "npm test", shownBy: ".ci/run" },
  { command: "npm run build", shownBy: "package.json" },
  { command: "npm run package:plugin", shownBy: "test/integration/plugin-package.test.ts" },
  ...Object.values(attachCommands).map((command) => ({ command, shownBy: "test/integration/plugin-package.test.ts" })),
  { command: "npm run docs:build", shownBy: "test/docs/site.test.ts" },
  { command: "npx jest test/unit --testPathIgnorePatterns tools-", shownBy: "package.json" },
];
