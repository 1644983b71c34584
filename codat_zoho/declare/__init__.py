"""What may be declared: each setting once, its rules, the data centres, and how Pulumi names the resources."""
