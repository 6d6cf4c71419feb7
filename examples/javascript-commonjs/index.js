const pulumi = require("@pulumi/pulumi");
const { AgbSession } = require("pulumi-agb");

const web = new AgbSession("web", {
  imageId: "agb-code-space-1",
  labels: { project: "shop", environment: pulumi.getStack(), team: "storefront" },
});

exports.sessionIds = { web: web.sessionId };
exports.labels = { web: web.labels };
