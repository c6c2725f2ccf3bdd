"""CloudFormation's and the API's secrets without a value.

https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/aws-resource-secretsmanager-secret.html:
"If you omit both GenerateSecretString and SecretString, you create an empty secret." Ref returns the ARN.
"""

from typing import Any

from lab.cloud.emulator import provisioners, secretsmanager

Properties = dict[str, Any]
Created = tuple[str, dict[str, Any]]
SECRET = "AWS::SecretsManager::Secret"  # noqa: S105 - a resource type


def install() -> None:
    """Take over creation of secrets, and the physical id of the resource type."""
    handlers = provisioners._RESOURCE_HANDLERS[SECRET]
    create, update, delete = handlers["create"], handlers["update"], handlers["delete"]

    def create_secret(logical_id: str, declared: Properties, stack_name: str) -> Created:
        # An unnamed secret is called LogicalId-12CHARACTERS, which CDK's Secret.secret_name relies on.
        suffix = provisioners._physical_name(stack_name, logical_id)[-12:]
        name = str(declared.get("Name") or f"{logical_id}-{suffix}")
        if name in secretsmanager._secrets:
            raise ValueError(
                f"The operation failed because the secret {name} already exists. (Service: AWSSecretsManager; "
                "Error Code: ResourceExistsException)"
            )
        named = {**declared, "Name": name}
        if declared.get("GenerateSecretString") == {}:  # all defaults; MiniStack treats that as absent
            named["GenerateSecretString"] = {"PasswordLength": 32}
        _, attributes = create(logical_id, named, stack_name)
        if "SecretString" not in declared and "GenerateSecretString" not in declared:
            secretsmanager._secrets[name]["Versions"] = {}
        return attributes["Arn"], attributes

    def update_secret(
        arn: str, old: Properties, new: Properties, stack_name: str, logical_id: str | None = None
    ) -> Created:
        name = _name(arn)
        named_old = {**old, "Name": old.get("Name") or name}
        named_new = {**new, "Name": new.get("Name") or name}
        _, attributes = update(name, named_old, named_new, stack_name, logical_id)
        return attributes["Arn"], attributes

    handlers.update(create=create_secret, update=update_secret, delete=lambda arn, old: delete(_name(arn), old))
    _leave_new_secrets_empty()


def _name(arn: str) -> str:
    return next((str(name) for name, secret in secretsmanager._secrets.items() if secret["ARN"] == arn), arn)


def _leave_new_secrets_empty() -> None:
    """CreateSecret without a value makes no version.

    https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_CreateSecret.html
    """
    store = secretsmanager._store_new_secret

    def store_new_secret(
        name: str, secret_string: str | None = None, secret_binary: str | None = None, **rest: Any
    ) -> tuple[str, str | None]:
        arn, version = store(name, secret_string=secret_string, secret_binary=secret_binary, **rest)
        if secret_string is None and secret_binary is None:
            secretsmanager._secrets[name]["Versions"] = {}
            return arn, None
        return arn, version

    secretsmanager._store_new_secret = store_new_secret
