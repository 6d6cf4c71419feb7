import * as pulumi from "@pulumi/pulumi";
import { AgbFile, AgbSession } from "pulumi-agb";

const { FileArchive, StringAsset } = pulumi.asset;
const settings = new pulumi.Config("files");

const sandbox = new AgbSession("sandbox", {
  imageId: "agb-code-space-1",
  labels: { project: pulumi.getProject(), environment: pulumi.getStack() },
});
const { sessionId } = sandbox;

const app = new AgbFile("app", { sessionId, source: new FileArchive("./app"), path: "/home/user/app" });

const config = new AgbFile("config", {
  sessionId,
  // The secret stays one: in the state, in the hash and in messages.
  source: settings.requireSecret("password").apply((password) => new StringAsset(JSON.stringify({ password }))),
  path: "/home/user/config.json",
  permissions: "0600",
});

export const sessionIds = { sandbox: sessionId };
export const paths = { app: app.path, config: config.path };
export const appHash = app.contentHash;
