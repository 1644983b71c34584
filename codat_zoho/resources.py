"""The two Pulumi resources."""

from __future__ import annotations

import pickle
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import pulumi
from pulumi.dynamic import Resource
from pulumi.runtime.mocks import MockMonitor
from pulumi.runtime.settings import get_monitor, get_root_resource

from codat_zoho.declare.platform import CLIENT, INTEGRATION, OUTPUTS, PLUGIN_PREFIX, SECRET_ID
from codat_zoho.declare.rules import warnings_about
from codat_zoho.provider import Books, ZohoClient

if TYPE_CHECKING:
    from codat_zoho.declare.settings import OnDelete, Verify

__all__ = ["ZohoBooksIntegration", "ZohoClientCredentials"]

_SECRET = ["client_secret", "declared"]


def _options(kind: str, opts: pulumi.ResourceOptions | None) -> pulumi.ResourceOptions:
    """A program that used the plugin comes back in place: without the alias the plugin would end what it deployed."""
    alias = pulumi.Alias(type_=f"{PLUGIN_PREFIX}{kind}")
    ours = pulumi.ResourceOptions(additional_secret_outputs=_SECRET, aliases=[alias])
    return pulumi.ResourceOptions.merge(ours, opts)


class ZohoClientCredentials(Resource, module="codat-zoho", name="ZohoClientCredentials"):
    """The OAuth client that somebody registered in Zoho's API console.

    Zoho has no API for it, so nothing is written there. Deploying *verifies* that each declared data centre accepts the
    client id and secret, and fails with the switch to turn where one does not. The name, homepage and redirect URI in
    the console cannot be read by anybody; ``manual_steps`` lists what a person has to see to.

    Args:
        resource_name: Pulumi's name of the resource.
        client_id: the client id in Zoho's console. Another id replaces the resource.
        client_secret: its secret; always kept encrypted. Leave it out while adopting a client whose secret nobody has
            at hand: nothing can be verified then.
        regions: codes of the Zoho data centres that must accept the client: ``us``, ``uk``, ``eu``, ``in``, ``au``,
            ``jp``, ``ca``, ``sa``, ``sg``, ``ae``. Unordered. A UK customer base needs ``uk``, ``eu`` and ``us``: an
            organisation stays in the data centre it signed up in.
        same_credentials_everywhere: declares that Zoho's switch "Use the same OAuth credentials for all data centers"
            is on. Without it each data centre has a secret of its own, and Codat stores one, so only one region may be
            listed.
        verify: ``"on-change"`` asks Zoho when id, secret or regions change; ``"always"`` also on each refresh;
            ``"off"`` never. The environment variable ``CODAT_ZOHO_VERIFY`` overrides it. Zoho allows about ten token
            requests in ten minutes (Zoho's token documentation), so each data centre is asked at most once in a run.
        opts: Pulumi's resource options.
    """

    if TYPE_CHECKING:  # At run time the SDK would evaluate every one of these for every resource of a program.
        client_id: pulumi.Output[str]
        """The client id."""
        client_secret: pulumi.Output[str | None]
        """The secret, encrypted in state."""
        client_secret_fingerprint: pulumi.Output[str | None]
        """Which secret it is, without telling it: 16 hex digits of SHA-256 over client id, NUL, secret."""
        regions: pulumi.Output[Sequence[str]]
        """The declared data centres, sorted."""
        verdicts: pulumi.Output[Mapping[str, str]]
        """Per data centre: ``accepted``, ``inconclusive`` or ``not asked``."""
        verified_at: pulumi.Output[str | None]
        """When Zoho was last asked, UTC."""
        redirect_uri: pulumi.Output[str]
        """The redirect URI to register in Zoho's console for Codat."""
        manual_steps: pulumi.Output[Sequence[str]]
        """What only a person can see to, and nobody can verify from outside."""
        declared: pulumi.Output[Mapping[str, Any]]
        """What the last deployment declared, and when (``at``, UTC); encrypted in state. A refresh leaves it alone."""
        cannot_tell: pulumi.Output[Sequence[str]]
        """What could not be told at the last look."""

    def __init__(
        self,
        resource_name: str,
        client_id: pulumi.Input[str] | None = None,
        client_secret: pulumi.Input[str | None] | None = None,
        regions: pulumi.Input[Sequence[pulumi.Input[str]]] | None = None,
        same_credentials_everywhere: pulumi.Input[bool] | None = None,
        verify: pulumi.Input[Verify] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        declared: dict[str, Any] = {
            "client_id": client_id,
            "client_secret": _secret(client_secret),
            "regions": regions,
            "same_credentials_everywhere": same_credentials_everywhere,
            "verify": verify,
        }
        # What the integration takes over: the declared inputs, so that its preview stays concrete.
        self._declared_keys = client_id, declared["client_secret"]
        declared[SECRET_ID] = _is_secret(client_id)
        with _pickled_as_ever():
            super().__init__(
                ZohoClient(), resource_name, declared | dict.fromkeys(OUTPUTS[CLIENT]), _options(CLIENT, opts)
            )
        _warn(self, {name: declared[name] for name in ("client_id", "client_secret", "regions")})

    @classmethod
    def get(
        cls, resource_name: str, id: pulumi.Input[str], opts: pulumi.ResourceOptions | None = None
    ) -> ZohoClientCredentials:
        """Refer to a client by its client id without managing it.

        Args:
            resource_name: Pulumi's name of the resource.
            id: the client id.
            opts: Pulumi's resource options.
        """
        return cls(resource_name, opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))


