-- A workflow that calls nobody at its source goes on when the account there is disconnected: what privacy law demands comes
-- after the shop has removed the app.
alter table zixly.workflows add column needs_source boolean not null default true;
