# Without AWS and without a network: the provider is played.

mock_provider "aws" {
  mock_resource "aws_s3_bucket" {
    defaults = {
      arn = "arn:aws:s3:::zixly-objects"
      id  = "zixly-objects"
    }
  }
}

variables {
  bucket = "zixly-objects"
}

run "what_is_kept_moves_to_the_archive_and_goes_after_seven_years" {
  command = apply

  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.objects.rule).transition).days == 90 && one(one(aws_s3_bucket_lifecycle_configuration.objects.rule).transition).storage_class == "GLACIER_IR"
    error_message = "After 90 days to the archive that is still read at once."
  }

  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.objects.rule).expiration).days == 2557
    error_message = "Seven years and their two leap days."
  }

  assert {
    condition     = one(one(aws_s3_bucket_lifecycle_configuration.objects.rule).abort_incomplete_multipart_upload).days_after_initiation == 7
    error_message = "Uploads that were left must go."
  }

  assert {
    condition     = aws_s3_bucket_public_access_block.objects.block_public_acls && aws_s3_bucket_public_access_block.objects.block_public_policy && aws_s3_bucket_public_access_block.objects.ignore_public_acls && aws_s3_bucket_public_access_block.objects.restrict_public_buckets
    error_message = "Nothing may be public."
  }

  assert {
    condition     = alltrue([for one in jsondecode(aws_s3_bucket_policy.tls_only.policy).Statement : one.Effect == "Deny" && contains(one.Resource, "arn:aws:s3:::zixly-objects/*")])
    error_message = "Objects too must be refused without TLS."
  }

  assert {
    condition     = aws_s3_bucket_versioning.objects.versioning_configuration[0].status == "Enabled" && !aws_s3_bucket.objects.force_destroy
    error_message = "What was overwritten must come back, and nobody may remove a full bucket."
  }
}

run "deleting_before_archiving_is_refused" {
  command = plan

  variables {
    archive_after_days = 90
    delete_after_days  = 30
  }

  expect_failures = [var.delete_after_days]
}

run "a_name_that_s3_refuses_is_refused_before" {
  command = plan

  variables {
    bucket = "Zixly_Objects"
  }

  expect_failures = [var.bucket]
}
