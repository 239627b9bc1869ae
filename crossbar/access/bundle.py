"""All parts of the access floor, put together once for each worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crossbar.access.authentication import Authentication
from crossbar.access.basic import BasicCredentials
from crossbar.access.costs import Buckets, Costs, CostSettings
from crossbar.access.directory import Directory
from crossbar.access.ingest import INGEST_TOKEN_SHAPE, IngestTokens
from crossbar.access.keys import KEYS_SHAPE, Keys
from crossbar.access.pepper import Pepper
from crossbar.access.restrictions import TokenRestrictions
from crossbar.access.tokens import Tokens
from crossbar.config import Buckets as BucketOptions
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shape
from crossbar.documents.store import Store
from crossbar.settings import Settings


@dataclass(frozen=True, slots=True)
class Access:
    """Who is calling, and may they."""

    SHAPES: ClassVar[tuple[Shape, ...]] = (INGEST_TOKEN_SHAPE, KEYS_SHAPE)

    pepper: Pepper
    directory: Directory
    keys: Keys
    tokens: Tokens
    authentication: Authentication
    restrictions: TokenRestrictions
    costs: Costs

    @classmethod
    def build(cls, settings: Settings, store: Store, feed: Feed, pepper: Pepper, buckets: Buckets) -> Access:
        """The access floor of one worker. To be called before the feed starts."""
        directory = Directory(store, feed, master=lambda: settings.get("accounts", "master_account_id"))
        keys = Keys(store, feed, pepper)
        tokens = Tokens(store, feed, keys, directory)
        costs = Costs(buckets, lambda: _costs(settings.config.buckets))
        basic = BasicCredentials(directory, pepper, lambda: settings.config.security.basic_auth_type)
        authentication = Authentication(
            tokens,
            basic,
            directory,
            costs,
            IngestTokens(store, directory, pepper),
            by_address=lambda: "cb_ip_auth" in settings.config.security.auth_modules,
        )
        restrictions = TokenRestrictions(store, feed, lambda: settings.section("crossbar.token_restrictions"))
        return cls(pepper, directory, keys, tokens, authentication, restrictions, costs)


def _costs(buckets: BucketOptions) -> CostSettings:
    return CostSettings(
        token_costs=buckets.token_costs,
        login_tokens={"user_auth": buckets.user_auth_tokens, "api_auth": buckets.api_auth_tokens},
        capacity=buckets.max_bucket_tokens,
        rate_per_second=buckets.rate_per_second,
    )