class ZohoBooksIntegration(Resource, module="codat-zoho", name="ZohoBooksIntegration"):
    """The Zoho Books integration of one Codat client, that is, of one Codat API key.

    Deploying reads what Codat has, sends only what differs, and reads back. What is left out is left as it is in Codat;
    omitted never means false. Changes that could cut off linked companies (disabling, another client id, destroying)
    are refused unless ``allow_disruption`` is set.

    The API key is no argument: it comes from the environment variable ``CODAT_API_KEY``, or from the stack
    configuration ``codat-zoho:apiKey``, and never enters the resource.

    Args:
        resource_name: Pulumi's name of the resource.
        credentials: the :class:`ZohoClientCredentials` whose id and secret Codat should use, in place of the next two.
        client_id: ZohoClient's client id. Left out, the keys stored in Codat are left alone.
        client_secret: its secret; always kept encrypted. Left out, the secret stored in Codat is left alone.
        enabled: whether customers can link Zoho Books (Codat: "Whether this integration is enabled for your customers
            to use").
        connection: the name of the Codat API key to use: ``CODAT_API_KEY_<NAME>``, or ``codat-zoho:apiKeys``. Another
            connection replaces the resource. A Codat client has one Zoho Books integration, so a program declares one
            resource per connection.
        on_delete: what destroying does: ``"remove"`` disables the integration and deletes the keys, ``"disable"``
            leaves the keys, ``"keep"`` touches nothing. A resource that was renamed or moved touches nothing either:
            the program still declares its connection.
        allow_disruption: lets changes through that can cut off linked companies.
        opts: Pulumi's resource options.

    Raises:
        pulumi.RunError: ``credentials`` is combined with ``client_id`` or ``client_secret``, or another resource of the
            program has this connection.
    """

    if TYPE_CHECKING:  # At run time the SDK would evaluate every one of these for every resource of a program.
        client_id: pulumi.Output[str | None]
        """The declared client id; after a refresh that found another one, Codat's mask of that."""
        client_secret: pulumi.Output[str | None]
        """The declared secret, encrypted in state. Codat's mask is never put here."""
        client_secret_fingerprint: pulumi.Output[str | None]
        """Which secret it is; after a refresh that found another one, ``differs (ends in c0de)``."""
        enabled: pulumi.Output[bool | None]
        """Whether customers can link Zoho Books; None when not managed."""
        connection: pulumi.Output[str]
        """The name of the API key in use."""
        integration_id: pulumi.Output[str | None]
        """Codat's id of the integration."""
        integration_name: pulumi.Output[str]
        """Codat's name for it."""
        linked_companies: pulumi.Output[int | str]
        """How many companies were linked at the last look, or ``unknown``."""
        codat_client: pulumi.Output[str | None]
        """Codat's id of the client whose integration this is; an API key of another one is refused from then on."""
        codat_client_name: pulumi.Output[str | None]
        """Its name, as it was when this was first deployed."""
        declared: pulumi.Output[Mapping[str, Any]]
        """What the last deployment declared, and when (``at``, UTC); encrypted in state. A refresh leaves it alone."""
        cannot_tell: pulumi.Output[Sequence[str]]
        """What could not be told at the last look."""

    def __init__(
        self,
        resource_name: str,
        credentials: ZohoClientCredentials | None = None,
        client_id: pulumi.Input[str | None] | None = None,
        client_secret: pulumi.Input[str | None] | None = None,
        enabled: pulumi.Input[bool | None] | None = None,
        connection: pulumi.Input[str] | None = None,
        on_delete: pulumi.Input[OnDelete] | None = None,
        allow_disruption: pulumi.Input[bool] | None = None,
        opts: pulumi.ResourceOptions | None = None,
    ) -> None:
        declared: dict[str, Any] = {
            "client_id": client_id,
            "client_secret": _secret(client_secret),
            "enabled": enabled,
            "connection": connection,
            "on_delete": on_delete,
            "allow_disruption": allow_disruption,
        }
        if credentials is not None:
            if client_id is not None or client_secret is not None:
                raise pulumi.RunError(
                    f"{resource_name}: give either credentials= or client_id and client_secret, not both."
                )
            declared["client_id"], declared["client_secret"] = credentials._declared_keys
            opts = pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(depends_on=[credentials]))
        declared[SECRET_ID] = _is_secret(declared["client_id"])
        if opts is None or opts.id is None:
            declared["connection"] = _claimed(connection, resource_name, opts)
        with _pickled_as_ever():
            super().__init__(
                Books(), resource_name, declared | dict.fromkeys(OUTPUTS[INTEGRATION]), _options(INTEGRATION, opts)
            )
        if credentials is None:  # They warn for themselves.
            _warn(self, {name: declared[name] for name in ("client_id", "client_secret")})

    @classmethod
    def get(
        cls, resource_name: str, id: pulumi.Input[str] = "default", opts: pulumi.ResourceOptions | None = None
    ) -> ZohoBooksIntegration:
        """Read an integration without managing it.

        Args:
            resource_name: Pulumi's name of the resource.
            id: the name of the connection, that is, of the API key to use.
            opts: Pulumi's resource options.
        """
        return cls(resource_name, opts=pulumi.ResourceOptions.merge(opts, pulumi.ResourceOptions(id=id)))


