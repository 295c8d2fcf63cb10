# The bucket for documents, reports and archived payloads ({tenant}/{job}/..., zixly_core/objects/s3.py).

resource "aws_s3_bucket" "objects" {
  # checkov:skip=CKV2_AWS_62: nobody waits for objects; who writes one writes a row too
  # checkov:skip=CKV_AWS_144: what was overwritten or deleted comes back from versions; a copy in another region is its owner's choice
  bucket        = var.bucket
  force_destroy = var.force_destroy
  tags          = var.tags
}

resource "aws_s3_bucket_versioning" "objects" {
  bucket = aws_s3_bucket.objects.id

  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "objects" {
  bucket = aws_s3_bucket.objects.id

  rule {
    bucket_key_enabled = true

    apply_server_side_encryption_by_default {
      sse_algorithm     = var.kms_key_arn == null ? "AES256" : "aws:kms"
      kms_master_key_id = var.kms_key_arn
    }
  }
}

resource "aws_s3_bucket_public_access_block" "objects" {
  bucket                  = aws_s3_bucket.objects.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_ownership_controls" "objects" {
  bucket = aws_s3_bucket.objects.id

  rule {
    object_ownership = "BucketOwnerEnforced"
  }
}

resource "aws_s3_bucket_policy" "tls_only" {
  bucket = aws_s3_bucket.objects.id

  # S3 refuses a policy that it takes for public while the block is being set.
  depends_on = [aws_s3_bucket_public_access_block.objects]

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "NeverWithoutTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.objects.arn, "${aws_s3_bucket.objects.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
      {
        Sid       = "NeverWithOldTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [aws_s3_bucket.objects.arn, "${aws_s3_bucket.objects.arn}/*"]
        Condition = { NumericLessThan = { "s3:TlsVersion" = "1.2" } }
      }
    ]
  })
}

resource "aws_s3_bucket_lifecycle_configuration" "objects" {
  bucket = aws_s3_bucket.objects.id

  # Versioning must be on before rules about versions are accepted.
  depends_on = [aws_s3_bucket_versioning.objects]

  rule {
    id     = "archive-and-delete"
    status = "Enabled"

    filter {}

    transition {
      days          = var.archive_after_days
      storage_class = "GLACIER_IR"
    }

    expiration {
      days = var.delete_after_days
    }

    noncurrent_version_expiration {
      noncurrent_days = var.noncurrent_days
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 7
    }
  }
}

resource "aws_s3_bucket_logging" "objects" {
  count = var.log_bucket == null ? 0 : 1

  bucket        = aws_s3_bucket.objects.id
  target_bucket = var.log_bucket
  target_prefix = "${var.bucket}/"
}
