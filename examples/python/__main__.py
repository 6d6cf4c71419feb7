import pulumi
import pulumi_agb as agb

data = agb.Context("data", name="shop-data")

web = agb.Session(
    "web",
    image_id="agb-code-space-1",
    labels={"project": "shop", "team": "storefront"},
    context_syncs=[{"context_id": data.id, "path": "/home/user/data"}],
)

# All sessions that carry these labels, also those of other stacks.
found = agb.get_sessions_output(labels=web.labels)

pulumi.export("sessionId", web.id)
pulumi.export("contextId", data.id)
pulumi.export("labels", web.labels)
pulumi.export("sessionIds", found.session_ids)
