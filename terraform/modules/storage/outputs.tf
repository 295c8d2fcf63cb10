output "bucket" {
  description = "The bucket's name."
  value       = aws_s3_bucket.objects.id
}

output "arn" {
  description = "The bucket, for a policy."
  value       = aws_s3_bucket.objects.arn
}
