/** What to type after `npm start`, one line for each step. */
export function nextSteps(canRunCommands: boolean): string[] {
  return [
    canRunCommands
      ? "Run a command in a session:   npm run pulumi-agb -- sessions exec --stack dev --resource web -- uname -a"
      : "Sessions run no commands here, because this computer cannot isolate them from itself. docs/emulator.md says more.",
    "List the running sessions:    npm run pulumi-agb -- sessions list",
    "What an update would change:  npm run pulumi -- preview --diff",
    "Release the sessions:         npm run pulumi -- destroy --yes",
  ];
}
