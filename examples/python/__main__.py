import pulumi
import pulumi_agb as agb

data = agb.Context("data", name="shop-data")

web = agb.Session(
    "web",
    image_id="agb-code-space-1",
    labels={"project": "shop", "team": "storefront"},
    context_syncs=[{"context_id": data.id, "path": "/home/user/data"}],
)

# What AGB says about the session after it was created.
found = agb.get_session_output(session_id=web.id)

pulumi.export("sessionId", web.id)
pulumi.export("contextId", data.id)
pulumi.export("labels", web.labels)
pulumi.export("status", found.status)
