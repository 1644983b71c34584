// The Codat Zoho Books integration from a Go program.
package main

import (
	"example.com/pulumi-codat-zoho/sdk/go/codatzoho"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi"
	"github.com/pulumi/pulumi/sdk/v3/go/pulumi/config"
)

func main() {
	pulumi.Run(func(ctx *pulumi.Context) error {
		settings := config.New(ctx, "")
		client, err := codatzoho.NewZohoClientCredentials(ctx, "zoho-client", &codatzoho.ZohoClientCredentialsArgs{
			ClientId:     pulumi.String(settings.Require("clientId")),
			ClientSecret: settings.RequireSecret("clientSecret"),
			Regions:      codatzoho.DataCentreArray{codatzoho.DataCentreEu, codatzoho.DataCentreUk, codatzoho.DataCentreUs},
		})
		if err != nil {
			return err
		}
		books, err := codatzoho.NewZohoBooksIntegration(ctx, "zoho-books", &codatzoho.ZohoBooksIntegrationArgs{
			ClientId:     client.ClientId,
			ClientSecret: client.ClientSecret,
			Enabled:      pulumi.Bool(true),
		})
		if err != nil {
			return err
		}
		ctx.Export("redirectUri", client.RedirectUri)
		ctx.Export("linkedCompanies", books.LinkedCompanies)
		return nil
	})
}
