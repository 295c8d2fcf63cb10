# Without AWS and without a network: the provider is played.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "111122223333" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_resource "aws_kms_key" {
    defaults = { arn = "arn:aws:kms:ap-southeast-2:111122223333:key/played", key_id = "played" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:ap-southeast-2:111122223333:played", id = "https://sqs.ap-southeast-2.amazonaws.com/111122223333/played" }
  }
  mock_resource "aws_s3_bucket" {
    defaults = { arn = "arn:aws:s3:::played", id = "played" }
  }
  mock_resource "aws_secretsmanager_secret" {
    defaults = { arn = "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:played" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:ap-southeast-2:111122223333:played" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::111122223333:role/played" }
  }
  mock_resource "aws_cloudwatch_log_group" {
    defaults = { arn = "arn:aws:logs:ap-southeast-2:111122223333:log-group:played" }
  }
  mock_resource "aws_ecr_repository" {
    defaults = { arn = "arn:aws:ecr:ap-southeast-2:111122223333:repository/played" }
  }
  mock_resource "aws_ecs_cluster" {
    defaults = { arn = "arn:aws:ecs:ap-southeast-2:111122223333:cluster/played" }
  }
  mock_resource "aws_ecs_task_definition" {
    defaults = { arn = "arn:aws:ecs:ap-southeast-2:111122223333:task-definition/played:1" }
  }
  mock_resource "aws_service_discovery_http_namespace" {
    defaults = { arn = "arn:aws:servicediscovery:ap-southeast-2:111122223333:namespace/played" }
  }
  mock_resource "aws_lb" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-southeast-2:111122223333:loadbalancer/app/played/1" }
  }
  mock_resource "aws_lb_listener" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-southeast-2:111122223333:listener/app/played/1/2" }
  }
  mock_resource "aws_lb_target_group" {
    defaults = { arn = "arn:aws:elasticloadbalancing:ap-southeast-2:111122223333:targetgroup/played/1" }
  }
  mock_resource "aws_appautoscaling_policy" {
    defaults = { arn = "arn:aws:autoscaling:ap-southeast-2:111122223333:scalingPolicy:played" }
  }
}

variables {
  host            = "hooks.example.com"
  certificate_arn = "arn:aws:acm:ap-southeast-2:111122223333:certificate/played"
  image           = "111122223333.dkr.ecr.ap-southeast-2.amazonaws.com/zixly:1.2.3"
}

