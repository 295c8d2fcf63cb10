# Without AWS and without a network: the provider is played.

mock_provider "aws" {
  mock_resource "aws_secretsmanager_secret" {
    defaults = {
      arn = "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:played"
      id  = "arn:aws:secretsmanager:ap-southeast-2:111122223333:secret:played"
    }
  }
}

variables {
  prefix = "zixly/test"

  entries = {
    plain   = { description = "One that people change." }
    rotated = { description = "One that changes by itself.", rotation_lambda_arn = "arn:aws:lambda:ap-southeast-2:111122223333:function:rotate", rotation_days = 7 }
  }
}

run "secrets_are_made_without_values" {
  command = apply

  assert {
    condition     = aws_secretsmanager_secret.this["plain"].name == "zixly/test/plain" && length(aws_secretsmanager_secret_version.first) == 0
    error_message = "No value may stand in a state."
  }

  assert {
    condition     = aws_secretsmanager_secret.this["plain"].recovery_window_in_days == 30
    error_message = "A deleted secret must be brought back for 30 days."
  }

  assert {
    condition     = keys(aws_secretsmanager_secret_rotation.this) == ["rotated"] && aws_secretsmanager_secret_rotation.this["rotated"].rotation_rules[0].automatically_after_days == 7
    error_message = "The one with a Lambda, and no other, changes by itself."
  }

  assert {
    condition     = output.references["plain"] == "secretsmanager://zixly/test/plain"
    error_message = "Settings name secrets like that."
  }
}

run "an_emulator_may_be_given_values" {
  command = apply

  variables {
    values = { plain = "only-for-tests" }
  }

  assert {
    condition     = keys(aws_secretsmanager_secret_version.first) == ["plain"]
    error_message = "The value that was given must be there."
  }
}

run "a_recovery_that_aws_refuses_is_refused_before" {
  command = plan

  variables {
    recovery_days = 3
  }

  expect_failures = [var.recovery_days]
}
