# SPDX-License-Identifier: MPL-2.0
"""Every option of the server, and how a configuration is put together.

A value comes from the first place that has it: the command line, an environment variable
`CROSSBAR_SECTION__OPTION`, the INI file, the default. `Config.load` refuses what it does not know, all of it at once.
Options that stand for a KAZOO system setting keep KAZOO's name and unit (`_ms`, `_s`).
"""

from __future__ import annotations

import configparser
import difflib
import importlib.util
import ipaddress
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple, Self, get_type_hints
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from crossbar.options import Option, Parser, list_of, option, options_of

AuthModule = Literal["cb_user_auth", "cb_api_auth", "cb_auth", "cb_basic_auth", "cb_ip_auth"]
TokenCosts = int | Mapping[str, Any]

ENVIRONMENT_PREFIX = "CROSSBAR_"
TRACES = "opentelemetry.exporter.otlp.proto.http"
SECONDS = {"second": 1, "minute": 60, "hour": 3_600, "day": 86_400}


class ConfigError(Exception):
    """The configuration cannot be used. `problems` are sentences for a person, each naming the option at fault."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def _read_token_costs(text: str) -> TokenCosts:
    try:
        value = json.loads(text)
    except ValueError:
        value = None
    if isinstance(value, bool) or not isinstance(value, int | dict) or (isinstance(value, int) and value < 0):
        raise ValueError("must be a whole number, 0 or more, or a JSON object")
    return value


class RetentionTerm(NamedTuple):
    """How long records of one document type are kept, in days."""

    type: str
    days: int

    def __str__(self) -> str:
        return f"{self.type}={self.days}"


def _read_term(text: str) -> RetentionTerm:
    name, _, days = text.partition("=")
    if not (name.isidentifier() and days.isascii() and days.isdigit() and int(days)):
        raise ValueError("must be document types and days, 1 or more, such as cdr=400")
    return RetentionTerm(name, int(days))


def _read_port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and int(text) <= 65_535):
        raise ValueError("must be ports, 0 to 65535")
    return int(text)


def _read_network(text: str) -> str:
    try:
        return str(ipaddress.ip_network(text)).removesuffix("/32").removesuffix("/128")
    except ValueError:
        raise ValueError("must be IP addresses or CIDRs") from None


def _read_host(text: str) -> str:
    try:
        parts = urlsplit(f"//{text}")
        usable = parts.netloc == text and bool(parts.hostname) and "@" not in text and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise ValueError("must be hosts, such as ui.example.com or ui.example.com:8443")
    return text.lower()


def _read_headers(text: str) -> tuple[str, ...]:
    headers = tuple(header.strip() for header in text.split(",") if header.strip())
    for name, _, value in (header.partition("=") for header in headers):
        if not (name.isascii() and name.replace("-", "").isalnum() and value):
            raise ValueError("must be headers, such as authorization=Bearer abc, separated by commas")
    return headers


def _read_timezone(text: str) -> str:
    try:
        return ZoneInfo(text).key
    except (LookupError, ValueError, OSError):
        raise ValueError("must be the name of a time zone, such as Europe/Berlin") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """Where the server listens and how long it waits."""

    data: Path = option(Path("var"), "Folder of all that is kept on disk: the embedded database, keys, spooled mail.")
    bind: str = option("127.0.0.1", "Address to listen on; 0.0.0.0 or :: opens the server to the network.")
    port: int = option(
        8000, "Port for plain HTTP; 0 lets the system choose.", minimum=0, maximum=65_535, kazoo="crossbar.port"
    )
    workers: int = option(1, "Processes that share the port; about one for each CPU core.", minimum=1, maximum=256)
    backlog: int = option(1024, "Connections the system holds until a worker takes them.", minimum=1)
    request_timeout_ms: int = option(
        10_000,
        "A connection without a complete request for this long is closed: idle ones and slow senders of headers.",
        minimum=1,
        kazoo="crossbar.request_timeout_ms",
    )
    idle_timeout_ms: int = option(
        120_000,
        "A request whose body sends nothing for this long is given up.",
        minimum=1,
        kazoo="crossbar.idle_timeout_ms",
    )
    shutdown_timeout_s: float = option(30.0, "How long requests in flight may finish when the server ends.", minimum=0)
    compress_response_body: bool = option(
        True, "Gzip bodies over 300 bytes for clients that accept it.", kazoo="crossbar.compress_response_body"
    )
    reverse_proxies: tuple[str, ...] = option(
        ("127.0.0.1",),
        "Addresses or CIDRs of reverse proxies; the client is the last address that they added to forwarded_header.",
        kazoo="crossbar.reverse_proxies",
        form=list_of(Parser("IP address or CIDR", _read_network)),
    )
    check_reverse_proxies: bool = option(
        True, "Whether forwarded_header is believed only from reverse_proxies.", kazoo="crossbar.check_reverse_proxies"
    )
    forwarded_header: Literal["x-forwarded-for", "forwarded"] = option(
        "x-forwarded-for", "The header to which the reverse proxies add addresses; the other one is not looked at."
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """A second listener for HTTPS; it opens when a certificate and its key are given."""

    certificate: Path | None = option(None, "PEM file with the certificate and its chain.", kazoo="crossbar.ssl_cert")
    key: Path | None = option(None, "PEM file with the private key.", kazoo="crossbar.ssl_key")
    password: str | None = option(
        None, "Password of the private key, if it has one.", secret=True, kazoo="crossbar.ssl_password"
    )
    port: int = option(
        8443, "Port for HTTPS; 0 lets the system choose.", minimum=0, maximum=65_535, kazoo="crossbar.ssl_port"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitsOptions:
    """What one request may cost the server."""

    max_upload_size: int = option(
        8_000_000, "Bytes a body or an uploaded file may have.", minimum=1, kazoo="crossbar.max_upload_size"
    )
    max_json_depth: int = option(
        100, "Levels a JSON body may nest, against bodies made to exhaust the stack.", minimum=1, maximum=1_000
    )
    max_json_values: int = option(
        50_000,
        "Values a JSON body may hold, against bodies of little text that become much memory.",
        minimum=100,
        maximum=10_000_000,
    )
    max_url_size: int = option(8_190, "Bytes the request line may have.", minimum=256)
    max_header_size: int = option(8_190, "Bytes one header may have; tokens with many claims need room.", minimum=256)
    max_headers: int = option(128, "Headers a request may have.", minimum=8)
    max_concurrent_requests: int = option(
        1_000, "Requests a worker handles at a time; more are refused at once with 503.", minimum=1
    )
    request_memory_limit: int | None = option(
        None,
        "Bytes a listing may gather before it is refused with 416.",
        minimum=1,
        kazoo="crossbar.request_memory_limit",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """How the protocol behaves."""

    pagination_page_size: int = option(
        50, "Items on a page when the client names no page_size.", minimum=1, kazoo="crossbar.pagination_page_size"
    )
    maximum_range: int = option(
        2_682_000,
        "Seconds between created_from and created_to; the default is 31 days and an hour.",
        minimum=1,
        kazoo="crossbar.maximum_range",
    )
    default_language: str = option(
        "en-US", "Language of accounts and users that name none.", kazoo="crossbar.default_language"
    )
    schema_strict_validation: bool = option(
        False, 'Refuse "12" for 12 instead of casting it.', kazoo="crossbar.schema_strict_validation"
    )
    stability_level: Literal["stable", "beta", "alpha"] | None = option(
        None, "Refuse fields whose schema says they are less stable than this.", kazoo="crossbar.stability_level"
    )
    reset_id_size: int = option(
        137,
        "Hex digits of the id in a password recovery link.",
        minimum=42,
        maximum=179,
        kazoo="crossbar.reset_id_size",
    )
    magic_link_lifetime_s: int = option(
        604_800, "Seconds for which a link that needs no token leads to its file.", minimum=1
    )
    unsigned_magic_links: bool = option(
        False,
        "Whether KAZOO's links, which are not signed and never end, still lead to their files: for mails sent before.",
    )
    describe: bool = option(
        True,
        "Whether the API is described to whoever asks: as OpenAPI at /openapi.json and /openapi.yaml, and as a Postman "
        "collection at /postman.json.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BucketsOptions:
    """Token buckets: how often one client may call."""

    max_bucket_tokens: int = option(
        100, "Tokens a full bucket holds.", minimum=1, kazoo="token_buckets.default.max_bucket_tokens"
    )
    tokens_fill_rate: int = option(
        10, "Tokens that flow back in one tokens_fill_time.", minimum=0, kazoo="token_buckets.tokens_fill_rate"
    )
    tokens_fill_time: Literal["second", "minute", "hour", "day"] = option(
        "second", "The time in which tokens_fill_rate tokens flow back.", kazoo="token_buckets.tokens_fill_time"
    )
    token_costs: TokenCosts = option(
        1,
        'Tokens a request costs (0: no limit), or an object by account, endpoint and verb: {"devices": {"PUT": 5}}. '
        "Whoever has a good token pays only what such an object names.",
        kazoo="crossbar.token_costs",
        form=Parser("whole number, 0 or more, or JSON object", _read_token_costs),
    )
    user_auth_tokens: int = option(
        35,
        "Tokens a log-in costs when token_costs is an object without an entry for it.",
        minimum=0,
        kazoo="crossbar.user_auth_tokens",
    )
    api_auth_tokens: int = option(
        35,
        "Tokens a log-in by API key costs when token_costs is an object without an entry for it.",
        minimum=0,
        kazoo="crossbar.api_auth_tokens",
    )
    slots: int = option(
        65_536, "Buckets kept at a time (32 bytes each); the one idle for longest makes room.", minimum=1_024
    )

    @property
    def rate_per_second(self) -> float:
        """Tokens that flow back into a bucket in a second."""
        return self.tokens_fill_rate / SECONDS[self.tokens_fill_time]


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountsOptions:
    """What accounts may be and do."""

    account_realm_suffix: str = option(
        "sip.2600hz.com",
        "Domain under which realms are generated for accounts without one.",
        kazoo="crossbar.accounts.account_realm_suffix",
    )
    random_realm_strength: int = option(
        3,
        "Random bytes in a generated realm, two hex digits each.",
        minimum=1,
        maximum=32,
        kazoo="crossbar.accounts.random_realm_strength",
    )
    ensure_unique_name: bool = option(
        True, "Refuse an account name that is taken.", kazoo="crossbar.accounts.ensure_unique_name"
    )
    allow_sibling_listing: bool = option(
        True, "Whether an account may list the accounts beside it.", kazoo="crossbar.accounts.allow_sibling_listing"
    )
    allow_move: Literal["superduper_admin", "tree"] = option(
        "superduper_admin",
        "Who may move an account: the master account alone, or any account above both places.",
        kazoo="crossbar.accounts.allow_move",
    )
    expose_api_key: bool = option(
        False, "Show an account's API key in its document.", kazoo="crossbar.accounts.expose_api_key"
    )
    trial_time: int = option(
        1_209_600, "Seconds a trial account lives.", minimum=1, kazoo="crossbar.accounts.trial_time"
    )
    default_timezone: str = option(
        "America/Los_Angeles",
        "Time zone of accounts that name none.",
        kazoo="accounts.default_timezone",
        form=Parser("time zone", _read_timezone),
    )
    allow_subaccounts_for_direct: bool = option(
        True,
        "Whether an account directly below the master account may have sub-accounts.",
        kazoo="accounts.allow_subaccounts_for_direct",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersOptions:
    """How user names and passwords come about."""

    generate_username_if_empty: bool = option(
        True, "Make up a user name for a password without one.", kazoo="crossbar.users.generate_username_if_empty"
    )
    generate_password_if_empty: bool = option(
        False, "Make up a password for a user name without one.", kazoo="crossbar.users.generate_password_if_empty"
    )
    reset_identity_secret_on_rehash: bool = option(
        True,
        "A new password ends all tokens of the user.",
        kazoo="crossbar.users.reset_identity_secret_on_rehash",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CdrsOptions:
    """How records of calls are listed."""

    maximum_range: int = option(
        2_682_000,
        "Seconds between created_from and created_to of CDRs.",
        minimum=1,
        kazoo="crossbar.cdrs.maximum_range",
    )
    should_filter_empty_strings: bool = option(
        False, "Leave empty columns out of the rows.", kazoo="crossbar.cdrs.should_filter_empty_strings"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionOptions:
    """How long what a switch writes is kept."""

    days: tuple[RetentionTerm, ...] = option(
        (RetentionTerm("call_event", 7),),
        "Days that records are kept, by document type; what is not named is kept for ever. "
        "Types: cdr, call_stat, agent_status, call_event, call_inspection, sms, mms, mailbox_message, "
        "call_recording, fax.",
        form=list_of(Parser("type=days", _read_term)),
    )
    interval_s: float = option(3_600, "Seconds between two rounds of removing what is too old.", minimum=1)
    batch: int = option(1_000, "Records removed at a time.", minimum=1, maximum=10_000)
    pause_ms: int = option(50, "Rest between two batches, for everybody else's requests.", minimum=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveOptions:
    """What goes on just now, as switches tell it: channels, conferences, presence, parked calls."""

    silence_s: float = option(
        90,
        "A switch of which nothing was heard for this long, not even a HEARTBEAT, is taken to be away, "
        "and what it told to be over; registrations end at their own time.",
        minimum=10,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class SecurityOptions:
    """Log-ins, tokens, and the secret that guards stored passwords."""

    password_pepper: str | None = option(
        None,
        "Key of the digests that stand for passwords; unset, one is generated at the first start. "
        "Changing it invalidates every password.",
        secret=True,
    )
    sealing_keys: tuple[str, ...] = option(
        (),
        "Keys under which credentials lie sealed in the database: the first seals, each of them opens, and so does the "
        "pepper's own. Put a new one in front, then run `crossbar secrets rotate`; the others can go then.",
        secret=True,
    )
    token_auth_expiry_s: int = option(
        3_600, "Seconds a token lives; 0: for ever.", minimum=0, kazoo="crossbar.auth.token_auth_expiry_s"
    )
    auth_modules: tuple[AuthModule, ...] = option(
        ("cb_user_auth", "cb_api_auth", "cb_auth", "cb_basic_auth"),
        "Ways to log in; with cb_ip_auth a known address needs no credentials.",
        kazoo="crossbar.auth.available_auth_methods",
    )
    basic_auth_type: Literal["md5", "sha", "plain"] | None = option(
        None,
        "The one form of secret that basic authentication takes; unset, each is tried.",
        kazoo="crossbar.auth.basic_auth_type",
    )
    log_failed_attempts: tuple[AuthModule, ...] = option(
        ("cb_user_auth", "cb_api_auth", "cb_auth", "cb_basic_auth", "cb_ip_auth"),
        "Ways to log in whose failures are recorded for the account.",
        kazoo="crossbar.auth.log_failed_attempts",
    )
    log_successful_attempts: tuple[AuthModule, ...] = option(
        ("cb_user_auth",),
        "Ways to log in whose successes are recorded for the account.",
        kazoo="crossbar.auth.log_successful_attempts",
    )
    blocked_hosts: tuple[str, ...] = option(
        ("localhost", "127.0.0.0/8", "::1/128", "0.0.0.0/8", "::/128", "169.254.0.0/16", "fe80::/10"),
        "Hosts and CIDRs that no URL given by a client may name; a production server adds its own networks.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessOptions:
    """What callers may do, and how often they may try."""

    plain_users: Literal["guarded", "as_kazoo"] = option(
        "guarded",
        "Whether users who are no administrators are kept from what only those should do; as_kazoo: they may do all.",
    )
    recovery_hosts: tuple[str, ...] = option(
        (),
        "Hosts of user interfaces, with a port that is not the usual one, to which password recovery links may lead, "
        "beside the whitelabel domains of the account and of those above it.",
        form=list_of(Parser("host or host:port", _read_host)),
    )
    recoveries_per_user: int = option(
        5, "Recovery links an hour for one user name, known or not (0: no limit).", minimum=0
    )
    recoveries_per_address: int = option(
        60, "Recovery links an hour that one client address may ask for (0: no limit).", minimum=0
    )
    failed_logins_per_user: int = option(
        60,
        "Failed log-ins a minute for one user, or for one account where the credential does not name the user, from "
        "all addresses together that did not log in there within 30 days, a third of it from one; and as many from "
        "each that did (0: no limit).",
        minimum=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DialectsOptions:
    """The languages of other phone systems: XiVO REST 1.0 and 1.1, Wazo. The server's own ports speak them, too."""

    tls_ports: tuple[int, ...] = option(
        (),
        "Further ports for HTTPS, with the certificate of [tls]; those of the original systems are 50051, 9486, 9497.",
        form=list_of(Parser("port", _read_port)),
    )
    loopback_ports: tuple[int, ...] = option(
        (),
        "Further ports for plain HTTP on 127.0.0.1; those of the original systems are 50050, 9487.",
        form=list_of(Parser("port", _read_port)),
    )

    digest: bool = option(
        False,
        "Whether clients of 1.0 and 1.1 may log in by HTTP Digest with passwords that dialects set from then on. What "
        "Digest needs of them is kept, sealed.",
    )
    contexts: tuple[str, ...] = option(
        (), "Contexts of extensions that there are beside default and from-extern.", form=list_of(Parser("name", str))
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class UiOptions:
    """A user interface, such as MonsterUI, that is served from the same address as the API."""

    folder: Path | None = option(
        None,
        "Folder of a built interface, with its index.html; unset, none is served. The apps in its folder `apps` are "
        "registered when the server starts.",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class DatabaseOptions:
    """Where documents are kept."""

    uri: str | None = option(
        None, "MongoDB replica set to use; unset, an embedded mongod runs in the data folder.", secret=True
    )
    name: str = option("crossbar", "Name of the database.")
    pool_size: int = option(50, "Connections a worker opens to the database.", minimum=1)
    timeout_ms: int = option(
        20_000, "How long a request waits for a usable database, such as an election's end, before it fails.", minimum=1
    )
    reads: Literal["primary", "primary_preferred"] = option(
        "primary",
        "Which members of the replica set answer reads: the primary, or a secondary as well while there is no primary "
        "(it may not know the very last changes).",
    )
    driver: Literal["pymongo", "motor"] = option(
        "pymongo", "Driver that speaks to MongoDB: PyMongo's asynchronous API, or Motor, its slower predecessor."
    )
    memory_mb: int = option(
        40,
        "Memory of a worker for documents and pages that it read or wrote a moment ago, in MB; used while no other "
        "server, and no command, is on the database. 0 for none.",
        minimum=0,
    )
    embedded_cache_gb: float = option(0.5, "Cache of the embedded database, in GB.", minimum=0.25)


@dataclass(frozen=True, slots=True, kw_only=True)
class MediaOptions:
    """Sound, voicemail and faxes."""

    normalize_media: bool = option(
        False, "Convert every uploaded sound with ffmpeg.", kazoo="crossbar.media.normalize_media"
    )
    normalization_format: Literal["mp3", "mp4", "wav"] = option(
        "mp3",
        "What sounds are converted to; voicemail goes by the box's media_extension.",
        kazoo="crossbar.media.normalization_format",
    )
    conversion_timeout_s: float = option(30.0, "How long a program may work on one sound or document.", minimum=0.1)
    conversions_at_once: int = option(2, "Conversions a worker runs at a time; the others wait.", minimum=1)
    message_retention_duration: int = option(
        93,
        "Days that a voicemail message can be changed and is listed by itself.",
        minimum=1,
        kazoo="callflow.voicemail.message_retention_duration",
    )
    max_message_count: int = option(
        100,
        "Messages of a voicemail box from which on it is full.",
        minimum=1,
        kazoo="callflow.voicemail.max_message_count",
    )
    transcribe_format: Literal["mp3", "mp4", "wav"] | None = option(
        None,
        "The media_extension that boxes with transcription must have.",
        kazoo="callflow.voicemail.transcribe_format",
    )
    fax_smtp_domain: str = option(
        "fax.kazoo.io", "Domain under which fax boxes get their mail domains.", kazoo="fax.default_smtp_domain"
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class StorageOptions:
    """Stores outside of the database, to which accounts' storage plans send files."""

    timeout_s: float = option(20.0, "How long a store may take for one file.", minimum=0.1)
    retry_s: float = option(60.0, "Seconds until a file that a store did not take is sent there again.", minimum=1)
    blocked_networks: tuple[str, ...] = option(
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
        "Networks without stores or carriers, beside those of security.blocked_hosts; if that is empty all are open.",
        form=list_of(Parser("IP address or CIDR", _read_network)),
    )
    allowed_networks: tuple[str, ...] = option(
        (),
        "Networks of the operator's own in which stores and carriers may lie, whatever is blocked.",
        form=list_of(Parser("IP address or CIDR", _read_network)),
    )
    allow_validation_overrides: bool = option(
        False,
        "Whether validate_settings=false saves a storage plan without trying its stores.",
        kazoo="crossbar.storage.allow_validation_overrides",
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class CarrierOptions:
    """The carrier `other`: a provider that is searched for numbers, and from which they are ordered, over HTTP.

    It is reached as the stores of `[storage]` are: in none of the blocked networks, unless in an allowed one.
    """

    url: str | None = option(None, "Its address; unset, nobody is asked.", kazoo="number_manager.other.phonebook_url")
    country: str = option(
        "US", "The country whose numbers it has, as two letters.", kazoo="number_manager.other.default_country"
    )
    endpoints: tuple[str, ...] = option(
        (), "Gateways to which it is to send the calls.", kazoo="number_manager.other.endpoints"
    )
    user: str | None = option(None, "User name there; unset, no log-in.")
    password: str | None = option(None, "Password there.", secret=True)
    timeout_s: float = option(20.0, "How long it may take for an order, or to take numbers back.", minimum=0.1)
    search_timeout_ms: int = option(
        5000,
        "How long it may take for a search, in milliseconds.",
        minimum=1,
        kazoo="number_manager.number_search_timeout_ms",
    )
    retry_s: float = option(60.0, "Seconds until it is told again of numbers that it did not take back.", minimum=0.1)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryOptions:
    """Earlier versions of documents, to look at and to go back to."""

    keep_days: float = option(
        30.0,
        "Days that a version is kept after it was replaced; a change of this counts for what is replaced from then on. "
        "With 0 none is kept, and a change costs one write less.",
        minimum=0,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class EventsOptions:
    """The log of events, and those who are told of them."""

    keep_hours: float = option(
        24.0,
        "Hours that events are kept: so long a feed can be taken up again, and a webhook's server may be away.",
        minimum=0.01,
    )
    largest_page: int = option(1_000, "Events that one request for a page of them gets at most.", minimum=1)
    streams: int = option(1_000, "Streams of events that a worker keeps open at a time.", minimum=0)
    heartbeat_s: float = option(15.0, "Seconds after which a stream without events shows that it is alive.", minimum=1)
    deliveries_per_account: int = option(
        4, "Webhooks of one account that are delivered to at the same time, and callbacks; the others wait.", minimum=1
    )
    delivery_timeout_s: float = option(
        30.0, "How long a server may take to answer a webhook or a callback.", minimum=0.1
    )
    allowed_networks: tuple[str, ...] = option(
        (),
        "Networks of the operator's own in which servers of webhooks, callbacks and pivot applications may lie, "
        "whatever security.blocked_hosts and storage.blocked_networks say.",
        form=list_of(Parser("IP address or CIDR", _read_network)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class BlackholeOptions:
    """Sockets that tell clients of events, as KAZOO's Blackhole does."""

    port: int = option(
        5555,
        "Port of the sockets; 0 opens none, /v2/websocket of server.port serves them too. While nobody sets it, a "
        "server goes without where the port is taken.",
        minimum=0,
        maximum=65_535,
        kazoo="blackhole.port",
    )
    tls_port: int = option(
        5556,
        "Port of the sockets with TLS, where tls.certificate is given; 0 opens none.",
        minimum=0,
        maximum=65_535,
        kazoo="blackhole.ssl_port",
    )
    max_connections_per_ip: int = option(
        1_000,
        "Sockets that one address keeps open on a worker; more are answered 429.",
        minimum=1,
        kazoo="blackhole.max_connections_per_ip",
    )
    max_connections_per_account: int = option(
        5_000, "Sockets on a worker whose tokens are of one account; more are not authenticated.", minimum=1
    )
    max_bindings: int = option(500, "Subscriptions of one socket.", minimum=1)
    burst: int = option(100, "Frames that a socket may send at once.", minimum=1)
    frames_per_second: float = option(10.0, "Frames that a socket may send in the long run.", minimum=0.1)
    max_frame_bytes: int = option(65_536, "Size of the largest frame that a socket may send.", minimum=1_024)
    buffer_bytes: int = option(
        1_048_576, "What waits for a socket that does not read; one that leaves more lying is closed.", minimum=4_096
    )
    idle_timeout_s: float = option(3_600.0, "A socket that sends nothing for so long is closed.", minimum=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class MailOptions:
    """How notifications leave."""

    host: str | None = option(None, "Mail relay; unset, messages stay in the spool folder.", kazoo="smtp_client.relay")
    port: int = option(25, "Port of the relay.", minimum=1, maximum=65_535, kazoo="smtp_client.port")
    user: str | None = option(None, "User name at the relay; unset, no log-in.", kazoo="smtp_client.username")
    password: str | None = option(None, "Password at the relay.", secret=True, kazoo="smtp_client.password")
    tls: Literal["none", "starttls", "tls"] = option(
        "starttls", "Encryption: from the start (tls), after connecting (starttls), or none.", kazoo="smtp_client.tls"
    )
    sender: str = option("no-reply@localhost", "Sender of messages that have no other.")
    spool: Path | None = option(None, "Folder where messages wait for the relay; unset, `mail` in the data folder.")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogOptions:
    """What is written to standard error."""

    format: Literal["auto", "json", "console"] = option(
        "auto", "One JSON object a line, or text for people; auto: text on a terminal, else JSON."
    )
    level: Literal["debug", "info", "warning", "error"] = option("info", "The least important lines to write.")


@dataclass(frozen=True, slots=True, kw_only=True)
class TelemetryOptions:
    """Traces of requests, by OpenTelemetry; they need the extra `telemetry`."""

    endpoint: str | None = option(
        None,
        "Receiver of OTLP over HTTP, such as http://127.0.0.1:4318 (/v1/traces is added); unset, nothing is traced.",
    )
    headers: tuple[str, ...] = option(
        (),
        "Headers for the receiver, such as authorization=Bearer abc.",
        secret=True,
        form=Parser("list (name=value), separated by commas; empty: none", _read_headers),
    )
    service_name: str = option("kazoo-crossbar", "What the server is called in traces.")
    sample_ratio: float = option(
        1.0, "Share of requests that are traced, where the caller has not decided.", minimum=0, maximum=1
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The effective configuration; `origins` says for each `section.option` where its value comes from."""

    server: ServerOptions = field(default_factory=ServerOptions)
    tls: TlsOptions = field(default_factory=TlsOptions)
    limits: LimitsOptions = field(default_factory=LimitsOptions)
    api: ApiOptions = field(default_factory=ApiOptions)
    buckets: BucketsOptions = field(default_factory=BucketsOptions)
    accounts: AccountsOptions = field(default_factory=AccountsOptions)
    users: UsersOptions = field(default_factory=UsersOptions)
    cdrs: CdrsOptions = field(default_factory=CdrsOptions)
    retention: RetentionOptions = field(default_factory=RetentionOptions)
    live: LiveOptions = field(default_factory=LiveOptions)
    security: SecurityOptions = field(default_factory=SecurityOptions)
    access: AccessOptions = field(default_factory=AccessOptions)
    dialects: DialectsOptions = field(default_factory=DialectsOptions)
    ui: UiOptions = field(default_factory=UiOptions)
    database: DatabaseOptions = field(default_factory=DatabaseOptions)
    media: MediaOptions = field(default_factory=MediaOptions)
    storage: StorageOptions = field(default_factory=StorageOptions)
    carrier: CarrierOptions = field(default_factory=CarrierOptions)
    history: HistoryOptions = field(default_factory=HistoryOptions)
    events: EventsOptions = field(default_factory=EventsOptions)
    blackhole: BlackholeOptions = field(default_factory=BlackholeOptions)
    mail: MailOptions = field(default_factory=MailOptions)
    log: LogOptions = field(default_factory=LogOptions)
    telemetry: TelemetryOptions = field(default_factory=TelemetryOptions)
    origins: Mapping[str, str] = field(default_factory=dict, repr=False, compare=False)

    @classmethod
    def load(
        cls,
        path: Path | None = None,
        environ: Mapping[str, str] | None = None,
        overrides: Mapping[str, str] | None = None,
    ) -> Self:
        """Put a configuration together from an INI file, the environment and `overrides` (`section.option` → text).

        Raises ConfigError with every problem found.
        """
        problems: list[str] = []
        texts = _gather(path, environ or {}, overrides or {}, problems)
        values: dict[str, dict[str, Any]] = {section: {} for section in SECTIONS}
        for name, (text, origin) in texts.items():
            declared = OPTIONS[name]
            try:
                values[declared.section][declared.name] = declared.form.read(text)
            except ValueError as error:
                given = "" if declared.secret else f", not {text!r}"
                problems.append(f"{name} ({origin}) {error}{given}")
        sections = {section: declaration(**values[section]) for section, declaration in SECTIONS.items()}
        config = cls(**sections, origins={name: origin for name, (_, origin) in texts.items()})
        problems += _contradictions(config)
        if problems:
            raise ConfigError(problems)
        return config

    def value(self, declared: Option) -> Any:
        """The value of an option."""
        return getattr(getattr(self, declared.section), declared.name)

    def origin(self, declared: Option) -> str:
        """Where the value comes from: `default`, a file's name, an environment variable, `command line`."""
        return self.origins.get(declared.path, "default")


SECTIONS: Mapping[str, Any] = {
    name: declaration for name, declaration in get_type_hints(Config).items() if name != "origins"
}
OPTIONS: Mapping[str, Option] = {
    declared.path: declared
    for section, declaration in SECTIONS.items()
    for declared in options_of(section, declaration)
}
_VARIABLES = {declared.variable: declared.path for declared in OPTIONS.values()}


def _gather(
    path: Path | None, environ: Mapping[str, str], overrides: Mapping[str, str], problems: list[str]
) -> dict[str, tuple[str, str]]:
    """`section.option` → (text, origin) of everything given; later places win."""
    texts = dict(_from_file(path, problems)) if path is not None else {}
    texts.update(_from_environment(environ, problems))
    texts.update((name, (text, "command line")) for name, text in overrides.items())
    return texts


def _from_file(path: Path, problems: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    # A section DEFAULT that leaks into all others, and `%` as a sign of its own, would only surprise.
    parser = configparser.ConfigParser(interpolation=None, default_section="")
    try:
        with path.open(encoding="utf-8") as file:
            parser.read_file(file)
    except OSError as error:
        problems.append(f"cannot read the configuration file {path}: {error.strerror}")
        return
    except (configparser.Error, UnicodeDecodeError) as error:
        problems.append(f"{path} is not a valid INI file: {str(error).strip()}")
        return
    for section in parser.sections():
        if section not in SECTIONS:
            problems.append(f"{path}: unknown section [{section}]{_nearest(section, SECTIONS)}")
            continue
        for name, text in parser[section].items():
            full = f"{section}.{name}"
            if full in OPTIONS:
                yield full, (text.strip(), str(path))
            else:
                problems.append(f"{path}: unknown option {full}{_nearest(full, OPTIONS)}")


def _from_environment(environ: Mapping[str, str], problems: list[str]) -> Iterator[tuple[str, tuple[str, str]]]:
    # Without the double underscore it is no option of ours: orchestrators make up names like CROSSBAR_PORT.
    for variable, text in environ.items():
        if variable in _VARIABLES:
            yield _VARIABLES[variable], (text.strip(), variable)
        elif variable.startswith(ENVIRONMENT_PREFIX) and "__" in variable:
            problems.append(f"unknown environment variable {variable}{_nearest(variable, _VARIABLES)}")


def _nearest(name: str, valid: Mapping[str, Any]) -> str:
    near = difflib.get_close_matches(name, valid, n=1, cutoff=0.0)
    return f"; did you mean {near[0]}?" if near else ""


def _contradictions(config: Config) -> Iterator[str]:
    if (config.tls.certificate is None) != (config.tls.key is None):
        missing = "tls.key" if config.tls.key is None else "tls.certificate"
        yield f"{missing} is missing: tls.certificate and tls.key are needed together"
    if config.ui.folder is not None and not (config.ui.folder / "index.html").is_file():
        yield f"ui.folder: {config.ui.folder} has no index.html; name the folder of a built interface"
    if config.tls.certificate and config.tls.port == config.server.port != 0:
        yield f"tls.port and server.port must differ, both are {config.server.port}"
    if config.telemetry.endpoint and not _is_installed(TRACES):
        yield "telemetry.endpoint needs OpenTelemetry: pip install 'kazoo-crossbar[telemetry]'"


def _is_installed(module: str) -> bool:
    try:
        return importlib.util.find_spec(module) is not None
    except ModuleNotFoundError:  # what it is a part of is missing
        return False
