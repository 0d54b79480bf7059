"""The Cognito user pool: Cognito stores passwords and mails codes; people sign in through our functions."""

from aws_cdk import Aws, Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from constructs import Construct

from infra.accepted import accept
from infra.choices import CognitoSender

MIN_PASSWORD_CHARACTERS = 12
ACCESS_TOKEN = Duration.hours(1)
REFRESH_TOKEN = Duration.days(30)


class SignInUserPool(Construct):
    """One user pool and one client with a secret. No template has it: our role reads it from the pool.

    `pool`: the user pool, for grants. `named`: the values of `identity:<name>` in the topology: `pool`,
    `client`, `issuer`, `keys_url`.

    The client allows only sign-in by the admin flow and refresh. Every access token has the client's id;
    without the secret it cannot be used to sign up, confirm or reset around our rate limits.

    Parameters
    ----------
    sender: None for Cognito's own mail, which is limited to 50 a day.
    protected: whether Cognito rejects deletion of the pool.
    """

    def __init__(
        self, scope: Construct, name: str, sender: CognitoSender | None = None, *, protected: bool = True
    ) -> None:
        super().__init__(scope, name)
        self.pool = cognito.UserPool(
            self,
            "pool",
            sign_in_aliases=cognito.SignInAliases(email=True),
            sign_in_case_sensitive=False,
            self_sign_up_enabled=True,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            # After a change of address the old one stays until the new one is verified.
            keep_original=cognito.KeepOriginalAttrs(email=True),
            user_verification=cognito.UserVerificationConfig(
                email_style=cognito.VerificationEmailStyle.CODE,
                email_subject="Your AstraLog code",
                email_body="Your verification code is {####}.",
            ),
            password_policy=_long_rather_than_odd(),
            mfa=cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            deletion_protection=protected,
            removal_policy=RemovalPolicy.RETAIN_ON_UPDATE_OR_DELETE,
        )
        if sender:
            _mail_through_ses(self.pool, sender)
        _accept_findings(self.pool)
        self.client = self.pool.add_client(
            "client",
            generate_secret=True,
            auth_flows=cognito.AuthFlow(admin_user_password=True),
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=ACCESS_TOKEN,
            id_token_validity=ACCESS_TOKEN,
            refresh_token_validity=REFRESH_TOKEN,
        )
        issuer = f"https://cognito-idp.{Aws.REGION}.{Aws.URL_SUFFIX}/{self.pool.user_pool_id}"
        self.named: dict[str, str] = {
            "pool": self.pool.user_pool_id,
            "client": self.client.user_pool_client_id,
            "issuer": issuer,
            "keys_url": f"{issuer}/.well-known/jwks.json",
        }


def _mail_through_ses(pool: cognito.UserPool, sender: CognitoSender) -> None:
    """Set on the pool itself: CDK's own way needs a region that is known at synthesis.

    Cognito sends with a service-linked role, which it creates with the pool's first such configuration.
    """
    if not isinstance(cfn_pool := pool.node.default_child, cognito.CfnUserPool):
        raise TypeError("a user pool without its CloudFormation resource")
    identities = f"arn:{Aws.PARTITION}:ses:{Aws.REGION}:{Aws.ACCOUNT_ID}:identity"
    cfn_pool.email_configuration = cognito.CfnUserPool.EmailConfigurationProperty(
        email_sending_account="DEVELOPER",
        from_=f"AstraLog <{sender.address}>",
        source_arn=f"{identities}/{sender.identity}",
    )


def _accept_findings(pool: cognito.UserPool) -> None:
    accept(
        pool,
        "AwsSolutions-COG1",
        reason="Length makes guessing expensive, composition rules do not (NIST SP 800-63B); our functions "
        "also reject common passwords.",
    )
    accept(
        pool,
        "AwsSolutions-COG2",
        reason="A second factor is each person's choice; attempts are limited by network and account.",
    )
    accept(
        pool,
        "AwsSolutions-COG8",
        reason="The plus tier is charged per person; our functions limit attempts instead.",
    )


def _long_rather_than_odd() -> cognito.PasswordPolicy:
    """Length makes guessing expensive; functions.accounts.forms checks the same before Cognito does."""
    return cognito.PasswordPolicy(
        min_length=MIN_PASSWORD_CHARACTERS,
        require_digits=False,
        require_lowercase=False,
        require_uppercase=False,
        require_symbols=False,
    )
