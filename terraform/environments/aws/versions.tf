terraform {
  required_version = ">= 1.9, < 2.0"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.0, >= 5.100"
    }
  }

  # The state's bucket is made once, by hand, with versions and encryption; its name is given to `init`:
  #   terraform init -backend-config=bucket=... -backend-config=region=ap-southeast-2
  # The lock is an object beside the state; no table is needed. No secret stands in the state.
  backend "s3" {
    key          = "zixly/aws.tfstate"
    encrypt      = true
    use_lockfile = true
  }
}

provider "aws" {
  region = var.region

  default_tags {
    tags = local.tags
  }
}
