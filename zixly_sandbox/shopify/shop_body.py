"""The REST form of a shop, as `app/uninstalled` carries it."""

from __future__ import annotations

from typing import Any

from zixly_sandbox.shopify.bodies import COUNTRIES, time_text
from zixly_sandbox.shopify.shop import Shop

NOTHING = (
    "domain source latitude longitude address2 taxes_included auto_configure_tax_inclusivity tax_shipping county_taxes google_apps_domain "
    "google_apps_login_enabled province province_code phone"
).split()
NO = (
    "has_discounts requires_extra_payments_agreement password_enabled multi_location_enabled setup_required pre_launch_enabled "
    "marketing_sms_consent_enabled_at_checkout transactional_sms_disabled"
).split()
YES = "has_gift_cards eligible_for_payments has_storefront finances checkout_api_supported".split()


def shop_body(shop: Shop, *, now: int) -> dict[str, Any]:
    pattern = "${{amount}}"
    return {
        "id": shop.id,
        "name": shop.name,
        "email": shop.email,
        **dict.fromkeys(NOTHING),
        **dict.fromkeys(NO, False),
        **dict.fromkeys(YES, True),
        "country": shop.country,
        "address1": "1 Queen Street",
        "zip": "4000",
        "city": "Brisbane",
        "primary_locale": "en",
        "created_at": time_text(shop, shop.created_at),
        "updated_at": time_text(shop, now),
        "country_code": shop.country,
        "country_name": COUNTRIES[shop.country],
        "currency": shop.currency,
        "customer_email": shop.email,
        "timezone": shop.zone.key,
        "iana_timezone": shop.zone.key,
        "shop_owner": "Demo Owner",
        "money_format": pattern,
        "money_with_currency_format": f"{pattern} {shop.currency}",
        "weight_unit": "kg",
        "plan_display_name": "Basic",
        "plan_name": "basic",
        "myshopify_domain": shop.domain,
        "money_in_emails_format": pattern,
        "money_with_currency_in_emails_format": f"{pattern} {shop.currency}",
        "primary_location_id": shop.id + 1,
        "enabled_presentment_currencies": [shop.currency],
    }
