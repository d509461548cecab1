"""Sends a campaign with the reference: with django_meta_whatsapp's own run_campaign, which is not changed in any way.

reference.rs starts this with what it needs as JSON in the one argument, and then tells the people: on each line a phone and a
name, until an empty one. Once everything stands in the database, this says "ready"; a further line lets it go, and at the end
it prints what run_campaign gave back.
"""

import json
import sys

import django
from django.conf import settings

wanted = json.loads(sys.argv[1])

# Django as it comes: an SQLite file, no DEBUG (which would keep every statement), every statement its own transaction.
settings.configure(
    SECRET_KEY="nothing here is secret",
    INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", "django_meta_whatsapp"],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": wanted["database"]}},
    USE_TZ=True,
)
django.setup()

from django.core.management import call_command  # noqa: E402
from django_meta_whatsapp import models, utils  # noqa: E402

# The one thing that is patched: the package has no setting for Meta's address. Its version stays.
utils.GRAPH_BASE = utils.GRAPH_BASE.replace("https://graph.facebook.com", wanted["graph"])

call_command("migrate", verbosity=0)
account = models.WhatsAppAccount.objects.create(
    name="Shop",
    access_token=wanted["access_token"],
    phone_number_id=wanted["phone_number_id"],
    waba_id=wanted["waba_id"],
)
template = models.WhatsAppTemplate.objects.create(
    account=account, name=wanted["template"], language="en", status="APPROVED", body_text="Hello {{1}}"
)
models.WhatsAppContact.objects.bulk_create(
    models.WhatsAppContact(phone=phone, name=name)
    for phone, name in map(json.loads, iter(lambda: sys.stdin.readline().strip(), ""))
)
campaign = models.WhatsAppCampaign.objects.create(
    account=account, name="Offer", template=template, audience_type="contacts", parameter_mappings={"1": "name"}
)

print("ready", flush=True)
sys.stdin.readline()
print(json.dumps(utils.run_campaign(campaign.pk)))
