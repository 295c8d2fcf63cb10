# What each process may do with queues and bucket, by what services.yaml says that it does. The calls are those of zixly_core/queues/sqs.py and
# zixly_core/objects/s3.py: a test compares.

locals {
  main_queues = sort(values(module.queue.queue_arns))
  dead_queues = sort(values(module.queue.dead_arns))
  all_queues  = concat(local.main_queues, local.dead_queues)

  queue_statements = {
    none = []
    send = [
      { Sid = "PutMessagesOn", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = local.main_queues },
      { Sid = "FindAndMeasure", Effect = "Allow", Action = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"], Resource = local.all_queues },
    ]
    take = [
      { Sid = "TakeMessages", Effect = "Allow", Action = ["sqs:ReceiveMessage", "sqs:DeleteMessage"], Resource = local.main_queues },
      { Sid = "GiveUpOn", Effect = "Allow", Action = ["sqs:SendMessage"], Resource = local.all_queues },
      { Sid = "FindAndMeasure", Effect = "Allow", Action = ["sqs:GetQueueUrl", "sqs:GetQueueAttributes"], Resource = local.all_queues },
    ]
  }

  # Objects lie at {tenant}/{job}/...: a star behind the bucket's name is all of its objects, and nothing else.
  object_statements = {
    none = []
    read = [
      { Sid = "Read", Effect = "Allow", Action = ["s3:GetObject"], Resource = ["${module.storage.arn}/*"] },
      { Sid = "LookFor", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [module.storage.arn] },
    ]
    write = [
      { Sid = "ReadAndWrite", Effect = "Allow", Action = ["s3:GetObject", "s3:PutObject", "s3:DeleteObject"], Resource = ["${module.storage.arn}/*"] },
      { Sid = "LookFor", Effect = "Allow", Action = ["s3:ListBucket"], Resource = [module.storage.arn] },
    ]
  }

  # One key seals objects and secrets; who may ask for neither needs it not.
  key_actions = { none = ["kms:Decrypt"], read = ["kms:Decrypt"], write = ["kms:Decrypt", "kms:GenerateDataKey"] }

  permissions = { for name, one in local.table : name => concat(
    local.queue_statements[one.queues],
    local.object_statements[one.objects],
    [{ Sid = "Unseal", Effect = "Allow", Action = local.key_actions[one.objects], Resource = [aws_kms_key.this.arn] }],
  ) }
}
