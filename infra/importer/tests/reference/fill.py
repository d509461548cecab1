"""Fills a database with the reference: with django_meta_whatsapp's own webhook, pages, API and campaign runner, none of them changed.

The test starts this with what it needs as JSON in the one argument. It leaves three files in the folder `out`: `dump.json` and
`dump.jsonl`, as `manage.py dumpdata` writes them, and `answers.json` with what the reference itself answered of it.
"""

import json
import pathlib
import sys
import time

import django
from django.conf import settings
from django.urls import include, path

wanted = json.loads(sys.argv[1])
out = pathlib.Path(wanted["out"])

settings.configure(
    SECRET_KEY="nothing here is secret",
    ALLOWED_HOSTS=["*"],
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "django.contrib.messages",
        "django_meta_whatsapp",
    ],
    MIDDLEWARE=[
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
    ],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(out / "reference.sqlite")}},
    MEDIA_ROOT=str(out / "media"),
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    # Settings that are made here, and not read from a module, leave the process's own time zone as it is.
    TIME_ZONE="UTC",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
)
django.setup()

urlpatterns = [path("whatsapp/", include("django_meta_whatsapp.urls"))]

from django.contrib.auth.models import User  # noqa: E402
from django.core.files.uploadedfile import SimpleUploadedFile  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.test import Client  # noqa: E402
from django_meta_whatsapp import models, utils  # noqa: E402

# The one thing that is patched: the package has no setting for Meta's address. Its version stays.
utils.GRAPH_BASE = utils.GRAPH_BASE.replace("https://graph.facebook.com", wanted["graph"])

call_command("migrate", verbosity=0)
shop, branch = (models.WhatsAppAccount.objects.create(**account) for account in wanted["accounts"])
person = Client()
person.force_login(User.objects.create_superuser("ada"))
app = Client()
now = int(time.time()) - 3600
sent_webhooks = 0


def ok(response, *expected):
    assert response.status_code in (expected or (200,)), (response.status_code, response.content)
    return response


def webhook(account, **value):
    metadata = {"display_phone_number": "15550000000", "phone_number_id": account.phone_number_id}
    change = {"field": "messages", "value": {"messaging_product": "whatsapp", "metadata": metadata, **value}}
    body = {"object": "whatsapp_business_account", "entry": [{"id": account.waba_id, "changes": [change]}]}
    ok(app.post("/whatsapp/webhook/", json.dumps(body), content_type="application/json"))


def comes(account, phone, kind, content, **more):
    """A contact writes."""
    global sent_webhooks
    sent_webhooks += 1
    wamid = f"wamid.IN{sent_webhooks:04}=="
    at = str(now + sent_webhooks * 60)
    message = {"from": phone, "id": wamid, "timestamp": at, "type": kind, kind: content, **more}
    contacts = [{"wa_id": phone, "profile": {"name": "Profile"}}]
    webhook(account, contacts=contacts, messages=[message])
    return wamid


def becomes(account, wamid, *statuses):
    for status in statuses:
        webhook(account, statuses=[{"id": wamid, "status": status, "timestamp": str(now + 9000), "recipient_id": "x"}])


def goes(phone, **fields):
    """Somebody answers on the page; the row of their message."""
    ok(person.post(f"/whatsapp/inbox/{phone}/send/", fields), 302)
    return models.WhatsAppMessage.objects.filter(direction="outbound").latest("pk")


# Contacts. Ann wrote every kind of message; Bo only got some; Chen says things in his own letters; Dora writes to the branch.
ann, bo, chen, dora, eve = "919876543210", "16505551234", "8613912345678", "919876500011", "919876500022"
models.WhatsAppContact.objects.create(phone=ann, name="Ann", email="ann@example.com", notes="likes tea")
models.WhatsAppContact.objects.create(phone=f"+{eve}", name="Eve", opted_out=True)
models.WhatsAppContact.objects.create(phone=dora, name="Dora")

first = comes(shop, ann, "text", {"body": "Hello \u00e9\u4f60\u597d \U0001f44d"})
comes(shop, ann, "image", {"id": "1000000000000001", "mime_type": "image/jpeg", "caption": "Look"})
comes(shop, ann, "voice", {"id": "1000000000000002", "mime_type": "audio/ogg"})
comes(shop, ann, "location", {"latitude": 37.5, "longitude": -122.25, "name": "Philz", "address": "1 Main"})
comes(shop, ann, "reaction", {"message_id": first, "emoji": "\U0001f44d"})
comes(shop, ann, "button", {"payload": "yes", "text": "Yes"})
comes(shop, ann, "interactive", {"type": "list_reply", "list_reply": {"id": "1", "title": "Express"}})
comes(shop, ann, "document", {"id": "1000000000000003", "mime_type": "application/pdf", "filename": "a.pdf"})
comes(shop, chen, "text", {"body": "\u4f60\u597d"}, context={"id": first})
comes(branch, dora, "text", {"body": "At the branch"})

