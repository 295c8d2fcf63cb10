"""What happens when, all of it decided by the seed before anything starts: changes at the vendors, deliveries, and faults."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from random import Random

from chaos.fault_kinds import FaultKind
from chaos.scale import Scale

# Of a thousand deliveries so many tell of deals, orders and tasks; the others tell of invoices.
DEALS, ORDERS, TASKS = 6, 15, 6
DELIVERIES_PER_INVOICE = 8
TENANTS = 2
# The last changes come so early that what follows from them is part of the stream.
CHANGES_END_AT = 0.9
# A repetition comes up to so many seconds later, and so may a first one: later changes overtake it.
LATEST_REPETITION, LATEST_FIRST = 30.0, 20.0
BURSTS, BURST_SECONDS, OF_FILLERS_IN_BURSTS = 4, 1.5, 0.25
SECONDS_BETWEEN_FAULTS = 4.5
FIRST_FAULT_AT = 4.0
# What lasts as long begins in the first half of its round, or a short run would end long after its stream.
LONG_SECONDS = 60.0


class Step(StrEnum):
    """What a person does at a vendor before its delivery is sent."""

    NOTHING = "nothing"
    """The delivery only says that something changed, as Xero's do for fields that nobody acts on."""
    PART_PAY = "part_pay"
    PAY = "pay"
    WIN_DEAL = "win_deal"
    PAY_ORDER = "pay_order"
    COMPLETE_TASK = "complete_task"


@dataclass(frozen=True)
class Happening:
    """A change, and the moments (seconds after it) at which its delivery is posted, byte for byte the same each time."""

    at: float
    step: Step
    tenant: int
    records: tuple[int, ...]
    """Numbers of invoices, or of the deal, order or task."""
    posts: tuple[float, ...]


@dataclass(frozen=True)
class PlannedFault:
    """A fault and its dice: `seconds` is how long it lasts where it lasts, `choice` (0 to 1) picks among what it may befall."""

    at: float
    kind: FaultKind
    seconds: float
    choice: float


@dataclass(frozen=True)
class Plan:
    """The whole run. `invoices` is the number for each tenant."""

    invoices: int
    happenings: tuple[Happening, ...]
    faults: tuple[PlannedFault, ...]

    @property
    def deliveries(self) -> int:
        return sum(len(one.posts) for one in self.happenings)

    @property
    def last_change_at(self) -> float:
        """After it there is less and less that a fault could befall."""
        return max((one.at for one in self.happenings), default=0.0)


def plan_of(scale: Scale, *, available: Sequence[FaultKind]) -> Plan:
    """The same for the same seed, length and number of deliveries, on every machine with the same faults available."""
    random = Random(scale.seed)
    invoices = max(4, scale.deliveries // DELIVERIES_PER_INVOICE // TENANTS)
    changes = [
        *invoice_changes(random, invoices=invoices, seconds=scale.seconds),
        *single_changes(random, Step.WIN_DEAL, share(scale, DEALS), scale.seconds, tenants=(0, 1)),
        *single_changes(random, Step.PAY_ORDER, share(scale, ORDERS), scale.seconds, tenants=(0,)),
        *single_changes(random, Step.COMPLETE_TASK, share(scale, TASKS), scale.seconds, tenants=(0,)),
    ]
    missing = scale.deliveries - sum(len(one.posts) for one in changes)
    happenings = [*changes, *fillers(random, count=missing, invoices=invoices, seconds=scale.seconds)]
    faults = planned_faults(random, available, seconds=scale.seconds) if scale.has_faults else []
    return Plan(invoices, tuple(sorted(happenings, key=lambda one: one.at)), tuple(faults))


def share(scale: Scale, of_thousand: int) -> int:
    return max(1, scale.deliveries * of_thousand // 1000)


def invoice_changes(random: Random, *, invoices: int, seconds: float) -> list[Happening]:
    """Every invoice is paid; half of them in part first."""
    found: list[Happening] = []
    for tenant in range(TENANTS):
        for invoice in range(invoices):
            moments = sorted(random.uniform(0, seconds * CHANGES_END_AT) for _ in range(2))
            if random.random() < 0.5:
                found.append(Happening(moments[0], Step.PART_PAY, tenant, (invoice,), posts(random)))
            found.append(Happening(moments[1], Step.PAY, tenant, (invoice,), posts(random)))
    return found


def single_changes(random: Random, step: Step, count: int, seconds: float, *, tenants: Sequence[int]) -> list[Happening]:
    """Records that are made and changed once."""
    return [
        Happening(random.uniform(0, seconds * CHANGES_END_AT), step, tenants[number % len(tenants)], (number,), posts(random))
        for number in range(count)
    ]


def fillers(random: Random, *, count: int, invoices: int, seconds: float) -> list[Happening]:
    """Deliveries that tell of one to three invoices without a change, some of them in bursts."""
    bursts = [random.uniform(0, seconds * CHANGES_END_AT) for _ in range(BURSTS)]
    found: list[Happening] = []
    while count > 0:
        is_in_burst = random.random() < OF_FILLERS_IN_BURSTS
        at = random.choice(bursts) + random.uniform(0, BURST_SECONDS) if is_in_burst else random.uniform(0, seconds)
        records = tuple(random.sample(range(invoices), k=min(invoices, random.choice((1, 1, 1, 2, 3)))))
        moments = posts(random)[:count]
        found.append(Happening(at, Step.NOTHING, random.randrange(TENANTS), records, moments))
        count -= len(moments)
    return found


def posts(random: Random) -> tuple[float, ...]:
    """Mostly at once and once; one in six is late, one in six repeated, a few many times."""
    first = random.uniform(0, LATEST_FIRST) if random.random() < 1 / 6 else random.uniform(0, 0.5)
    repetitions = random.choices((0, 1, 4), weights=(83, 14, 3))[0]
    return (first, *(first + random.uniform(0, LATEST_REPETITION) for _ in range(repetitions)))


def planned_faults(random: Random, available: Sequence[FaultKind], *, seconds: float) -> list[PlannedFault]:
    """Every kind as often as the others, and each at least once: in a short run they come closer together."""
    span = seconds * CHANGES_END_AT - FIRST_FAULT_AT
    count = max(len(available), int(span / SECONDS_BETWEEN_FAULTS))
    return [
        PlannedFault(FIRST_FAULT_AT + (number + random.random()) * span / count, kind, random.uniform(*kind.lasts), random.random())
        for number, kind in zip(range(count), rounds(random, available), strict=False)
    ]


def rounds(random: Random, available: Sequence[FaultKind]) -> Iterator[FaultKind]:
    """The kinds in an order of the seed's, again and again."""
    while available:
        kinds = random.sample(list(available), k=len(available))
        half = len(kinds) // 2
        for kind in [one for one in kinds[half:] if one.lasts[1] > LONG_SECONDS]:
            kinds.remove(kind)
            kinds.insert(random.randint(0, half), kind)
        yield from kinds
