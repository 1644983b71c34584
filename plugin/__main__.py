"""What the engine's Python host starts; the same as the executable pulumi-resource-codat-zoho."""

from codat_zoho.plugin.server import main

main()
