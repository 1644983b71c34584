from codat_zoho.policy.pack import policy_pack

policy_pack()
