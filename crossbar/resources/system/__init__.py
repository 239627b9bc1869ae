"""What belongs to the installation: its configuration, its apps, its looks, its notices."""

from __future__ import annotations

from typing import Final

from crossbar.documents.shape import Shape
from crossbar.resource import Part, Resource
from crossbar.resources import apps
from crossbar.resources.system import migrations, sent_mail, services, webhooks, websockets
from crossbar.resources.system.alerts import alerts
from crossbar.resources.system.apps_link import apps_link
from crossbar.resources.system.apps_store import apps_store
from crossbar.resources.system.configs import configs
from crossbar.resources.system.notifications import notifications
from crossbar.resources.system.search import search
from crossbar.resources.system.service_plans import service_plans
from crossbar.resources.system.sup import sup
from crossbar.resources.system.system_configs import system_configs
from crossbar.resources.system.system_status import system_status
from crossbar.resources.system.whitelabel import whitelabel

RESOURCES: Final[tuple[Resource, ...]] = (
    alerts,
    apps_link,
    apps_store,
    configs,
    migrations.migrations,
    notifications,
    search,
    service_plans,
    services.services,
    sup,
    system_configs,
    system_status,
    webhooks.webhooks,
    websockets.websockets,
    whitelabel,
)
SHAPES: Final[tuple[Shape, ...]] = (
    apps.APP_SHAPE,
    migrations.SHAPE,
    sent_mail.LOG_SHAPE,
    services.AUDIT_SHAPE,
    webhooks.ATTEMPT_SHAPE,
    websockets.SHAPE,
)
PARTS: Final[tuple[Part, ...]] = ()
