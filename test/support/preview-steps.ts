/** What a detailed preview shows of each resource with a change: a line for each property, without ids. */
export function stepsIn(stdout: string): string[][] {
  return stdout
    .split(/^(?=[-+~ ]*(?:agb|pulumi):\S+: \([a-z]+\)$)/m)
    .map((step) => step.split(/^\s*--outputs:--$|^Resources:$/m, 1)[0] ?? "")
    .map((step) => step.split("\n").map((line) => line.trim().replace(/^(.*?[^\s])\s+:/, "$1:")))
    .map((lines) => lines.filter((line) => line !== "" && !/^\[(?:id|urn|provider)=/.test(line)))
    .filter(([first]) => /^[-+~]+ ?agb:.*(?<!\(refresh\))$/.test(first ?? ""));
}
