"""A VPC with fixed egress addresses, as the operator's choice: for a private ClickHouse."""

from collections.abc import Iterable
from typing import Any, cast

from aws_cdk import CfnOutput, Fn, Stack
from aws_cdk import aws_ec2 as ec2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from infra.accepted import accept
from infra.function import ServiceFunction
from infra.perimeter import NetworkChoice, in_network

INTERFACES = (
    "ec2:CreateNetworkInterface",
    "ec2:DescribeNetworkInterfaces",
    "ec2:DescribeSubnets",
    "ec2:DeleteNetworkInterface",
    "ec2:AssignPrivateIpAddresses",
    "ec2:UnassignPrivateIpAddresses",
)
"""What Lambda does with the function's role to connect it. EC2 has no narrower resource for most of them."""


class Network(Construct):
    """A zone has a private subnet for functions, and a public one with a NAT gateway and an Elastic IP.

    The operator peers the VPC with ClickHouse's, or allows the Elastic IPs there. S3 and DynamoDB are
    reached through gateway endpoints, which are free; all else through the NAT gateways. Nothing listens.

    Outputs `EgressAddresses` and `NetworkId`.
    """

    def __init__(self, scope: Construct, choice: NetworkChoice) -> None:
        super().__init__(scope, "network")
        addresses = [ec2.CfnEIP(self, f"address-{zone}", domain="vpc") for zone in range(choice.zones)]
        self.vpc = ec2.Vpc(
            self,
            "vpc",
            ip_addresses=ec2.IpAddresses.cidr(choice.cidr),
            max_azs=choice.zones,
            nat_gateway_provider=ec2.NatProvider.gateway(
                eip_allocation_ids=[each.attr_allocation_id for each in addresses]
            ),
            subnet_configuration=[
                ec2.SubnetConfiguration(
                    name="nat", subnet_type=ec2.SubnetType.PUBLIC, map_public_ip_on_launch=False
                ),
                ec2.SubnetConfiguration(name="functions", subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS),
            ],
            gateway_endpoints={
                "s3": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.S3),
                "dynamodb": ec2.GatewayVpcEndpointOptions(service=ec2.GatewayVpcEndpointAwsService.DYNAMODB),
            },
            restrict_default_security_group=False,
        )
        accept(
            self.vpc,
            "AwsSolutions-VPC7",
            reason="Functions only open connections and nothing listens; flow logs cost by the GB.",
        )
        self._group = ec2.SecurityGroup(
            self,
            "group",
            vpc=self.vpc,
            allow_all_outbound=False,
            description="AstraLog functions: TCP outwards",
        )
        # Customers' ClickHouse and buckets may have any port; the egress filter checks their addresses.
        self._group.add_egress_rule(ec2.Peer.any_ipv4(), ec2.Port.all_tcp())
        stack = Stack.of(self)
        CfnOutput(stack, "EgressAddresses", value=Fn.join(",", [each.attr_public_ip for each in addresses]))
        CfnOutput(stack, "NetworkId", value=self.vpc.vpc_id)

    def attach(self, functions: Iterable[ServiceFunction]) -> None:
        """Connect the functions that `infra.perimeter.in_network` names. They wait for the NAT gateways."""
        subnets = self.vpc.select_subnets(subnet_type=ec2.SubnetType.PRIVATE_WITH_EGRESS)
        for each in functions:
            if not in_network(each.spec):
                continue
            resource = cast("lambda_.CfnFunction", cast("Any", each.function).node.default_child)
            resource.vpc_config = lambda_.CfnFunction.VpcConfigProperty(
                subnet_ids=subnets.subnet_ids, security_group_ids=[self._group.security_group_id]
            )
            each.function.node.add_dependency(subnets.internet_connectivity_established)
            _allow_interfaces(each)


def _allow_interfaces(function: ServiceFunction) -> None:
    """Let Lambda connect the function, and forbid the function's own code the same calls."""
    function.function.add_to_role_policy(iam.PolicyStatement(actions=list(INTERFACES), resources=["*"]))
    function.function.add_to_role_policy(
        iam.PolicyStatement(
            sid="NotItsCode",
            effect=iam.Effect.DENY,
            actions=list(INTERFACES),
            resources=["*"],
            conditions={"Null": {"lambda:SourceFunctionArn": "false"}},
        )
    )
    accept(
        function,
        "AwsSolutions-IAM5[Resource::[*]]",
        "CKV_AWS_111",
        reason="Lambda connects a function to the VPC with these calls; its own code is denied them.",
    )
