import * as pulumi from "@pulumi/pulumi";
import { AgbProvider, AgbSession } from "pulumi-agb";

const config = new pulumi.Config();

/** An account, set up from the stack's configuration: its key is a secret, its endpoint AGB's own unless one is set. */
function openAccount(name: string): AgbProvider {
  return new AgbProvider(name, {
    apiKey: config.requireSecret(`${name}Key`),
    endpoint: config.get(`${name}Endpoint`) ?? "sdk-api.agb.cloud",
    defaultLabels: { account: name },
  });
}

/** What a test needs: a place to run code and a browser, both in the account that the bench is given. */
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

// A component hands the provider on to the sessions in it; a session takes it as `provider`.
const checkout = new TestBench("checkout", { providers: [storefront] });
const notebook = new AgbSession("notebook", { imageId: "agb-code-space-1" }, { provider: research });

export const sessionIds = { checkout: checkout.sessionIds, notebook: notebook.sessionId };
