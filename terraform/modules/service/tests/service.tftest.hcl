# Without AWS and without a network: the provider is played.

mock_provider "aws" {
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/played" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-southeast-2:111122223333:log-group:played" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:ap-southeast-2:111122223333:task-definition/played:1" }
  }
}

variables {
  prefix      = "zixly"
  name        = "bridge"
  region      = "ap-southeast-2"
  account     = "111122223333"
  image       = "zixly:1.2.3"
  entry_point = ["python", "-m"]
  command     = ["webhook_bridge"]
  settings    = { ZIXLY_ENVIRONMENT = "production" }
  cpu         = 512
  memory      = 1024
  port        = 3000
  kms_key_arn = "arn:aws:kms:ap-southeast-2:111122223333:key/played"

  service = {
    cluster_arn      = "arn:aws:ecs:ap-southeast-2:111122223333:cluster/played"
    namespace_arn    = "arn:aws:servicediscovery:ap-southeast-2:111122223333:namespace/played"
    subnets          = ["subnet-1", "subnet-2"]
    security_groups  = ["sg-1"]
    count            = 2
    is_asked_by_name = true
  }
}

run "a_process_writes_nothing_but_tmp_and_has_no_public_address" {
  command = apply

  variables {
    injected      = { ZIXLY_BROKER_URL = "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:broker" }
    asked_secrets = ["arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:intake"]
  }

  assert {
    condition     = alltrue([for one in output.containers : one.readonlyRootFilesystem && one.linuxParameters.capabilities.drop == ["ALL"]])
    error_message = "Nothing in the image may be changed, and no capability kept."
  }

  assert {
    condition     = !aws_ecs_service.this[0].network_configuration[0].assign_public_ip && aws_ecs_service.this[0].desired_count == 2
    error_message = "It has no public address."
  }

  assert {
    condition     = output.containers[1].secrets == [{ name = "ZIXLY_BROKER_URL", valueFrom = "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:broker" }]
    error_message = "ECS must put the secret in."
  }

  assert {
    condition     = join(" ", flatten([for one in output.statements.work : one.Resource])) == "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:intake"
    error_message = "It may ask for its own secret, and do nothing else."
  }

  assert {
    condition     = aws_cloudwatch_log_group.this.kms_key_id == var.kms_key_arn && aws_cloudwatch_log_group.this.retention_in_days == 365
    error_message = "Its log must be sealed and end."
  }
}

run "one_that_is_alone_ends_before_the_next_begins" {
  command = plan

  variables {
    service = {
      cluster_arn     = "arn:aws:ecs:ap-southeast-2:111122223333:cluster/played"
      namespace_arn   = "arn:aws:servicediscovery:ap-southeast-2:111122223333:namespace/played"
      subnets         = ["subnet-1"]
      security_groups = ["sg-1"]
      count           = 1
      only_one        = true
    }
  }

  assert {
    condition     = aws_ecs_service.this[0].deployment_minimum_healthy_percent == 0 && aws_ecs_service.this[0].deployment_maximum_percent == 100
    error_message = "Two daemons would both hand over."
  }
}

run "a_role_that_may_do_everything_is_refused" {
  command = plan

  variables {
    statements = [{ Sid = "All", Effect = "Allow", Action = ["s3:*"], Resource = ["arn:aws:s3:::mine"] }]
  }

  expect_failures = [var.statements]
}
