"""What was written to outside systems, and the versions that guard it."""

from __future__ import annotations

from sqlalchemy import Column, Index, Integer, LargeBinary, Table, Text, Uuid, text
from sqlalchemy.dialects.postgresql import JSONB

from zixly_core.tables.base import EMPTY, NOW, At, metadata, one_of, required, to

effects = Table(
    "effects",
    metadata,
    to("tenant_id", "tenants.id", primary_key=True),
    Column("effect_key", Text, primary_key=True),
    required("job_id", Uuid),
    required("fence", Integer),
    required("system"),
    required("operation"),
    required("target"),
    required("state"),
    required("source_version", At),
    required("content_sha256", LargeBinary),
    Column("result", JSONB),
    required("intended_at", At, server_default=NOW),
    required("tried_at", At, server_default=NOW),
    Column("done_at", At),
    one_of("state", "'INTENDED', 'DONE', 'DROPPED'"),
    Index("effects_of_job", "job_id"),
    Index("effects_intended", "tenant_id", "target", postgresql_where=text("state = 'INTENDED'")),
)

record_states = Table(
    "record_states",
    metadata,
    to("tenant_id", "tenants.id", primary_key=True),
    Column("workflow", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("record_key", Text, primary_key=True),
    required("version", At),
    required("state", JSONB, server_default=EMPTY),
    required("updated_at", At, server_default=NOW),
    one_of("role", "'source', 'target'"),
    Index("record_states_by_age", "updated_at"),
)
