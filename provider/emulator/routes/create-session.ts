import { z } from "zod";
import type { ContextMount } from "../contexts/context-record";
import type { ContextStore } from "../contexts/context-store";
import { normalizePath } from "../contexts/file-paths";
import { parseSyncPolicy } from "../contexts/sync-policy";
import { invalidRequest } from "../failures";
import { isKnownImage } from "../image-kind";
import { checkLabelLimits, parseLabels } from "../labels";
import { requireContext, requiredString, route } from "./route";
import { sessionConnection } from "./session-access";

const body = z.object({
  labels: z.string({ error: "must be a string with a JSON object" }).nullish(),
  timeout: z
    .int({ error: "must be a whole number of seconds" })
    .min(0, { error: "must be a whole number of seconds, not negative" })
    .nullish(),
  mcpPolicyId: z.string({ error: "must be a string" }).nullish(),
  persistenceDataList: z
    .array(
      z.object(
        {
          contextId: z.string({ error: "must be a string" }),
          path: z.string({ error: "must be a string" }),
          policy: z.string({ error: "must be a string with a JSON object" }).nullish(),
        },
        { error: "must be an object" },
      ),
      { error: "must be a list" },
    )
    .nullish(),
});

/** POST /mcp/createSession: mounts the contexts of `persistenceDataList`. Ignores `sdkStats` in the query, and `sessionId` and `contextId` in the body. */
export const createSession = route({
  method: "POST",
  path: "/mcp/createSession",
  operation: "createSession",
  writes: true,
  usesContexts: ({ body }) => (body.persistenceDataList ?? []).map(({ contextId }) => contextId),
  query: z.object({ imageId: requiredString }),
  body,
  async handle({ query: { imageId }, body: given }, { sessions, settings, contexts, synchronizer }) {
    const { labels: labelString, timeout, mcpPolicyId } = given;
    const labels = labelString ? parseLabels("labels", labelString) : {};
    checkLabelLimits("labels", labels, settings.labelLimits);
    const mounts = readMounts(given.persistenceDataList ?? [], contexts);
    if (!isKnownImage(imageId, settings.images)) {
      return refusal(`Image ${JSON.stringify(imageId.slice(0, 100))} does not exist or is not activated.`);
    }
    if (settings.maximumSessions !== undefined && sessions.list({}).length >= settings.maximumSessions) {
      return refusal(`The quota of ${settings.maximumSessions} concurrent sessions is exceeded.`);
    }
    const policyId = mcpPolicyId || undefined;
    const policy =
      policyId !== undefined && Object.hasOwn(settings.policies, policyId) ? settings.policies[policyId] : {};
    const record = sessions.create({
      imageId,
      policyId,
      labels,
      mounts: mounts.length > 0 ? mounts : undefined,
      // One of AGB's SDKs sends a timeout of 0 where the other leaves it out.
      idleTimeoutSeconds: timeout || (policy?.idleTimeoutSeconds ?? settings.defaultIdleTimeoutSeconds),
      maximumLifetimeSeconds: policy?.maximumLifetimeSeconds ?? settings.maximumLifetimeSeconds,
    });
    if (mounts.length > 0) {
      for (const { contextId } of mounts) {
        contexts.touch(requireContext(contexts, contextId));
      }
      await synchronizer.runAutomatic(record.sessionId, mounts, "download");
    }
    return { data: { success: true, ...sessionConnection(record) } };
  },
});

/** A failure inside a reply that reports success. That is where AGB's SDKs look for it after a create. */
function refusal(errMsg: string) {
  return { data: { success: false, errMsg } };
}

function readMounts(
  given: NonNullable<z.output<typeof body>["persistenceDataList"]>,
  contexts: ContextStore,
): ContextMount[] {
  const mounts: ContextMount[] = [];
  given.forEach(({ contextId, path: givenPath, policy }, position) => {
    const field = `persistenceDataList.${position}`;
    if (!givenPath.startsWith("/")) {
      throw invalidRequest(`${field}.path: must be an absolute path`);
    }
    const path = normalizePath(`${field}.path`, givenPath);
    if (path === "/") {
      throw invalidRequest(`${field}.path: must name a folder below the root`);
    }
    if (mounts.some((other) => other.path === path)) {
      throw invalidRequest(`${field}.path: another context is already mounted there`);
    }
    parseSyncPolicy(`${field}.policy`, policy);
    requireContext(contexts, contextId);
    mounts.push({ contextId, path, policy: policy ?? undefined });
  });
  return mounts;
}
