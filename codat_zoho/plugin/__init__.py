"""The provider plugin: the same resources for programs in every language of Pulumi, over the engine's own protocol."""
