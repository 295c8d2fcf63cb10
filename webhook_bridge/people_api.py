"""`/api/people`: who is a member of what, invited by address, given roles, removed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request

from webhook_bridge.people_models import MembershipChange, NewMembership, NewPerson, PeopleList, Person, PersonChanged, PersonRemoved
from webhook_bridge.problems import NotFound, problems
from webhook_bridge.signed_in import Caller
from webhook_bridge.whose import tenant_meant
from zixly_core.stores import people as store
from zixly_core.stores.database import Database, Rows
from zixly_core.stores.jobs_view import scoped

At = Annotated[str | None, Query(description="The tenant's short name; left out: the agency.", max_length=100)]
CHANGES = problems(400, 401, 403, 404, 409, 422, 503)


def people_routes(database: Database, *, caller_of: Callable[[Request], Caller]) -> APIRouter:
    """The routes; `database` is seen as role `api`."""
    router = APIRouter(prefix="/api/people", tags=["access"])
    signed_in = Depends(caller_of)

    @router.get("", responses=problems(401, 403, 422, 503))
    def people(
        tenant: Annotated[str | None, Query(description="Only people of this tenant.", max_length=100)] = None, caller: Caller = signed_in
    ) -> PeopleList:
        """People and their memberships, as far as the caller sees them, by their addresses."""
        with scoped(database, caller.scope) as rows:
            found = store.people(rows, tenant=tenant)
        return PeopleList.model_validate({"people": [vars(one) for one in found]})

    @router.post("", status_code=201, responses=CHANGES)
    def invite(wanted: NewPerson, caller: Caller = signed_in) -> Person:
        """Make somebody a member who is known by an address: whoever signs in with it, confirmed by the provider, has the role. Nothing is
        sent there."""
        with scoped(database, caller.scope) as rows:
            given = store.Given(tenant_meant(rows, wanted.tenant, caller), wanted.role, wanted.sees_payloads)
            person_id = store.invite(rows, email=wanted.email, name=wanted.name, given=given, actor=caller.name)
            return one_person(rows, person_id)

    @router.post("/{person_id}/memberships", status_code=201, responses=CHANGES)
    def give(person_id: UUID, wanted: NewMembership, caller: Caller = signed_in) -> Person:
        """Make somebody a member of one more client, or of the agency."""
        with scoped(database, caller.scope) as rows:
            one_person(rows, person_id)
            given = store.Given(tenant_meant(rows, wanted.tenant, caller), wanted.role, wanted.sees_payloads)
            store.give(rows, person_id, given, actor=caller.name)
            return one_person(rows, person_id)

    @router.patch("/{person_id}/memberships", responses=CHANGES)
    def change(person_id: UUID, wanted: MembershipChange, at: At = None, caller: Caller = signed_in) -> PersonChanged:
        """Change a role, or grant payloads to a VIEWER. It holds for the person's next request. With a lesser role the tokens end that
        this person made there."""
        with scoped(database, caller.scope) as rows:
            ended = store.change(
                rows,
                person_id,
                tenant_id=tenant_meant(rows, at, caller),
                role=wanted.role,
                sees_payloads=wanted.sees_payloads,
                actor=caller.name,
            )
            person = one_person(rows, person_id)
        return PersonChanged(person=person, tokens_ended=ended)

    @router.delete("/{person_id}/memberships", responses=CHANGES)
    def take(person_id: UUID, at: At = None, caller: Caller = signed_in) -> PersonRemoved:
        """End a membership, and the tokens that this person made there. Whoever has none left is forgotten."""
        with scoped(database, caller.scope) as rows:
            return PersonRemoved(tokens_ended=store.take(rows, person_id, tenant_id=tenant_meant(rows, at, caller), actor=caller.name))

    @router.delete("/{person_id}", responses=CHANGES)
    def remove(person_id: UUID, caller: Caller = signed_in) -> PersonRemoved:
        """End all memberships of a person that the caller sees."""
        with scoped(database, caller.scope) as rows:
            return PersonRemoved(tokens_ended=store.remove(rows, person_id, actor=caller.name))

    return router


def one_person(rows: Rows, person_id: UUID) -> Person:
    found = store.people(rows, person_id=person_id)
    if not found:
        raise NotFound(f"There is no person {person_id}, or it is not yours to see.")
    return Person.model_validate(vars(found[0]))
