# SPDX-License-Identifier: MPL-2.0
"""Carriers: where calls leave to. Those below an account are its own, those on bare paths are everybody's.

Many at a time are in `resource_collection`, imports of numbers in `resource_jobs`, on the same endpoint.

Source: KAZOO `cb_resources`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from crossbar.documents.document import Document, as_list
from crossbar.documents.shape import Shape, Summary, Unique
from crossbar.endpoint import Collection, Context, Draft
from crossbar.resources.carriers.domain.resource_job import OFFNET, RESOURCE
from crossbar.resources.identity.devices import ip_claim, is_ipv4, is_trusted

IP_IN_USE = {
    "inbound_ip": "Gateway inbound ip is already in use",
    "server": "Gateway server ip is already in use",
}
"""Field of a gateway that names its address, the one that counts first → what is said where others have that."""


def is_peer(data: dict[str, Any]) -> bool:
    """Whether a carrier is known by its addresses."""
    return data.get("peer") in (True, "true")


def peer_address(gateway: Any) -> tuple[str, str] | None:
    """The field by whose IPv4 address a gateway is known, and the address; None if it has none."""
    for field in IP_IN_USE if isinstance(gateway, dict) else ():
        if is_ipv4(address := gateway.get(field)):
            return field, address
    return None


def claims(resource: Document) -> Iterator[Unique]:
    """The addresses of an account's peers, which nobody else in the system may have."""
    if resource.partition == OFFNET or not is_peer(resource.fields):
        return
    for index, gateway in enumerate(as_list(resource.at("gateways"))):
        if (known := peer_address(gateway)) is not None:
            field, address = known
            yield ip_claim(address, f"gateways.{index}.{field}", IP_IN_USE[field], index)


resources = Collection(
    "resources",
    ("/accounts/{account_id}/resources/{resource_id}", "/resources/{resource_id}"),
    Shape(
        RESOURCE,
        summary=Summary("id", "name", "enabled", "weight_cost", "template_name", "classifiers"),
        unique=claims,
    ),
    schema="resources",
    partition=lambda context: context.account_id if context.target else OFFNET,
)


@resources.check
async def peers_are_known_by_address(context: Context, draft: Draft) -> None:
    """An account's carrier may be a peer where the installation has peers, by addresses that nobody else has."""
    if context.target is None or not is_peer(draft.data):
        return
    if context.runtime.settings.get("crossbar.resources", "allow_peers", default=False) is not True:
        message = "Peers are currently disabled, please contact the system admin"
        draft.errors.add("peer", "forbidden", message)
        return
    for index, gateway in enumerate(as_list(draft.data.get("gateways"))):
        known = peer_address(gateway)
        if known is None:
            message = "Gateway server must be an IP when peering with the resource"
            draft.errors.add(f"gateways.{index}.server", "required", message, cause=index)
        elif is_trusted(context, known[1]):
            draft.errors.add(f"gateways.{index}.{known[0]}", "unique", IP_IN_USE[known[0]], cause=index)