# What the pages send.
reply_to = models.WhatsAppMessage.objects.get(message_id=first)
answer = goes(ann, body="Hello Ann", reply_to_id=reply_to.pk)
becomes(shop, answer.message_id, "delivered", "read")
place = goes(ann, send_location="1", latitude="52.5", longitude="13.4", location_name="Shop", location_address="Street 1")
becomes(shop, place.message_id, "delivered")
photo = goes(ann, body="Our shop", media_file=SimpleUploadedFile("shop.jpg", b"\xff\xd8\xff\xe0", "image/jpeg"))
becomes(shop, photo.message_id, "failed")
goes(bo, body="Hello Bo")
gone = goes(bo, body="A mistake")
ok(person.post(f"/whatsapp/inbox/message/{gone.pk}/delete/"), 302)
# Somebody read Chen's on the page; Ann's conversation got a label.
models.WhatsAppConversation.objects.filter(phone_number=chen).update(unread_count=0)
of_ann = models.WhatsAppConversation.objects.get(phone_number=ann)
ok(person.post(f"/whatsapp/inbox/conversation/{of_ann.pk}/label/", {"label": "VIP"}))

# Keys: two that work, one that is disabled.
key, second, disabled = (models.WhatsAppAPIKey.objects.create(name=name) for name in ("Shop app", "Other", "Old app"))
models.WhatsAppAPIKey.objects.filter(pk=disabled.pk).update(is_active=False)
key = models.WhatsAppAPIKey.objects.get(pk=key.pk)
auth = {"headers": {"X-API-Key": str(key.key)}}

# Blocks, by the reference's own API: two who stay blocked, one who is let in again.
for phone in ("+919876500033", "+919876500044", "+919876500055"):
    ok(app.post("/whatsapp/api/block/", json.dumps({"phone": phone}), content_type="application/json", **auth))
    time.sleep(0.01)
models.WhatsAppBlockedUser.objects.filter(phone_number="+919876500033").update(reason="Spam")
ok(app.delete("/whatsapp/api/unblock/", json.dumps({"phone": "+919876500044"}), content_type="application/json", **auth))

# Campaigns: to contacts; to a file, with a number that Meta refuses; a draft; and one whose runner died.
offer = models.WhatsAppTemplate.objects.create(account=shop, name="offer", language="en", status="APPROVED", body_text="Hi {{1}}")
new = dict(account=shop, template=offer, parameter_mappings={"1": "name"})
to_contacts = models.WhatsAppCampaign.objects.create(name="Spring", audience_type="contacts", **new)
assert utils.run_campaign(to_contacts.pk)["failed"] == 0
csv = "phone,name\n" + "".join(f"+9198766{n:05},P{n}\n" for n in range(130)) + "+15550131026,Refused\n9876600001,Again\n"
csv += "+15551131026,Too\n"
to_file = models.WhatsAppCampaign.objects.create(
    name="From a file", audience_type="csv", csv_file=SimpleUploadedFile("people.csv", csv.encode(), "text/csv"), **new
)
utils.run_campaign(to_file.pk)
recipients = models.WhatsAppCampaignRecipient.objects.filter(campaign=to_file, status="sent").order_by("pk")
for index, recipient in enumerate(recipients[:40]):
    becomes(shop, recipient.message_id, *(["delivered", "read"] if index % 2 else ["delivered"]))
becomes(shop, recipients[0].message_id, "failed")
models.WhatsAppCampaign.objects.create(name="Not yet", audience_type="contacts", **new)
died = models.WhatsAppCampaign.objects.create(name="Died", audience_type="contacts", **new)
models.WhatsAppCampaign.objects.filter(pk=died.pk).update(status="running", started_at=died.created_at, total_count=2)
models.WhatsAppCampaignRecipient.objects.create(campaign=died, phone_number=ann, name="Ann")
models.WhatsAppCampaign.objects.create(name="At the branch", account=branch, template=None, status="completed")


def answered(name):
    return ok(app.get(f"/whatsapp/api/{name}/", **auth)).json()


def seen(row):
    fields = ("phone_number", "message_id", "direction", "message_type", "message_body", "status")
    reply_to = row.reply_to.message_id if row.reply_to else None
    return {name: getattr(row, name) for name in fields} | {"at": row.timestamp.isoformat(), "reply_to": reply_to}


answers = {
    "chats": answered("chats"),
    "campaigns": answered("campaigns"),
    "blocked": answered("blocked"),
    # What its API does not tell: whose each is, and what its pages show.
    "account_of_chat": dict(models.WhatsAppConversation.objects.values_list("pk", "account_id")),
    "account_of_campaign": dict(models.WhatsAppCampaign.objects.values_list("pk", "account_id")),
    "messages": [seen(row) for row in models.WhatsAppMessage.objects.filter(is_deleted=False).order_by("pk")],
    "recipients": [
        {"campaign": row.campaign_id, "phone": row.phone_number, "status": row.status, "wamid": row.message_id}
        for row in models.WhatsAppCampaignRecipient.objects.order_by("pk")
    ],
    "keys": {"active": str(key.key), "disabled": str(disabled.key)},
}
(out / "answers.json").write_text(json.dumps(answers, indent=1, ensure_ascii=False) + "\n")
for name in ("json", "jsonl"):
    call_command(
        "dumpdata",
        "django_meta_whatsapp",
        exclude=["django_meta_whatsapp.whatsappwebhooklog"],
        format=name,
        output=str(out / f"dump.{name}"),
        verbosity=0,
    )
