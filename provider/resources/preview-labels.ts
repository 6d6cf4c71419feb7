import * as pulumi from "@pulumi/pulumi";
import { withoutUndefined } from "./given-values";
import { isLater } from "./later-values";

type Labels = Readonly<Record<string, pulumi.Input<string>>>;

/** The labels that say what the CI job says: project, environment, request and commit. */
export function factLabels(): Readonly<Record<string, string>> {
  const config = new pulumi.Config("preview");
  const request = config.get("request");
  const commit = config.get("commit");
  return {
    project: pulumi.getProject(),
    environment: request ? `pr-${request}` : pulumi.getStack(),
    ...(request && { request }),
    ...(commit && { commit }),
  };
}

/** The declared labels with those of the CI job. Declared labels win. */
export function withFacts(
  labels: pulumi.Input<Labels> | undefined,
): pulumi.Input<Record<string, pulumi.Input<string>>> {
  const merge = (known: Labels = {}) => ({ ...factLabels(), ...withoutUndefined(known) });
  return isLater(labels) ? pulumi.output(labels as pulumi.Output<Labels>).apply(merge) : merge(labels as Labels);
}
