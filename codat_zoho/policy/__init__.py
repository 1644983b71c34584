"""The rules for what is declared, as a Pulumi policy pack and as plain functions (:mod:`codat_zoho.policy.rules`)."""