# One apply for everything that is said about what is made: each costs seconds.
run "one_way_in_everything_sealed_roles_narrow_all_watched" {
  command = apply

  variables {
    alarm_emails = ["oncall@example.com"]
  }

  assert {
    condition     = aws_lb_listener.this.ssl_policy == "ELBSecurityPolicy-TLS13-1-3-2021-06" && aws_lb_listener.this.port == 443
    error_message = "Nothing older than TLS 1.3 may be spoken."
  }

  assert {
    condition     = [for name, one in aws_vpc_security_group_ingress_rule.flow : name if one.cidr_ipv4 != null] == [] && aws_vpc_security_group_ingress_rule.world.from_port == 443 && aws_vpc_security_group_ingress_rule.world.to_port == 443
    error_message = "From outside, one port of the load balancer and nothing else."
  }

  assert {
    condition     = toset(keys(aws_vpc_security_group_ingress_rule.flow)) == toset(keys(aws_vpc_security_group_egress_rule.flow))
    error_message = "Each flow is opened at both ends."
  }

  assert {
    condition     = alltrue([for one in aws_subnet.public : !one.map_public_ip_on_launch])
    error_message = "Nothing gets a public address by itself."
  }

  assert {
    condition     = aws_db_instance.this[0].storage_encrypted && !aws_db_instance.this[0].publicly_accessible && aws_db_instance.this[0].multi_az && aws_db_instance.this[0].deletion_protection && aws_db_instance.this[0].backup_retention_period == 14
    error_message = "Postgres must be sealed, hidden, in two zones, kept, and backed up."
  }

  assert {
    condition     = contains([for one in aws_db_parameter_group.this[0].parameter : "${one.name}=${one.value}"], "rds.force_ssl=1")
    error_message = "Nobody may speak to Postgres without TLS."
  }

  assert {
    condition     = aws_elasticache_replication_group.this.transit_encryption_enabled && aws_elasticache_replication_group.this.at_rest_encryption_enabled && aws_elasticache_replication_group.this.auth_token == null
    error_message = "Valkey must be sealed, and its password in no state."
  }

  assert {
    condition     = alltrue([for one in [aws_cloudwatch_log_group.network, aws_cloudwatch_log_group.database[0], aws_cloudwatch_log_group.figures] : one.kms_key_id == aws_kms_key.this.arn && one.retention_in_days > 0])
    error_message = "Logs must be sealed and end."
  }

  assert {
    condition     = aws_kms_key.this.enable_key_rotation && aws_sns_topic.alarms.kms_master_key_id == "played" && aws_ecr_repository.this.image_tag_mutability == "IMMUTABLE"
    error_message = "The key turns, alarms are sealed, tags stay."
  }

  assert {
    condition = alltrue(flatten([for of in values(output.statements) : [for one in concat(of.start, of.work) : [
      for action in one.Action : !strcontains(action, "*")
    ]]]))
    error_message = "No action may be a pattern."
  }

  assert {
    condition = alltrue(flatten([for of in values(output.statements) : [for one in concat(of.start, of.work) : [
      for resource in one.Resource : resource != "*" || contains(one.Action, "ecr:GetAuthorizationToken")
    ]]]))
    error_message = "No resource may be everything, but for the one call that knows no other."
  }

  assert {
    condition     = [for one in output.statements["daemon"].work : one.Sid] == ["AskForItsSecrets", "Unseal"] && [for one in output.statements["gateway"].work : one.Sid] == []
    error_message = "The daemon asks for its secrets, the gateway for nothing."
  }

  assert {
    condition     = !anytrue(flatten([for name in ["bridge", "daemon", "webserver", "viewer", "worker"] : [for one in output.statements[name].work : contains(one.Action, "sqs:ReceiveMessage")]]))
    error_message = "Only the code server, in which the sensors run, takes messages."
  }

  assert {
    condition     = !anytrue(flatten([for name in ["bridge", "code", "daemon", "webserver", "viewer"] : [for one in output.statements[name].work : contains(one.Action, "s3:PutObject")]]))
    error_message = "Only workers write objects."
  }

  assert {
    condition = toset(keys(aws_cloudwatch_metric_alarm.this)) == toset([
      "jobs-late", "unaccounted", "no-figures", "bridge-errors", "balancer-errors", "bridge-away", "gateway-away", "cache-memory", "cache-work",
      "none-of-bridge", "none-of-code", "none-of-gateway", "none-of-collector", "none-of-daemon", "none-of-viewer", "none-of-webserver", "none-of-worker",
      "database-work", "database-room", "database-connections",
    ])
    error_message = "An alarm was added or lost."
  }

  assert {
    condition     = alltrue([for one in values(aws_cloudwatch_metric_alarm.this) : one.alarm_actions == toset([aws_sns_topic.alarms.arn])])
    error_message = "Each alarm tells somebody."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.this["no-figures"].treat_missing_data == "breaching" && aws_cloudwatch_metric_alarm.this["database-room"].comparison_operator == "LessThanThreshold"
    error_message = "Silence of the figures is an alarm, and little room is one."
  }

  assert {
    condition     = aws_appautoscaling_target.workers.min_capacity == 2 && aws_appautoscaling_target.workers.max_capacity == 10
    error_message = "Workers move between two bounds."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.jobs_wait.metric_name == "pipeline_oldest_due_job_seconds" && aws_cloudwatch_metric_alarm.jobs_wait.alarm_actions == toset([aws_appautoscaling_policy.more.arn])
    error_message = "More workers when the oldest due job waits."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.jobs_wait.treat_missing_data == "ignore" && aws_cloudwatch_metric_alarm.nobody_waits.treat_missing_data == "ignore"
    error_message = "Nobody is sent away because nothing was told."
  }

  assert {
    condition     = [for one in aws_appautoscaling_policy.more.step_scaling_policy_configuration[0].step_adjustment : one.scaling_adjustment > 0] == [true, true]
    error_message = "More is more."
  }
}

run "a_postgres_elsewhere_takes_the_place_of_rds" {
  command = plan

  variables {
    database          = null
    external_database = { cidr = "203.0.113.10/32", port = 5432 }
  }

  assert {
    condition     = length(aws_db_instance.this) == 0 && length(aws_vpc_security_group_egress_rule.external_database) == 7 && !contains(keys(aws_cloudwatch_metric_alarm.this), "database-work")
    error_message = "No RDS, and a way to the other."
  }
}

run "the_first_apply_starts_nothing" {
  command = plan

  variables {
    started = false
  }

  assert {
    condition     = aws_appautoscaling_target.workers.min_capacity == 0 && aws_appautoscaling_target.workers.max_capacity == 0
    error_message = "Nothing may run before its secrets have values."
  }
}

run "an_image_that_moves_a_secret_among_settings_and_more_least_than_most_are_refused" {
  command = plan

  variables {
    image    = "zixly:latest"
    settings = { ZIXLY_XERO_CLIENT_SECRET = "only-for-tests" }
    workers  = { least = 5, most = 2 }
  }

  expect_failures = [var.image, var.settings, var.workers]
}
