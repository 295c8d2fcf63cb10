"""What `/api/people` takes and answers with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from webhook_bridge.models import Model
from zixly_core.access import Role

# Whether it can be reached is the provider's to know; here it only has to look like one.
ADDRESS = r"^[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+\.[^@\s\x00-\x1f\x7f]+$"
Email = Annotated[str, StringConstraints(strip_whitespace=True, to_lower=True, max_length=254, pattern=ADDRESS)]
PersonName = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]+$")]
AtTenant = Annotated[str | None, Field(description="The tenant's short name; null: the agency, for all tenants.", max_length=100)]
Grant = Annotated[bool, Field(description="Whether a VIEWER sees payloads; the other roles do anyhow.")]


class NewMembership(BaseModel):
    """A membership that somebody is to have."""

    model_config = ConfigDict(extra="forbid")

    tenant: AtTenant = None
    role: Role
    sees_payloads: Grant = False


class NewPerson(NewMembership):
    """Somebody who is to be a member."""

    email: Email = Field(description="The address by which the provider knows the person.")
    name: PersonName


class MembershipChange(BaseModel):
    """What is to be changed; what is left out stays."""

    model_config = ConfigDict(extra="forbid")

    role: Role | None = None
    sees_payloads: bool | None = None

    @model_validator(mode="after")
    def changes_something(self) -> MembershipChange:
        if self.role is None and self.sees_payloads is None:
            raise ValueError("say what is to be changed: role or sees_payloads")
        return self


class MembershipModel(Model):
    """A role at a tenant, or at the agency."""

    tenant: AtTenant
    role: Role
    sees_payloads: Grant


class Person(Model):
    """Somebody, with the memberships that the caller may see."""

    id: UUID
    email: str
    name: str
    created_at: datetime
    memberships: list[MembershipModel]


class PeopleList(Model):
    """People by their addresses."""

    people: list[Person]


class PersonRemoved(Model):
    """What a removal came to."""

    tokens_ended: int = Field(description="Machine tokens that ended with it, since this person made them.")


class PersonChanged(PersonRemoved):
    """What a change came to."""

    person: Person
