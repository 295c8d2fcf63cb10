"""The sender: makes the changes of the plan at the vendors and posts the deliveries that tell of them, again until each is acknowledged."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256

import httpx2

from chaos.evidence import NOTE_TEXT, Change, Sent, Wanted
from chaos.plan import Happening, Plan, Step
from chaos.vendors import Client, Vendors, deal_name, task_name
from zixly_cli.deliveries import sample_maker
from zixly_cli.seed import Sender
from zixly_cli.signed_delivery import SignedDelivery
from zixly_cli.stack.environment import SANDBOX_CLIENT_SECRET
from zixly_cli.stack.programs import Plan as StackPlan

AT_ONCE = 64
ANSWER_SECONDS = 10.0
FIRST_PAUSE, LONGEST_PAUSE = 0.3, 3.0


@dataclass
class Journal:
    """What the sender knows: the only witness of what was acknowledged."""

    sent: dict[str, Sent] = field(default_factory=dict)
    wanted: list[Wanted] = field(default_factory=list)
    told: set[tuple[str, str, str]] = field(default_factory=set)
    """Account, number and standing of the changes that an acknowledged delivery told of."""
    answers: Counter[str] = field(default_factory=Counter)
    acknowledged_at: list[float] = field(default_factory=list)
    posted: int = 0
    problems: list[str] = field(default_factory=list)


@dataclass
class Stream:
    """Posts the deliveries of a plan."""

    stack: StackPlan
    vendors: Vendors
    journal: Journal
    http: httpx2.AsyncClient
    last: datetime = datetime(2000, 1, 1, tzinfo=UTC)
    slots: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(AT_ONCE))

    async def run(self, plan: Plan, *, began: float, until: float) -> None:
        """Return when everything was acknowledged, or at `until`; both moments by the monotonic clock."""
        await asyncio.gather(*(self._happen(one, began=began, until=until) for one in plan.happenings))

    async def _happen(self, one: Happening, *, began: float, until: float) -> None:
        await asyncio.sleep(max(began + one.at - time.monotonic(), 0))
        try:
            delivery, system, records, told = await self._changed(one)
        except httpx2.HTTPError as error:
            self.journal.problems.append(f"{one.step} could not be done at the vendor ({type(error).__name__})")
            return
        digest = sha256(delivery.body).hexdigest()
        self.journal.sent[digest] = Sent(digest, system, records, acknowledged=False)
        changed = time.monotonic()
        await asyncio.gather(*(self._post(delivery, digest, at=changed + after, until=until, told=told) for after in one.posts))

    async def _changed(self, one: Happening) -> tuple[SignedDelivery, str, tuple[str, ...], Change | None]:
        """The change at the vendor, and the delivery that tells of it."""
        client = self.vendors.clients[one.tenant]
        match one.step:
            case Step.WIN_DEAL:
                deal = await self.vendors.win_deal(client, one.records[0])
                self._want_deal(client, deal, one.records[0])
                return self._signed("hubspot", client, deal), "hubspot", (deal,), None
            case Step.PAY_ORDER:
                order, name = await self.vendors.pay_order(client, one.records[0])
                self._want_order(client, name, one.records[0])
                return self._signed("shopify", client, order), "shopify", (order,), None
            case Step.COMPLETE_TASK:
                task = await self.vendors.complete_task(client, one.records[0])
                note = Wanted("hubspot", client.tenant.portal, NOTE_TEXT, task_name(client.tenant, one.records[0]))
                self.journal.wanted.append(note)
                return self._signed("asana", client, task), "asana", (task,), None
            case Step.PAY | Step.PART_PAY:
                invoice = client.invoices[one.records[0]]
                change = await self.vendors.pay(client, invoice, in_part=one.step is Step.PART_PAY)
                return self._signed("xero", client, invoice), "xero", (invoice,), change
            case Step.NOTHING:
                invoices = tuple(client.invoices[number] for number in one.records)
                return self._signed("xero", client, *invoices), "xero", invoices, None

    def _want_deal(self, client: Client, deal: str, number: int) -> None:
        tenant = client.tenant
        self.journal.wanted.append(Wanted("xero", tenant.organisation, "invoice", f"HS-{deal}"))
        self.journal.wanted.append(Wanted("asana", tenant.workspace, "project", deal_name(tenant, number)))

    def _want_order(self, client: Client, name: str, number: int) -> None:
        tenant = client.tenant
        self.journal.wanted.append(Wanted("xero", tenant.organisation, "invoice", f"SH-{name.lstrip('#')}"))
        self.journal.wanted.append(Wanted("hubspot", tenant.portal, "contacts", f"shopper{number}@{tenant.slug}.example.test"))

    def _signed(self, system: str, client: Client, *records: str) -> SignedDelivery:
        account = client.tenant.accounts[system]
        url, key = self.stack.urls.public, self._key(system)
        return sample_maker(system)(records, account=account, key=key, now=self._moment(), public_url=url)

    def _moment(self) -> datetime:
        """Now, and later than any moment before: vendors tell two events of a record apart by the millisecond."""
        self.last = max(datetime.now(UTC), self.last + timedelta(milliseconds=1))
        return self.last

    def _key(self, system: str) -> str:
        secrets = self.stack.secrets
        sender = Sender(secrets.callback_token, secrets.callback_secret)
        match system:
            case "xero":
                return secrets.xero_webhook_key
            case "asana":
                return f"{sender.asana_token} {sender.asana_secret}"
            case _:
                return SANDBOX_CLIENT_SECRET

    async def _post(self, delivery: SignedDelivery, digest: str, *, at: float, until: float, told: Change | None) -> None:
        """One post, repeated as a vendor would until it is answered with success."""
        await asyncio.sleep(max(at - time.monotonic(), 0))
        pause = FIRST_PAUSE
        while time.monotonic() < until:
            async with self.slots:
                answer = await self._answer(delivery)
            self.journal.answers[answer] += 1
            if answer.startswith("2"):
                self._note(digest, told)
                return
            await asyncio.sleep(pause)
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _answer(self, delivery: SignedDelivery) -> str:
        """The status, or the name of what went wrong."""
        self.journal.posted += 1
        try:
            answer = await self.http.post(f"/webhook/{delivery.path}", content=delivery.body, headers=dict(delivery.headers))
        except httpx2.HTTPError as error:
            return type(error).__name__
        return str(answer.status_code)

    def _note(self, digest: str, told: Change | None) -> None:
        self.journal.acknowledged_at.append(time.time())
        self.journal.sent[digest] = replace(self.journal.sent[digest], acknowledged=True)
        if told is not None:
            self.journal.told.add((told.account, told.number, told.standing))


def bridge_client(stack: StackPlan) -> httpx2.AsyncClient:
    limits = httpx2.Limits(max_connections=AT_ONCE, max_keepalive_connections=AT_ONCE)
    return httpx2.AsyncClient(base_url=stack.urls.bridge, timeout=ANSWER_SECONDS, limits=limits, trust_env=False)
