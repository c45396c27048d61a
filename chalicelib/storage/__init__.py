"""DynamoDB, S3, SQS, SNS, SES and SSM: keys, reads and conditional writes."""