_CLAIMS: WeakKeyDictionary[pulumi.Resource, dict[str, str]] = WeakKeyDictionary()
"""Which resource of a program has a connection, by the program's root resource."""


@contextmanager
def _pickled_as_ever() -> Iterator[None]:
    """State holds the pickled provider: in the newer protocol of Python 3.14, each deployed resource would differ."""
    default, pickle.DEFAULT_PROTOCOL = pickle.DEFAULT_PROTOCOL, 4  # type: ignore[misc]
    try:
        yield
    finally:
        pickle.DEFAULT_PROTOCOL = default  # type: ignore[misc]


def _claimed(
    connection: pulumi.Input[str] | None, name: str, opts: pulumi.ResourceOptions | None
) -> pulumi.Input[str] | None:
    """Return the connection, where no other resource of this program has it.

    Raises:
        pulumi.RunError: another one has; where the connection is an output, as soon as it is known.
    """
    root = get_root_resource()
    if root is None or isinstance(get_monitor(), MockMonitor):  # Tests declare many programs in one process.
        return connection
    claims = _CLAIMS.setdefault(root, {})
    parent = opts.parent if opts else None
    label = f"{name!r} of {parent._name!r}" if parent else repr(name)

    def claim(value: str) -> str:
        other = claims.setdefault(value, label)
        if other is not label:
            raise pulumi.RunError(
                f"{label} and {other} are both declared for connection {value!r}: a Codat client has one Zoho Books "
                "integration, so declare it once, or give one of them another connection."
            )
        return value

    if connection is None or isinstance(connection, str):
        claim(connection or "default")
        return connection
    return pulumi.Output.all(connection).apply(lambda found: claim(found[0] or "default"))


def _secret(value: pulumi.Input[str | None] | None) -> pulumi.Output[str | None] | None:
    """Mark a secret as one, also when it was passed as plain text."""
    return None if value is None else pulumi.Output.secret(value)


def _is_secret(value: pulumi.Input[str | None] | None) -> pulumi.Output[bool | None] | None:
    """True where the program marked a client id as secret: what shows or keeps it in clear has to leave it out then."""

    async def told(output: pulumi.Output[str | None]) -> bool | None:
        return await output.is_secret() or None

    return pulumi.Output.from_input(told(value)) if isinstance(value, pulumi.Output) else None


def _warn(resource: Resource, declared: Mapping[str, Any]) -> None:
    """Show warnings with the resource they belong to, which the provider process cannot."""

    def show(values: Mapping[str, Any]) -> None:
        for warning in warnings_about(values):
            pulumi.log.warn(warning, resource=resource)

    pulumi.Output.all(**declared).apply(show)
