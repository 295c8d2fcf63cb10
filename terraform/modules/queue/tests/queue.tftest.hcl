# Without AWS and without a network: the provider is played.

mock_provider "aws" {
  mock_resource "aws_sqs_queue" {
    defaults = {
      arn = "arn:aws:sqs:ap-southeast-2:111122223333:played"
      id  = "https://sqs.ap-southeast-2.amazonaws.com/111122223333/played"
    }
  }
}

variables {
  prefix = "zixly"
  names  = ["xero", "hubspot"]
}

run "each_system_has_a_queue_and_its_dead_letters" {
  command = apply

  assert {
    condition     = aws_sqs_queue.main["xero"].name == "zixly-xero" && aws_sqs_queue.dead["xero"].name == "zixly-xero-dead"
    error_message = "The names must be those that zixly_core/queues/sqs.py looks up."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue.main["xero"].redrive_policy).maxReceiveCount == 10
    error_message = "A message must become a dead letter when our code would make it one."
  }

  assert {
    condition     = jsondecode(aws_sqs_queue_redrive_allow_policy.dead["xero"].redrive_allow_policy).redrivePermission == "byQueue"
    error_message = "Dead letters must come from their own queue only."
  }

  assert {
    condition     = alltrue([for name in ["xero", "xero-dead", "hubspot", "hubspot-dead"] : jsondecode(aws_sqs_queue_policy.tls_only[name].policy).Statement[0].Condition.Bool["aws:SecureTransport"] == "false"])
    error_message = "No queue may be used without TLS."
  }

  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead)) : queue.sqs_managed_sse_enabled])
    error_message = "Every queue must be encrypted."
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.oldest_message) == 2 && length(aws_cloudwatch_metric_alarm.dead_letters) == 2
    error_message = "Each queue must be watched."
  }
}

run "a_key_of_ones_own_takes_the_place_of_sqs_own" {
  command = plan

  variables {
    kms_key_id = "alias/zixly"
  }

  assert {
    condition     = alltrue([for queue in concat(values(aws_sqs_queue.main), values(aws_sqs_queue.dead)) : queue.kms_master_key_id == "alias/zixly"])
    error_message = "Every queue must be encrypted with the key that was named."
  }
}

run "an_emulator_has_no_alarms" {
  command = plan

  variables {
    with_alarms = false
  }

  assert {
    condition     = length(aws_cloudwatch_metric_alarm.oldest_message) == 0
    error_message = "Alarms were to be left out."
  }
}

run "a_prefix_that_sqs_refuses_is_refused_before" {
  command = plan

  variables {
    prefix = "Zixly_"
  }

  expect_failures = [var.prefix]
}

run "a_message_that_is_handed_out_once_only_is_refused" {
  command = plan

  variables {
    max_receive_count = 1
  }

  expect_failures = [var.max_receive_count]
}
