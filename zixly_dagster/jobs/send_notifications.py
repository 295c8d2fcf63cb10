"""`send_notifications`: send what is due for one channel. A run, since only workers may open addresses that are secrets."""

from uuid import UUID

from dagster import Config, JobDefinition, MetadataValue, OpExecutionContext, in_process_executor, job, op
from pydantic import Field

from zixly_core.notifying import Sender
from zixly_core.secret_box import SecretBox
from zixly_core.settings import settings_now
from zixly_dagster.resources.postgres import PostgresResource

NAME = "send_notifications"


class ChannelConfig(Config):
    """Which channel has something to say, in ids."""

    channel_id: str = Field(description="Id of a row in zixly.notification_channels.")
    tenant_id: str | None = Field(default=None, description="Whose channel it is; nobody's: the agency's own.")


@op(tags={"kind": "notifications"})
def send_due_messages(context: OpExecutionContext, config: ChannelConfig, postgres: PostgresResource) -> None:
    """Send, and note what became of each message. A message that could not be sent waits in the outbox; the run does not fail."""
    settings = settings_now()
    sender = Sender(postgres.runs(), settings, open_box=lambda: SecretBox.from_settings(settings))
    done = sender.send_due(UUID(config.channel_id), tenant_id=UUID(config.tenant_id) if config.tenant_id else None)
    context.add_output_metadata(
        {"sent": MetadataValue.int(done.sent), "later": MetadataValue.int(done.later), "failed": MetadataValue.int(done.failed)}
    )


@job(
    name=NAME,
    executor_def=in_process_executor,
    description=(
        "**Send the e-mails or Slack messages that are due for one channel.** Launched by its sensor. What cannot be sent now waits in "
        "the outbox and is tried again; `zixly notify log` shows what was sent, and why not."
    ),
)
def send_notifications() -> None:
    send_due_messages()


def send_notifications_job() -> JobDefinition:
    definition: JobDefinition = send_notifications
    return definition
