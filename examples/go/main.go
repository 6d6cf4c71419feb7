package main

import (
	"example.com/pulumi-agb/sdk/go/agb"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		data, err := agb.NewContext(ctx, "data", &agb.ContextArgs{Name: pulumi.String("shop-data")})
		if err != nil {
			return err
		}

		web, err := agb.NewSession(ctx, "web", &agb.SessionArgs{
			ImageId: pulumi.String("agb-code-space-1"),
			Labels:  pulumi.StringMap{"project": pulumi.String("shop"), "team": pulumi.String("storefront")},
			ContextSyncs: agb.ContextSyncArray{
				agb.ContextSyncArgs{ContextId: data.ID(), Path: pulumi.String("/home/user/data")},
			},
		})
		if err != nil {
			return err
		}

		// What AGB says about the session after it was created.
		found := agb.LookupSessionOutput(ctx, agb.LookupSessionOutputArgs{SessionId: web.ID()})

		ctx.Export("sessionId", web.ID())
		ctx.Export("contextId", data.ID())
		ctx.Export("labels", web.Labels)
		ctx.Export("status", found.Status())
		return nil
	})
}
