"""`/api/people`: who is a member of what, invited by address, given roles, removed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from webhook_bridge.people_models import MembershipChange, NewMembership, NewPerson, PeopleList, Person, PersonChanged, PersonRemoved
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.whose import OfTenant, tenant_meant
from zixly_core.stores import people as store
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import scoped

At = Annotated[str | None, Query(description="The tenant's short name; left out: the agency.", max_length=100)]
CHANGES = problems(400, 401, 403, 404, 409, 422, 503)


@dataclass(frozen=True)
class People:
    """People, for administrators; `database` is seen as role `api`."""

    database: Database

    def seen(self, caller: Caller, *, tenant: str | None = None) -> PeopleList:
        with scoped(self.database, caller.scope) as rows:
            found = store.people(rows, tenant=tenant)
        return PeopleList.model_validate({"people": [vars(one) for one in found]})

    def one(self, caller: Caller, person_id: UUID) -> Person:
        with scoped(self.database, caller.scope) as rows:
            return one_person(rows, person_id)

    def invite(self, caller: Caller, wanted: NewPerson) -> Person:
        with scoped(self.database, caller.scope) as rows:
            given = given_by(rows, wanted, caller)
            person_id = store.invite(rows, email=wanted.email, name=wanted.name, given=given, actor=caller.name)
            return one_person(rows, person_id)

    def give(self, caller: Caller, person_id: UUID, wanted: NewMembership) -> Person:
        with scoped(self.database, caller.scope) as rows:
            one_person(rows, person_id)
            store.give(rows, person_id, given_by(rows, wanted, caller), actor=caller.name)
            return one_person(rows, person_id)

    def change(self, caller: Caller, person_id: UUID, wanted: MembershipChange, *, at: str | None) -> PersonChanged:
        with scoped(self.database, caller.scope) as rows:
            place, role, sees = tenant_meant(rows, at, caller), wanted.role, wanted.sees_payloads
            ended = store.change(rows, person_id, tenant_id=place, role=role, sees_payloads=sees, actor=caller.name)
            return PersonChanged(person=one_person(rows, person_id), tokens_ended=ended)

    def take(self, caller: Caller, person_id: UUID, *, at: str | None) -> PersonRemoved:
        with scoped(self.database, caller.scope) as rows:
            return PersonRemoved(tokens_ended=store.take(rows, person_id, tenant_id=tenant_meant(rows, at, caller), actor=caller.name))

    def remove(self, caller: Caller, person_id: UUID) -> PersonRemoved:
        with scoped(self.database, caller.scope) as rows:
            return PersonRemoved(tokens_ended=store.remove(rows, person_id, actor=caller.name))


def people_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(prefix="/api/people", tags=["access"])
    signed_in = Depends(caller_of)
    everybody = People(database)

    @router.get("", responses=problems(401, 403, 422, 503))
    def people(tenant: OfTenant = None, caller: Caller = signed_in) -> PeopleList:
        """People and their memberships, as far as the caller sees them, by their addresses."""
        return everybody.seen(caller, tenant=tenant)

    @router.post("", status_code=201, responses=CHANGES)
    def invite(wanted: NewPerson, caller: Caller = signed_in) -> Person:
        """Make somebody a member who is known by an address: whoever signs in with it, confirmed by the provider, has the role. Nothing is
        sent there."""
        return everybody.invite(caller, wanted)

    @router.post("/{person_id}/memberships", status_code=201, responses=CHANGES)
    def give(person_id: UUID, wanted: NewMembership, caller: Caller = signed_in) -> Person:
        """Make somebody a member of one more client, or of the agency."""
        return everybody.give(caller, person_id, wanted)

    @router.patch("/{person_id}/memberships", responses=CHANGES)
    def change(person_id: UUID, wanted: MembershipChange, at: At = None, caller: Caller = signed_in) -> PersonChanged:
        """Change a role, or grant payloads to a VIEWER. It holds for the person's next request. With a lesser role the tokens end that
        this person made there."""
        return everybody.change(caller, person_id, wanted, at=at)

    @router.delete("/{person_id}/memberships", responses=CHANGES)
    def take(person_id: UUID, at: At = None, caller: Caller = signed_in) -> PersonRemoved:
        """End a membership, and the tokens that this person made there. Whoever has none left is forgotten."""
        return everybody.take(caller, person_id, at=at)

    @router.delete("/{person_id}", responses=CHANGES)
    def remove(person_id: UUID, caller: Caller = signed_in) -> PersonRemoved:
        """End all memberships of a person that the caller sees."""
        return everybody.remove(caller, person_id)

    return router


def given_by(rows: Rows, wanted: NewMembership, caller: Caller) -> store.Given:
    return store.Given(tenant_meant(rows, wanted.tenant, caller), wanted.role, wanted.sees_payloads)


def one_person(rows: Rows, person_id: UUID) -> Person:
    found = store.people(rows, person_id=person_id)
    if not found:
        raise NotFound(f"There is no person {person_id}, or it is not yours to see.")
    return Person.model_validate(vars(found[0]))
