import * as codat from "@pulumi/codat-zoho";
import * as pulumi from "@pulumi/pulumi";

const config = new pulumi.Config();

const client = new codat.ZohoClientCredentials("zoho-client", {
    clientId: config.require("clientId"),
    clientSecret: config.requireSecret("clientSecret"),
    regions: ["eu", "uk", "us"],
});

const books = new codat.ZohoBooksIntegration("zoho-books", {
    clientId: client.clientId,
    clientSecret: client.clientSecret,
    enabled: true,
});

export const redirectUri = client.redirectUri;
export const linkedCompanies = books.linkedCompanies;
