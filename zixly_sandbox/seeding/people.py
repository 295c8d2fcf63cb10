"""Made-up people and companies, in several scripts: names that real customers have and that naive code trips over."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random

# Given name, family name, and both in ASCII for the e-mail address.
PEOPLE = (
    ("Olivia", "Nguyen", "olivia.nguyen"),
    ("Jack", "O'Brien", "jack.obrien"),
    ("Zoë", "Müller-Lüdenscheidt", "zoe.mueller"),
    ("Søren", "Kjær", "soren.kjaer"),
    ("François", "Lefèvre", "francois.lefevre"),
    ("José", "Muñoz", "jose.munoz"),
    ("Łukasz", "Wiśniewski", "lukasz.wisniewski"),
    ("Şebnem", "Yılmaz", "sebnem.yilmaz"),
    ("Ольга", "Соколова", "olga.sokolova"),
    ("Νίκος", "Παπαδόπουλος", "nikos.papadopoulos"),
    ("伟", "张", "wei.zhang"),
    ("花子", "山田", "hanako.yamada"),
    ("민준", "김", "minjun.kim"),
    ("محمد", "الحسن", "mohammed.alhassan"),
    ("נועה", "לוי", "noa.levi"),
    ("प्रिया", "शर्मा", "priya.sharma"),
    ("Thị Hương", "Trần", "huong.tran"),
    ("Aroha", "Tūhoe", "aroha.tuhoe"),
    ("Björk", "Guðmundsdóttir", "bjork.gudmundsdottir"),
    ("Nia", "Ap Rhys", "nia.aprhys"),
)
COMPANIES = ("Bayside Plumbing", "Café Zürich", "Harbour Yoga", "Kauri Timber", "北京茶行", "Ромашка", "Mária & Söhne", "Δέλτα Travel")
CURRENCIES = ("AUD", "AUD", "AUD", "NZD", "EUR", "GBP", "USD", "JPY")


@dataclass(frozen=True)
class Person:
    """A customer; `email` is free of any other person's."""

    first_name: str
    last_name: str
    company: str
    email: str
    currency: str

    def name(self, number: int) -> str:
        """The contact's name, which Xero wants to be unique."""
        return f"{self.first_name} {self.last_name} ({self.company} {number})"


def person(random: Random, number: int, *, domain: str) -> Person:
    first, last, address = PEOPLE[number % len(PEOPLE)]
    return Person(first, last, random.choice(COMPANIES), f"{address}.{number}@{domain}", random.choice(CURRENCIES))
