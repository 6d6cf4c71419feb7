import * as pulumi from "@pulumi/pulumi";
import { PreviewEnvironment } from "pulumi-agb";

const preview = new PreviewEnvironment("preview", {
  imageId: "agb-code-space-1",
  labels: { team: "storefront" },
  // The files in this folder of the session are there again when AGB has released it.
  cache: { path: "/home/user/cache" },
  files: { "/home/user/app": new pulumi.asset.FileArchive("./app") },
  setup: ["node --check server.js"],
  app: {
    command: "node server.js",
    workingDirectory: "/home/user/app",
    port: 30100,
    healthPath: "/health",
    environment: { CACHE: "../cache" },
  },
});

export const sessionId = preview.sessionId;
export const labels = preview.labels;
