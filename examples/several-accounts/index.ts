import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, AgbSession } from "pulumi-agb";

const config = new pulumi.Config();

/** Creates the provider of an account from the stack's configuration: a secret key, and an endpoint if it is not AGB's. */
function openAccount(name: string): AgbProvider {
  return new AgbProvider(name, {
    apiKey: config.requireSecret(`${name}Key`),
    endpoint: config.get(`${name}Endpoint`) ?? "sdk-api.agb.cloud",
    defaultLabels: { account: name },
  });
}

/** A session to run code and a browser session for a test, both in the account that the component gets. */
class TestBench extends pulumi.ComponentResource {
  readonly sessionIds: pulumi.Output<{ code: string; browser: string }>;

  constructor(name: string, opts: pulumi.ComponentResourceOptions) {
    super("example:index:TestBench", name, {}, opts);
    const labels = { bench: name };
    const code = new AgbSession(`${name}-code`, { imageId: "agb-code-space-1", labels }, { parent: this });
    const browser = new AgbSession(`${name}-browser`, { imageId: "agb-browser-use-1", labels }, { parent: this });
    this.sessionIds = pulumi.output({ code: code.sessionId, browser: browser.sessionId });
    this.registerOutputs({ sessionIds: this.sessionIds });
  }
}

const storefront = openAccount("storefront");
const research = openAccount("research");

// A component takes `providers` and passes them to its sessions. A session takes one `provider`.
const checkout = new TestBench("checkout", { providers: [storefront] });
const notebook = new AgbSession("notebook", { imageId: "agb-code-space-1" }, { provider: research });

export const sessionIds = { checkout: checkout.sessionIds, notebook: notebook.sessionId };
