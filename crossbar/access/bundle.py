"""All parts of the access floor, put together once for each worker."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from crossbar.access.authentication import Authentication
from crossbar.access.basic import BasicCredentials
from crossbar.access.costs import Buckets, Costs, CostSettings
from crossbar.access.directory import Directory
from crossbar.access.keys import KEYS_SHAPE, Keys
from crossbar.access.pepper import Pepper
from crossbar.access.restrictions import TokenRestrictions
from crossbar.access.tokens import Tokens
from crossbar.config import Config
from crossbar.documents.feed import Feed
from crossbar.documents.shape import Shape
from crossbar.documents.store import Store


@dataclass(frozen=True, slots=True)
class Access:
    """Who is calling, and may they."""

    SHAPES: ClassVar[tuple[Shape, ...]] = (KEYS_SHAPE,)

    pepper: Pepper
    directory: Directory
    keys: Keys
    tokens: Tokens
    authentication: Authentication
    restrictions: TokenRestrictions
    costs: Costs

    @classmethod
    def build(cls, config: Config, store: Store, feed: Feed, pepper: Pepper, buckets: Buckets) -> Access:
        """The access floor of one worker. To be called before the feed starts."""
        directory = Directory(store, feed)
        keys = Keys(store, feed, pepper)
        tokens = Tokens(store, feed, keys, directory)
        costs = Costs(
            buckets,
            lambda: CostSettings(
                token_costs=config.buckets.token_costs,
                login_tokens={
                    "user_auth": config.buckets.user_auth_tokens,
                    "api_auth": config.buckets.api_auth_tokens,
                },
                capacity=config.buckets.max_bucket_tokens,
                rate_per_second=config.buckets.rate_per_second,
            ),
        )
        basic = BasicCredentials(directory, pepper, lambda: config.security.basic_auth_type)
        authentication = Authentication(
            tokens, basic, directory, costs, by_address=lambda: "cb_ip_auth" in config.security.auth_modules
        )
        return cls(pepper, directory, keys, tokens, authentication, TokenRestrictions(store, feed), costs)
