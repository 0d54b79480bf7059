"""A stack with a fault for each scanner to find."""

from aws_cdk import App, CfnResource, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3 as s3
from aws_cdk import aws_sqs as sqs


class FaultyStack(Stack):
    """An open bucket, an unencrypted queue, a role that may do anything, and a property that is none."""

    def __init__(self, app: App) -> None:
        super().__init__(app, "Faulty")
        bucket = s3.Bucket(self, "open-bucket")
        bucket.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.AnyPrincipal()], actions=["s3:*"], resources=[bucket.arn_for_objects("*")]
            )
        )
        self.queue = sqs.Queue(self, "plain-queue", encryption=sqs.QueueEncryption.UNENCRYPTED)
        role = iam.Role(self, "any-role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        role.add_to_policy(iam.PolicyStatement(actions=["*"], resources=["*"]))
        CfnResource(self, "misspelt", type="AWS::SQS::Queue", properties={"VisibilityTimout": 30})
