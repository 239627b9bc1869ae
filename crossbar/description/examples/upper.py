# SPDX-License-Identifier: MPL-2.0
"""Examples of the wings `auth`, `apps`, `ports`, `notices`, `billing`, `carriers` and `numbers`."""

from __future__ import annotations

from typing import Final

from crossbar.description.example import Example
from crossbar.description.examples.words import (
    ACCOUNT,
    NO_APP,
    NO_PAYMENTS,
    NO_PROVIDER,
    NO_SUCH,
    NUMBER,
    PDF,
    UNIQUE,
)

PROVIDER: Final = Example(
    {"auth_url": "https://login.example.com/token", "profile_identity_field": "sub"},
    arguments={"provider_id": f"postman-{UNIQUE}"},
    keeps={"provider_id": "id"},
)
SSO_APP: Final = Example(
    {"client_id": UNIQUE, "provider": "{{provider_id}}", "secret": UNIQUE, "name": "Portal"},
    arguments={"app_id": f"postman-{UNIQUE}"},
    keeps={"app_id": "id"},
)
FACTOR: Final = Example({"name": "Second factor", "enabled": True, "provider_name": "duo"})
PORT: Final = Example({"name": "Port", "numbers": {NUMBER: {}}})
TEMPLATE: Final = Example({"id": UNIQUE, "from": "noreply@example.com", "to": {"type": "admins"}, "subject": "Hello"})
CARRIER: Final = Example({"name": "Carrier", "gateways": [{"server": "sip.example.com"}]})
CARRIERS: Final = Example([{"name": "Carrier", "gateways": [{"server": "sip.example.com"}]}])
PLAN: Final = Example({"name": "Phones", "category": "basic", "plan": {"devices": {"sip_device": {"rate": 5}}}})
PLANNED: Final = Example({"add": ["{{service_plans_plan_id}}"]})
LEDGER: Final = {"source": {"service": "per-minute-voip", "id": UNIQUE},
                 "usage": {"type": "voice", "quantity": 60, "unit": "sec"}, "amount": 1}  # fmt: skip
TRUNK: Final = Example({"account": {"trunks": 2}, "servers": [{"server_name": "PBX", "DIDs": {}, "auth": {
    "auth_method": "Password", "auth_user": UNIQUE, "auth_password": UNIQUE}}]})  # fmt: skip
NAMED_TOKEN: Final = {"name": "Report", "scope": {"cdrs": [{"allowed_accounts": ["_"], "rules": {"#": ["GET"]}}]}}
DECK: Final = {"ratedeck_id": "postman"}
RULE: Final = {"allowed_accounts": ["_"], "rules": {"#": ["_"]}}
RULES: Final = Example({"any": True})
NUMBERS: Final = {"numbers": ["{{phone_numbers_number}}"]}

EXAMPLES: Final[dict[str, Example]] = {
    # auth
    f"PUT {ACCOUNT}/tokens": Example(NAMED_TOKEN),
    f"PUT {ACCOUNT}/users/{{user_id}}/tokens": Example(NAMED_TOKEN, keeps={"user_token_id": "id"}),
    **{f"{verb} {ACCOUNT}/users/{{user_id}}/tokens/{{token_id}}": Example(arguments={"token_id": "{{user_token_id}}"})
       for verb in ("GET", "DELETE")},
    "PUT /v2/user_auth": Example(
        {"credentials": "{{credentials}}", "method": "md5", "account_name": "{{account_name}}"}),
    "PUT /v2/api_auth": Example({"api_key": "{{api_key}}"}),
    f"PUT {ACCOUNT}/auth": Example({}, query={"action": "reset_signature_secret"}),
    f"PUT {ACCOUNT}/users/{{user_id}}/auth": Example({}, query={"action": "reset_signature_secret"}),
    "PUT /v2/auth": Example({}, query={"action": "refresh_token"}),
    f"PUT {ACCOUNT}/users/{{user_id}}/user_auth": Example({}, query={"action": "impersonate_user"}),
    f"GET {ACCOUNT}/auth/links/{{link_id}}": Example(refused=NO_PROVIDER),
    **{f"{verb} /v2/auth/links/{{link_id}}": Example(refused=NO_PROVIDER) for verb in ("GET", "PUT", "DELETE")},
    "PUT /v2/auth/authorize": Example({"token": "{{auth_token}}"}, refused=NO_PROVIDER),
    "PUT /v2/auth/callback": Example(
        {"provider": "example", "client_id": "example", "code": "example",
         "redirect_uri": "https://example.com/"}, refused=NO_PROVIDER),
    "PUT /v2/auth/keys/{key_id}": Example({}, refused="a new key makes all tokens void; say `action`"),
    "POST /v2/auth/providers/{provider_id}": PROVIDER,
    "POST /v2/auth/apps/{app_id}": SSO_APP,
    "GET /v2/auth/tokeninfo": Example(query={"token": "{{auth_token}}"}),
    "POST /v2/auth/tokeninfo": Example({"token": "{{auth_token}}"}),
    "PUT /v2/ip_auth": Example({}, refused="no account has this address for its own"),
    f"PUT {ACCOUNT}/multi_factor": FACTOR,
    "PUT /v2/multi_factor": FACTOR,
    f"GET {ACCOUNT}/multi_factor/attempts/{{attempt_id}}": Example(refused=NO_SUCH),
    "PUT /v2/multi_factor/qrcode": Example(
        {"credentials": "{{credentials}}", "account_name": "{{account_name}}"},
        refused="the account that logs in asks for no second factor"),
    "PUT /v2/multi_factor/reset_qrcode": Example({"user_id": "{{user_id}}", "account_id": "{{account_id}}"}),
    f"POST {ACCOUNT}/security": Example({"auth_modules": {"cb_user_auth": {"enabled": True}}}),
    f"PATCH {ACCOUNT}/security": Example({"auth_modules": {"cb_user_auth": {"enabled": True}}}),
    f"GET {ACCOUNT}/security/attempts/{{attempt_id}}": Example(refused=NO_SUCH),
    f"POST {ACCOUNT}/token_restrictions": Example({"restrictions": {"_": {"_": {"_": [RULE]}}}}),
    "PUT /v2/user_auth/recovery": Example(
        {"account_name": "{{account_name}}", "username": "{{user}}", "ui_url": "https://ui.example.com/"},
        refused="the page has to be one of those that the configuration names"),
    "POST /v2/user_auth/recovery": Example(
        {"reset_id": "1" * 40}, refused="the id comes by mail"),
    f"GET {ACCOUNT}/user_auth/{{token}}": Example(refused="the token is of the account that has logged in"),
    # apps
    f"POST {ACCOUNT}/apps_store/blacklist": Example({"blacklist": []}),
    **{f"{verb} {ACCOUNT}/apps_store/{{app_id}}": Example({"allowed_users": "all"}, refused=NO_APP)
       for verb in ("PUT", "POST")},
    **{f"{verb} {ACCOUNT}/apps_store/{{app_id}}": Example(refused=NO_APP) for verb in ("GET", "DELETE")},
    **{f"GET {place}/apps_store/{{app_id}}/{what}": Example(refused=NO_APP)
       for place in (ACCOUNT, "/v2") for what in ("icon", "screenshot/{number}")},
    # ports
    f"PUT {ACCOUNT}/port_requests": PORT,
    f"PATCH {ACCOUNT}/port_requests/{{port_request_id}}": Example({"name": "Renamed"}),
    f"POST {ACCOUNT}/port_requests/lnp_lookup": Example({"numbers": [NUMBER]}, refused="no phonebook is set up"),
    f"PUT {ACCOUNT}/port_requests/{{port_request_id}}/attachments": Example(
        file=PDF, query={"filename": "bill.pdf"}),
    f"POST {ACCOUNT}/port_requests/{{port_request_id}}/attachments/{{attachment_id}}": Example(file=PDF),
    **{f"PATCH {ACCOUNT}/port_requests/{{port_request_id}}/{state}": Example({})
       for state in ("submitted", "pending", "rejected", "completed")},
    f"PATCH {ACCOUNT}/port_requests/{{port_request_id}}/canceled": Example(
        {}, arguments={"port_request_id": "{{other_port_request_id}}"}),
    f"DELETE {ACCOUNT}/port_requests/{{port_request_id}}": Example(
        arguments={"port_request_id": "{{other_port_request_id}}"}),
    f"PATCH {ACCOUNT}/port_requests/{{port_request_id}}/scheduled": Example({"scheduled_date": 64_000_000_000}),
    "PUT /v2/port_requests": Example(PORT.data, refused="a request is an account's"),
    # notices
    f"PUT {ACCOUNT}/alerts": Example({"title": "Title", "message": "Text", "from": [], "to": [
        {"type": "account", "value": "{{account_id}}"}]}),
    f"PUT {ACCOUNT}/notifications": TEMPLATE,
    "PUT /v2/notifications": Example({}, refused="a template of the installation cannot be deleted again"),
    "POST /v2/notifications/{notification_id}": Example({}, refused="it would change the installation's template"),
    "GET /v2/notifications/{notification_id}/history": Example(refused="nobody has changed the template"),
    "DELETE /v2/notifications/{notification_id}": Example(refused="accounts fall back on the installation's templates"),
    **{f"POST {place}/notifications/{{notification_id}}/preview": Example(
        {"to": {"type": "specified", "email_addresses": ["ada@example.com"]}}) for place in (ACCOUNT, "/v2")},
    f"DELETE {ACCOUNT}/notifications": Example(query={"action": "remove_customizations"}),
    "DELETE /v2/notifications": Example(refused="the installation's templates cannot be deleted"),
    f"GET {ACCOUNT}/notifications/smtplog/{{entry_id}}": Example(refused=NO_SUCH),
    f"PUT {ACCOUNT}/webhooks": Example(
        {"name": "Calls", "hook": "channel_create", "uri": "https://example.com/", "http_verb": "post"}),
    f"PATCH {ACCOUNT}/webhooks": Example({"re-enable": True}),
    f"GET {ACCOUNT}/websockets/{{socket_id}}": Example(refused="no socket is open"),
    # billing
    f"POST {ACCOUNT}/allotments": Example({"outbound_did_us": {"amount": 6000, "cycle": "monthly"}}),
    **{f"{verb} {ACCOUNT}/braintree/{path}": Example({} if verb in ("PUT", "POST") else Example().data,
                                                     refused=NO_PAYMENTS)
       for verb, path in (
           ("PUT", "addresses"), ("GET", "addresses/{address_id}"), ("POST", "addresses/{address_id}"),
           ("DELETE", "addresses/{address_id}"), ("PUT", "cards"), ("GET", "cards/{card_id}"),
           ("POST", "cards/{card_id}"), ("DELETE", "cards/{card_id}"), ("GET", "client_token"), ("PUT", "credits"),
           ("POST", "customer"), ("GET", "transactions/{payment_id}"))},
    f"PUT {ACCOUNT}/ledgers/credit": Example(LEDGER),
    f"PUT {ACCOUNT}/ledgers/debit": Example(LEDGER),
    f"POST {ACCOUNT}/limits": Example({"twoway_trunks": 2}, query={"accept_charges": "true"}),
    f"PUT {ACCOUNT}/service_plans": Example(PLAN.data, arguments={"account_id": "{{own_account_id}}"}),
    **{f"{verb} {ACCOUNT}/{path}": PLANNED
       for verb, path in (("POST", "service_plans"), ("POST", "services"), ("POST", "services/quote"))},
    f"DELETE {ACCOUNT}/service_plans": Example({"delete": ["{{service_plans_plan_id}}"]}),
    "POST /v2/services/quote": PLANNED,
    f"POST {ACCOUNT}/service_plans/override": Example({"overrides": {}}),
    f"POST {ACCOUNT}/services/manual": Example({"users": {"admin": 10}}),
    f"PATCH {ACCOUNT}/services/manual": Example({"users": {"user": 1}}),
    f"POST {ACCOUNT}/services/overrides": Example({}),
    f"PATCH {ACCOUNT}/services/overrides": Example({}),
    f"POST {ACCOUNT}/services/topup": Example({"amount": 5}, refused=NO_PAYMENTS),
    f"GET {ACCOUNT}/services/audit/{{audit_id}}": Example(refused=NO_SUCH),
    f"PUT {ACCOUNT}/transactions/credit": Example({"amount": 5}),
    f"DELETE {ACCOUNT}/transactions/debit": Example({"amount": 1}),
    f"PUT {ACCOUNT}/transactions/sale": Example({"amount": 1}, refused=NO_PAYMENTS),
    f"PUT {ACCOUNT}/transactions/refund": Example({"amount": 1}, refused=NO_PAYMENTS),
    f"GET {ACCOUNT}/transactions/{{transaction_id}}": Example(refused="only a payment service has transactions"),
    # carriers
    "PUT /v2/ips": Example(
        {"ip": "{{$randomIP}}", "zone": "example", "host": "host.example.com"}, keeps={"system_ip": "_read_only.id"}),
    f"PUT {ACCOUNT}/ips": Example({}, refused="addresses are made for the whole installation"),
    f"POST {ACCOUNT}/ips": Example({"ips": ["{{system_ip}}"]}),
    f"DELETE {ACCOUNT}/ips": Example({"ips": ["{{system_ip}}"]}),
    f"POST {ACCOUNT}/ips/{{ip}}": Example({}, arguments={"ip": "{{other_ip}}"}),
    f"DELETE {ACCOUNT}/ips/{{ip}}": Example(arguments={"ip": "{{other_ip}}"}),
    "PUT /v2/rates": Example({"prefix": 44, "rate_cost": 1, "ratedeck_id": "postman"}, query=DECK),
    **{f"{verb} /v2/rates/{{rate_id}}": Example({"prefix": 44, "rate_cost": 1, "ratedeck_id": "postman"}, query=DECK)
       for verb in ("POST", "PATCH")},
    **{f"{verb} /v2/rates/{{rate_id}}": Example(query=DECK) for verb in ("GET", "DELETE")},
    "GET /v2/rates/{rate_id}/history": Example(query=DECK),
    "GET /v2/rates/number/{number}": Example(query=DECK, refused="a number has a rate where a ratedeck has one"),
    f"PUT {ACCOUNT}/resources": CARRIER,
    "PUT /v2/resources": CARRIER,
    f"PUT {ACCOUNT}/resources/collection": CARRIERS,
    "PUT /v2/resources/collection": CARRIERS,
    f"POST {ACCOUNT}/resources/collection": Example([{"id": "{{resource_id}}", "name": "Renamed"}]),
    "POST /v2/resources/collection": Example([{"id": "{{system_resource_id}}", "name": "Renamed"}]),
    f"PUT {ACCOUNT}/resources/jobs": Example({"resource_id": "{{resource_id}}", "numbers": [NUMBER]}),
    "PUT /v2/resources/jobs": Example({"resource_id": "{{system_resource_id}}", "numbers": [NUMBER]}),
    f"PUT {ACCOUNT}/resource_templates": Example({"template_name": "Template"}),
    f"POST {ACCOUNT}/resource_templates/{{resource_template_id}}": Example({"template_name": "Renamed"}),
    f"POST {ACCOUNT}/resource_selectors/rules": RULES,
    "POST /v2/resource_selectors/rules": RULES,
    **{f"{verb} {place}/resource_selectors/{{selector_id}}": Example(refused="only tasks make selectors")
       for verb in ("GET", "POST", "DELETE") for place in (ACCOUNT, "/v2")},
    # numbers
    f"PUT {ACCOUNT}/connectivity": TRUNK,
    f"PUT {ACCOUNT}/external_numbers": Example({"number": NUMBER}),
    f"PUT {ACCOUNT}/external_numbers/{{external_number_id}}/verify": Example(
        {"method": "voice"}, refused="no switch calls the number"),
    f"POST {ACCOUNT}/external_numbers/{{external_number_id}}/verify": Example({}),
    f"PUT {ACCOUNT}/phone_numbers/{{number}}": Example({}, arguments={"number": NUMBER},
                                                       keeps={"phone_numbers_number": "id"}),
    **{f"{verb} {ACCOUNT}/phone_numbers/{{number}}": Example({}) for verb in ("POST", "PATCH")},
    f"PUT {ACCOUNT}/phone_numbers/{{number}}/port": Example({}, arguments={"number": NUMBER}),
    f"PUT {ACCOUNT}/phone_numbers/{{number}}/reserve": Example({}, refused="only a number that nobody has is reserved"),
    f"POST {ACCOUNT}/phone_numbers/fix/{{number}}": Example(
        {}, refused="only a number that the installation knows is mended"),
    f"PUT {ACCOUNT}/phone_numbers/{{number}}/activate": Example({}),
    f"PUT {ACCOUNT}/phone_numbers/collection": Example({"numbers": [NUMBER]}),
    **{f"{verb} {ACCOUNT}/phone_numbers/{path}": Example(NUMBERS)
       for verb, path in (("POST", "collection"), ("PATCH", "collection"), ("PUT", "collection/activate"),
                          ("DELETE", "collection"), ("POST", "check"), ("POST", "locality"))},
    "GET /v2/phone_numbers": Example(query={"prefix": "415"}, refused="no reseller sells numbers to anybody"),
    f"GET {ACCOUNT}/phone_numbers/prefix": Example(query={"city": "London"}),
    "GET /v2/phone_numbers/prefix": Example(query={"city": "London"}),
}  # fmt: skip
